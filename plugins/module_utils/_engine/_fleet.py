# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clouds of one cluster, opened and listed side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from .._clouds._contract import Cloud, CloudError, Image, Listing, MarkError, Options, Scope
from .._clouds._providers import PROVIDERS
from .._cluster_file._cluster import Cluster
from .._cluster_file._network import openings
from ._retry import Backoff, Clock, asked_again

T = TypeVar("T")


class FleetError(Exception):
    """At least one cloud could not be asked; one line each. With a part of the truth nothing may be decided."""


@dataclass(frozen=True)
class Fleet:
    """The clouds of one cluster, each call made until it is answered."""

    clouds: Mapping[str, Cloud]
    clock: Clock
    backoff: Backoff

    def ask(self, cloud: str, call: Callable[[], T], what: str) -> T:
        """Make a call that changes nothing, or that may be repeated.

        Args:
            what: names the call.
        """
        return asked_again(call, self.clock, self.backoff, f"cloud {cloud}: {what}")

    def ask_each(self, ask: Callable[[str], T], names: Iterable[str]) -> dict[str, T]:
        """The answers of clouds that are asked side by side, by name."""
        every = list(names)
        with ThreadPoolExecutor(max_workers=max(1, len(every))) as pool:
            return dict(zip(every, pool.map(ask, every), strict=True))

    def listed(self) -> dict[str, Listing]:
        return list_all(self.clouds, self.clock, self.backoff)

    def owners(self) -> dict[str, str]:
        return owners(self.clouds, self.clock, self.backoff)


def option_classes() -> dict[str, type[Options]]:
    """The options dataclass of each provider, as `_cluster.parse` takes them."""
    return {name: provider.options for name, provider in PROVIDERS.items()}


def open_clouds(cluster: Cluster) -> dict[str, Cloud]:
    """Every cloud of the file, by name. Makes no call."""
    opened = openings(cluster.settings, cluster.pools)
    overlay = cluster.overlay.range if cluster.overlay else ""
    scope = Scope(cluster.name, cluster.settings.owner, cluster.settings.admin_cidrs, opened, overlay)
    return {name: PROVIDERS[entry.provider].cloud(name, entry.options, scope) for name, entry in cluster.clouds.items()}


def list_all(clouds: Mapping[str, Cloud], clock: Clock | None = None, backoff: Backoff | None = None) -> dict[str, Listing]:
    """What every cloud holds of the cluster, one list call each.

    Raises:
        FleetError: a cloud could not be listed, or two entries lead to the same nodes.
    """
    single = len(clouds) == 1  # which is no other's place
    found = _each(clouds, lambda cloud: ("" if single else cloud.place(), cloud.listing()), "cannot be listed", clock, backoff)
    same = _same_places({name: place for name, (place, _listing) in found.items() if place})
    if same:
        raise FleetError("\n".join(same))
    return {name: listing for name, (_place, listing) in found.items()}


def _same_places(places: Mapping[str, str]) -> list[str]:
    """One sentence for each place that several entries lead to."""
    by_place: dict[str, list[str]] = {}
    for name, place in places.items():
        by_place.setdefault(place, []).append(name)
    return [
        f"clouds {' and '.join(names)} are the same cloud ({place}): keep one of these entries under clouds, and name it in all their pools"
        for place, names in by_place.items()
        if len(names) > 1
    ]


def owners(clouds: Mapping[str, Cloud], clock: Clock | None = None, backoff: Backoff | None = None) -> dict[str, str]:
    """The owner of this run's marks in every cloud.

    Raises:
        FleetError: a cloud could not say whose the credentials are.
    """
    return _each(clouds, lambda cloud: cloud.owner, "cannot say which user the credentials belong to", clock, backoff)


def list_images(clouds: Mapping[str, Cloud]) -> dict[str, list[Image]]:
    """The images of every cloud.

    Raises:
        FleetError: a cloud could not say.
    """
    return _each(clouds, lambda cloud: cloud.images(), "cannot list its images", None, None)


def _each(clouds: Mapping[str, Cloud], call: Callable[[Cloud], T], fault: str, clock: Clock | None, backoff: Backoff | None) -> dict[str, T]:
    answers: dict[str, T] = {}
    faults: list[str] = []

    def ask(name: str) -> None:
        try:
            answers[name] = asked_again(lambda: call(clouds[name]), clock or Clock(), backoff or Backoff())
        except (CloudError, MarkError) as error:
            faults.append(f"cloud {name} {fault}: {error}")

    with ThreadPoolExecutor(max_workers=max(1, len(clouds))) as pool:
        list(pool.map(ask, clouds))
    if faults:
        raise FleetError("\n".join(sorted(faults)))
    return {name: answers[name] for name in clouds}
