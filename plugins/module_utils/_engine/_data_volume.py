# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One data volume of a cluster: made ahead of its node, extended, or deleted."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._base._schema import hint
from .._clouds._contract import Cloud, CloudError, Event, Invalid, Stage, Volume, VolumeSpec
from .._cluster_file._cluster import Cluster, ClusterFileError, DataVolume
from . import _lock
from ._fleet import list_all
from ._resource import Change, asked

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """A volume as a module is asked for it."""

    name: str  # <node>-<volume>
    size: int = 0  # GiB; 0: as the file says
    type: str = ""  # empty: as the file says


def as_result(cloud: str, volume: Volume) -> dict[str, Any]:
    """A volume as a module returns it."""
    return {key: getattr(volume, key) for key in ("name", "id", "size", "type", "attached", "device")} | {
        "cloud": cloud,
        "node": volume.mark.node_name,
    }


def present(cluster: Cluster, clouds: Mapping[str, Cloud], wanted: Wanted, check: bool, tell: Tell) -> Change:
    """Make a volume, or extend it.

    Raises:
        CloudError: it cannot be; nothing was done.
        ClusterFileError: the file has no node that would have it.
    """
    cloud, spec = _specified(cluster, clouds, wanted)
    volume = _found(cloud, spec.name)
    if volume and _fits(spec, volume):
        return Change(as_result(cloud.name, volume), as_result(cloud.name, volume))
    if volume is None:
        lacks = asked(lambda: cloud.shortages([], [spec]), f"cloud {cloud.name}: shortages")
        if lacks:
            raise Invalid(f"volume {spec.name} cannot be created in cloud {cloud.name}: {'; '.join(lacks)}")
    before = as_result(cloud.name, volume) if volume else {}
    if check:
        asked_for = {"name": spec.name, "cloud": cloud.name, "size": spec.size, "type": spec.type}
        return Change(before, before | {"size": spec.size} if volume else asked_for, changed=True)
    with _locked(cloud, tell):
        volume = _found(cloud, spec.name)  # what another run did until the lock was ours
        if volume is None:
            _carried_out(cloud, spec.name, lambda: cloud.create_volumes([spec]))
        elif not _fits(spec, volume):
            _carried_out(cloud, spec.name, lambda: cloud.resize_volumes([spec]))
    made = _found(cloud, spec.name)
    if made is None:
        raise CloudError(f"cloud {cloud.name}: volume {spec.name} was created but is not listed")
    return Change(before, as_result(cloud.name, made), changed=True)


def absent(clouds: Mapping[str, Cloud], name: str, check: bool, tell: Tell) -> Change:
    """Delete a volume that no node has, and its data.

    Raises:
        CloudError: it is not ours, or a node has it; it is left alone.
    """
    holding: list[tuple[str, Volume]] = []
    listings = list_all(clouds)
    for place, cloud in clouds.items():
        cloud.mark_of(name)
        volume = _ours(cloud, name, listings[place].volumes, {stray.name: stray.reason for stray in listings[place].strays})
        if volume:
            holding.append((place, volume))
    if not holding:
        return Change()
    if len(holding) > 1:
        raise Invalid(
            f"volume {name} is in {len(holding)} clouds ({', '.join(place for place, _volume in holding)}): choose one with the option cloud"
        )
    place, volume = holding[0]
    if volume.attached:
        raise Invalid(f"cloud {place}: volume {name} is attached to {volume.attached}: it is left alone")
    if not check:
        with _locked(clouds[place], tell):
            _carried_out(clouds[place], name, lambda: clouds[place].delete_volumes([volume]))
    return Change(as_result(place, volume), {}, changed=True)


def _specified(cluster: Cluster, clouds: Mapping[str, Cloud], wanted: Wanted) -> tuple[Cloud, VolumeSpec]:
    """The volume with what the file says of it, and its cloud: that of the node's pool."""
    mark = next(iter(clouds.values())).mark_of(wanted.name)
    pool = cluster.pools.get(mark.pool)
    if pool is None:
        raise ClusterFileError(
            [f"name: volume {wanted.name} belongs to pool '{mark.pool}', which is not in the file{hint(mark.pool, list(cluster.pools))}"]
        )
    if pool.cloud not in clouds:
        raise ClusterFileError([f"cloud: the nodes of pool {mark.pool} are in cloud {pool.cloud}, and so are their volumes"])
    declared = pool.volumes.get(wanted.name.removeprefix(f"{mark.node_name}-"))
    if declared:
        _agree(wanted, declared, f"pools.{mark.pool}.volumes.{wanted.name.removeprefix(f'{mark.node_name}-')}")
    size = wanted.size or (declared.size if declared else 0)
    if size < 1:
        raise ClusterFileError([f"size: is required, 1 GiB or more: pools.{mark.pool}.volumes does not list this volume"])
    return clouds[pool.cloud], VolumeSpec(wanted.name, size, wanted.type or (declared.type if declared else ""))


def _agree(wanted: Wanted, declared: DataVolume, path: str) -> None:
    """See that the next run will not refuse what is made.

    Raises:
        ClusterFileError: the file says something else.
    """
    if wanted.size > declared.size:
        raise ClusterFileError([f"size: {path} says {declared.size} GiB, and a volume cannot shrink: change the file first"])
    if wanted.type and wanted.type != declared.type:
        raise ClusterFileError([f"type: {path} says '{declared.type}', not '{wanted.type}': change the file first"])


def _found(cloud: Cloud, name: str) -> Volume | None:
    listing = asked(cloud.listing, f"cloud {cloud.name}: listing")
    return _ours(cloud, name, listing.volumes, {stray.name: stray.reason for stray in listing.strays if stray.kind == "volume"})


def _ours(cloud: Cloud, name: str, volumes: Iterable[Volume], strays: Mapping[str, str]) -> Volume | None:
    """The volume of that name, if there is one.

    Raises:
        Invalid: it is not ours, or there are several.
    """
    found = [volume for volume in volumes if volume.name == name]
    if name in strays:
        raise Invalid(f"cloud {cloud.name}: something named {name} exists and is not ours: {strays[name]}")
    foreign = [volume for volume in found if volume.mark.owner != cloud.owner]
    if foreign:
        raise Invalid(f"cloud {cloud.name}: volume {name} belongs to {foreign[0].mark.owner}, not to {cloud.owner}: it is left alone")
    if len(found) > 1:
        raise Invalid(f"cloud {cloud.name}: {len(found)} volumes are named {name}: delete the wrong ones")
    return found[0] if found else None


def _fits(wanted: VolumeSpec, volume: Volume) -> bool:
    """Whether a volume is as it is wanted.

    Raises:
        Invalid: it cannot become so.
    """
    if wanted.size < volume.size:
        raise Invalid(f"size: volume {volume.name} has {volume.size} GiB and cannot shrink to {wanted.size}")
    if wanted.type and wanted.type != volume.type:
        raise Invalid(f"type: volume {volume.name} is of type '{volume.type}', which cannot become '{wanted.type}'")
    return wanted.size == volume.size


@contextlib.contextmanager
def _locked(cloud: Cloud, tell: Tell) -> Iterator[None]:
    with _lock.held({cloud.name: cloud}, _lock.Terms(_lock.Holder.me(), tell=tell)):
        yield


def _carried_out(cloud: Cloud, name: str, call: Callable[[], Iterator[Event]]) -> None:
    """Make a call until the cloud answers it: each of them finds what an unanswered one before it has done.

    Raises:
        CloudError: the cloud said no.
    """
    for event in asked(lambda: list(call()), f"cloud {cloud.name}: volume {name}"):
        if event.stage is Stage.FAILED:
            raise (event.error or CloudError)(f"cloud {cloud.name}: volume {name}: {event.detail}")
