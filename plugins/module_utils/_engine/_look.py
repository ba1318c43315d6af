# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would do, or why it would refuse. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from .._clouds._contract import Definition, Denied, Listing, Node, NodeSpec, VolumeSpec
from .._cluster_file._cluster import Cluster
from ._draft import node_spec
from ._fleet import Fleet
from ._forecast import forecast
from ._outcome import UNTOUCHED, Outcome, Refused
from ._plan import plan, plan_destroy
from ._plan_model import CloudPlan, Plan, Wishes


@dataclass(frozen=True)
class Look:
    """Looks at the clouds of a cluster, and plans."""

    cluster: Cluster
    fleet: Fleet

    def outcome(self, wishes: Wishes) -> Outcome:
        """What a run with these wishes would do; if it would refuse, ``plan.refusals`` says why.

        Raises:
            FleetError, CloudError: a cloud could not be asked.
        """
        listings = self.fleet.listed()
        owned = self.fleet.owners()
        definitions = self._definitions(owned, listings)
        made = plan(self.cluster, owned, listings, wishes, definitions)
        kept = [volume for volumes in made.kept_volumes.values() for volume in volumes]
        lacks = [f"cloud {self.cluster.pools[pool].cloud}: {sentence}" for pool, found in definitions.items() for sentence in found.unknown]
        if not made.refusals:
            lacks += self._shortages(made, listings)
        if made.refusals or lacks:
            return Outcome(made.refused(dict.fromkeys(lacks)), listings=listings, kept=kept)
        gaps = self.fleet.ask_each(self._gaps, [cloud for cloud, listing in listings.items() if listing.nodes])
        images = self.fleet.ask_each(lambda cloud: self._unbuilt(cloud, made, listings), made.clouds)
        parts = {cloud: replace(part, repair=gaps.get(cloud, ()), images=images[cloud]) for cloud, part in made.clouds.items()}
        made = replace(made, clouds=parts)
        leaving = [node.name for part in made.clouds.values() for node in part.leave]
        return Outcome(made, listings=listings, leaving=sorted(leaving), kept=kept)

    def accepted(self, wishes: Wishes) -> Outcome:
        """The same.

        Raises:
            Refused: the run may not do this.
        """
        outcome = self.outcome(wishes)
        if outcome.plan.refusals:
            raise Refused([*outcome.plan.refusals, *([] if wishes.replaced else [UNTOUCHED])])
        return outcome

    def missing(self, outcome: Outcome) -> dict[str, tuple[str, ...]]:
        """What is made before the first node of a cloud, by cloud. A cloud that has nodes is not asked."""
        parts, listings = outcome.plan.clouds, outcome.listings
        first = [cloud for cloud, part in parts.items() if part.create and not listings[cloud].nodes]
        return self.fleet.ask_each(lambda cloud: self._missing(cloud, parts[cloud].create), first)

    def coming(self, outcome: Outcome) -> dict[str, tuple[str, Node]]:
        """By name, the cloud and the node of all that the plan creates, replaces or starts, as they will be as far as the clouds can tell."""
        found = self.fleet.ask_each(partial(self._coming, outcome), outcome.plan.clouds)
        return {name: (cloud, node) for cloud, nodes in found.items() for name, node in nodes.items()}

    def _coming(self, outcome: Outcome, cloud: str) -> dict[str, Node]:
        part, listing = outcome.plan.clouds[cloud], outcome.listings[cloud]
        specs = _new_nodes(part, listing)
        if not specs:
            return forecast(part, listing, {}, {})
        asked = self.fleet.clouds[cloud]
        addresses = self.fleet.ask(cloud, partial(asked.addresses_of, specs, _going(part)), "addresses")
        each = list({spec.mark.pool: spec for spec in specs}.values())
        definitions = self.fleet.ask(cloud, partial(asked.definitions, each), "definitions")
        return forecast(part, listing, addresses, {spec.mark.pool: found for spec, found in zip(each, definitions, strict=True)})

    def destruction(self, confirm: str) -> Outcome:
        """What takes the whole cluster away.

        Raises:
            Refused: the run may not do this.
        """
        listings = self.fleet.listed()
        made = plan_destroy(self.cluster, self.fleet.owners(), listings, confirm)
        if made.refusals:
            raise Refused([*made.refusals, UNTOUCHED])
        return Outcome(made, listings=listings, kept=[volume for volumes in made.kept_volumes.values() for volume in volumes])

    def existing(self) -> dict[str, tuple[str, ...]]:
        """What is removed after the last node of a cloud, by cloud."""
        clouds = self.fleet.clouds
        return self.fleet.ask_each(lambda cloud: tuple(self.fleet.ask(cloud, clouds[cloud].shared_existing, "shared existing")), clouds)

    def _missing(self, cloud: str, specs: Sequence[NodeSpec]) -> tuple[str, ...]:
        return tuple(self.fleet.ask(cloud, partial(self.fleet.clouds[cloud].shared_missing, specs), "shared missing"))

    def _definitions(self, owned: Mapping[str, str], listings: Mapping[str, Listing]) -> dict[str, Definition]:
        """What a node of each pool that has nodes would be made from now."""
        populated = {node.mark.pool for listing in listings.values() for node in listing.nodes}

        def ask(name: str) -> list[tuple[str, Definition]]:
            pools = [pool for pool in self.cluster.pools_of(name) if pool in populated and self.cluster.pools[pool].count]
            specs = [node_spec(self.cluster, owned[name], pool, 0) for pool in pools]
            found = self.fleet.ask(name, partial(self.fleet.clouds[name].definitions, specs), "definitions") if specs else []
            return list(zip(pools, found, strict=True))

        return dict(pair for found in self.fleet.ask_each(ask, self.fleet.clouds).values() for pair in found)

    def _gaps(self, cloud: str) -> tuple[str, ...]:
        """What nodes of a cloud need besides themselves, and is missing."""
        return tuple(self.fleet.ask(cloud, self.fleet.clouds[cloud].gaps, "gaps"))

    def _unbuilt(self, cloud: str, made: Plan, listings: Mapping[str, Listing]) -> tuple[str, ...]:
        """The images that a cloud fetches or builds for this plan."""
        specs = _new_nodes(made.clouds[cloud], listings[cloud])
        return tuple(self.fleet.ask(cloud, partial(self.fleet.clouds[cloud].unbuilt, specs), "unbuilt")) if specs else ()

    def _shortages(self, made: Plan, listings: Mapping[str, Listing]) -> list[str]:
        """All that the clouds lack for this plan, before anything is created."""

        def ask(cloud: str) -> list[str]:
            specs = _new_nodes(made.clouds[cloud], listings[cloud])
            volumes = _new_volumes(specs, listings[cloud])
            if not specs and not volumes:
                return []
            going = _going(made.clouds[cloud])
            try:
                found = self.fleet.ask(cloud, partial(self.fleet.clouds[cloud].shortages, specs, volumes, going), "shortages")
            except Denied as error:
                found = [str(error)]
            return [f"cloud {cloud}: {sentence}" for sentence in found]

        return [sentence for found in self.fleet.ask_each(ask, made.clouds).values() for sentence in found]


def _new_nodes(part: CloudPlan, listing: Listing) -> list[NodeSpec]:
    """Those that are to be created, also in place of others that exist until then."""
    present = {node.name for node in listing.nodes} - {node.name for node in part.delete}
    return [*(spec for spec in part.create if spec.name not in present), *part.replace]


def _going(part: CloudPlan) -> list[Node]:
    """Those that are deleted before others are created."""
    replaced = {spec.name for spec in part.replace}
    return [*part.delete, *(node for node in part.keep if node.name in replaced)]


def _new_volumes(specs: Iterable[NodeSpec], listing: Listing) -> list[VolumeSpec]:
    known = {volume.name for volume in listing.volumes}
    return [volume for spec in specs for volume in spec.volumes if volume.name not in known]
