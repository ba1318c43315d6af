# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists besides nodes: removed with the last node of a zone, and listed if something is left."""

from __future__ import annotations

import re
from pathlib import Path

from . import cgroups, locks, loops, network, nodes, records, volumes
from .condition import Inspector
from .files import folders, locked, mounts_below, read, remove_empty
from .places import NodePlace, Zone

TEMPORARY = (".new-", ".gone-")


def dismantle(zone: Zone) -> None:
    """Take down the zone's network and its empty folders, unless any node, whoever's it is, is still there."""
    if not zone.folder.is_dir():
        volumes.release(zone)  # the folder was removed by hand, with its nodes and the files of their volumes
        return
    with locked(zone.folder):
        nodes.sweep(zone)
        if folders(zone.nodes):
            return
        network.remove(zone)
        for group in Inspector(zone).layout.all_groups(zone):
            cgroups.remove(group)
        remove_empty(zone.lxc_locks, *(parent for parent in zone.lxc_locks.parents if parent.is_relative_to("/run/lxc/lock/")))
        remove_empty(zone.nodes, zone.volumes, zone.locks, zone.folder, zone.path)


def without_volumes(zone: Zone) -> None:
    """Remove the folder of the volumes, if it is empty and no node is about to use it."""
    if not zone.folder.is_dir():
        return
    with locked(zone.folder):
        if not folders(zone.nodes):
            remove_empty(zone.volumes, zone.folder)


def leftovers(zone: Zone, cluster: str) -> list[str]:
    """All that is there of a cluster, ``kind name`` each."""
    found = [*_nodes(zone, cluster), *_volumes(zone, cluster), *_loops(zone, cluster), *_mounts(zone, cluster), *_containers(zone, cluster)]
    held = locks.holding(zone, cluster)
    if held and locks.stale(held):
        found.append(f"lock {cluster}")
    return found + _network(zone, cluster)


def _of(cluster: str, name: str) -> bool:
    """Whether a name is one that a node (or volume) of this cluster would have."""
    return re.fullmatch(rf"{re.escape(cluster)}-[a-z][a-z0-9]*-\d+(-[a-z][a-z0-9]*)?", name) is not None


def _marked(mark: str, cluster: str) -> bool:
    return mark.split()[2:3] == [cluster]


def _plain(folder: Path) -> str:
    """The node's name in the name of a folder that is being made or removed."""
    return re.sub(r"^\.(?:new|gone)-(.*)-[^-]*$", r"\1", folder.name)


def _nodes(zone: Zone, cluster: str) -> list[str]:
    return [f"{'folder' if f.name.startswith(TEMPORARY) else 'node'} {f.name}" for f in folders(zone.nodes) if _belongs(zone, f, cluster)]


def _belongs(zone: Zone, folder: Path, cluster: str) -> bool:
    try:
        record = records.node(NodePlace(zone, folder.name, folder))
    except records.Damaged:
        record = None
    return _marked(record.mark, cluster) if record else _of(cluster, _plain(folder))


def _volumes(zone: Zone, cluster: str) -> list[str]:
    files = {path.stem for path in zone.volumes.glob("[!.]*") if path.suffix in (".json", ".img")}
    found = []
    for name in sorted(files):
        try:
            record = records.volume(zone, name)
        except records.Damaged:
            record = None
        if _marked(record.mark, cluster) if record else _of(cluster, name):
            found.append(f"volume {name}")
    return found


def _loops(zone: Zone, cluster: str) -> list[str]:
    return [f"loop device {device} {file}" for file, device in sorted(loops.attached(zone.volumes).items()) if _of(cluster, Path(file).stem)]


def _mounts(zone: Zone, cluster: str) -> list[str]:
    points = {point: Path(point).relative_to(zone.nodes).parts[:1] for point in mounts_below(zone.nodes)}
    return [f"mount {point}" for point, first in sorted(points.items()) if first and _of(cluster, _plain(Path(first[0])))]


def _containers(zone: Zone, cluster: str) -> list[str]:
    """Those that run without a folder."""
    looker = Inspector(zone)
    names = {group.name for parent in looker.layout.all_groups(zone) for group in folders(parent)}
    mine = sorted(name for name in names if _of(cluster, name) and not (zone.nodes / name).exists())
    return [f"container {name}" for name in mine if looker.init(name)]


def _network(zone: Zone, cluster: str) -> list[str]:
    """The zone's network, unless another cluster has nodes on it."""
    if any(not _belongs(zone, folder, cluster) for folder in folders(zone.nodes)):
        return []
    found = [f"bridge {zone.bridge}"] if network.has_bridge(zone) else []
    if network.has_table(zone):
        found.append(f"table {zone.table}")
    if read(zone.folder / "zone.json"):
        found.append(f"file {zone.folder / 'zone.json'}")
    return found
