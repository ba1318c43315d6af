# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prevents new nodes and volumes on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from . import allocation, disk, machine, network, records
from .files import folders, read
from .places import Zone

MIB_A_NODE = 300  # of disk, for what a node writes at least; a new image takes about as much


def shortages(zone: Zone, memory: Sequence[int], cores: int, gib: int, resolvers: Sequence[str], going: Sequence[str] = ()) -> list[str]:
    """All of it, one sentence each.

    Args:
        memory: MiB of each new node.
        cores: of the largest new node.
        gib: all new volumes together.
        resolvers: as configured.
        going: names of nodes that are deleted first.
    """
    found = machine.missing()
    if not disk.resolvers(resolvers):
        found.append("this machine's resolver is on loopback, which nodes cannot reach, and its upstream servers are unknown: set `resolvers`")
    found += _size(zone, memory, cores, going) + _space(zone, len(memory), gib)
    if not machine.lacking():  # the network is read by its programs
        found += _network(zone, len(memory), len(going))
    return found


def _size(zone: Zone, memory: Sequence[int], cores: int, going: Sequence[str]) -> list[str]:
    found = []
    have = len(os.sched_getaffinity(0))
    if cores > have:
        found.append(f"a flavor has {cores} cores, this machine has {have}: choose a smaller flavor")
    total = next(int(line.split()[1]) // 1024 for line in read(Path("/proc/meminfo")).splitlines() if line.startswith("MemTotal:"))
    places = [(folder.name, records.nodes(Zone(folder.name, zone.path, zone.network))) for folder in folders(zone.path)]
    given = sum(record.memory for place, nodes in places for name, record in nodes.items() if place != zone.name or name not in going)
    if given + sum(memory) > total:
        found.append(f"the new nodes need {sum(memory)} MiB of memory; this machine has {total} MiB, of which its other nodes have {given}")
    return found


def _space(zone: Zone, count: int, gib: int) -> list[str]:
    place = next(path for path in (zone.path, *zone.path.parents) if path.exists())
    stat = os.statvfs(place)
    free, needed = stat.f_bavail * stat.f_frsize // 2**20, gib * 1024 + count * MIB_A_NODE
    return [f"the new nodes and volumes need {needed} MiB of disk, {place} has {free}"] if count + gib and needed > free else []


def _network(zone: Zone, count: int, going: int) -> list[str]:
    noted = network.noted_network(zone)
    if noted and noted != zone.network:
        return [f"zone '{zone.name}' of this machine has network {noted}, not {zone.network}: set `network` to that, or choose another zone"]
    found = [] if noted else network.overlaps(zone)
    room = allocation.room(zone) + going
    if count > room:
        found.append(f"network {zone.network} has addresses for {room} more nodes, {count} are needed: set a larger `network`")
    return found + network.obstacles(zone)
