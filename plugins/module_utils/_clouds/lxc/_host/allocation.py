# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which address and which cores a new node is given."""

from __future__ import annotations

import os
import re
from collections.abc import Collection

from . import records
from .errors import HostError
from .files import folders, read
from .places import Zone

SPARE = 3  # addresses of a network that no node can have: its own, the broadcast, the gateway


def addresses_used(zone: Zone) -> set[str]:
    """Addresses that nodes have, those whose record is lost included: their configuration still says it."""
    found = {record.address for record in records.nodes(zone).values()}
    for folder in folders(zone.nodes):
        found.update(re.findall(r"^lxc\.net\.0\.ipv4\.address = ([0-9.]+)/", read(folder / "config"), re.MULTILINE))
    return found


def room(zone: Zone) -> int:
    """How many more nodes the network has addresses for."""
    return max(0, zone.network.num_addresses - SPARE - len(addresses_used(zone)))


def free_address(zone: Zone, node: str, taken: Collection[str]) -> str:
    """An address for a node, its previous one if that is free; empty if none is."""
    count = zone.network.num_addresses - SPARE
    offered = (str(zone.network.network_address + 2 + (zone.preferred(node) + step) % count) for step in range(count))
    return next((address for address in offered if address not in taken), "")


class Allocation:
    """What is taken at this moment; only for the holder of the zone's lock."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.taken = addresses_used(zone)
        self.load = dict.fromkeys(sorted(os.sched_getaffinity(0)), 0)  # nodes on each core, of all zones
        for folder in folders(zone.path):
            for record in records.nodes(Zone(folder.name, zone.path, zone.network)).values():
                self._stand_on(record.cpus)

    def _stand_on(self, cpus: list[int]) -> None:
        for cpu in cpus:
            self.load[cpu] = self.load.get(cpu, 0) + 1

    def address(self, node: str) -> str:
        """An address for a node: its previous one if that is free."""
        address = free_address(self.zone, node, self.taken)
        if not address:
            raise HostError(f"network {self.zone.network} of zone '{self.zone.name}' has no address left", "shortage")
        self.taken.add(address)
        return address

    def cpus(self, cores: int) -> list[int]:
        """The least used cores of the machine."""
        usable = sorted(os.sched_getaffinity(0), key=lambda cpu: (self.load[cpu], cpu))
        if cores > len(usable):
            raise HostError(f"{cores} cores were requested, the machine has {len(usable)}", "shortage")
        chosen = sorted(usable[:cores])
        self._stand_on(chosen)
        return chosen
