# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a node is doing, read from files that everybody may read: no root, no call to LXC, no connection to the node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import cgroups
from .places import NodePlace, Zone
from .processes import boot_id, listens
from .records import NodeRecord, made_by

SSH = 22


@dataclass(frozen=True)
class Condition:
    """A state of the contract, and why, where that is a fault."""

    state: str
    fault: str = ""


class Inspector:
    """Looks at nodes of one zone; what holds for all of them is read once."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.layout = cgroups.Layout.current()
        self.boot = boot_id()
        self.connected = Path("/sys/class/net", zone.bridge).exists()

    def init(self, name: str) -> int:
        """The node's first process; 0 if it does not run."""
        return cgroups.init_of(self.layout.group(self.zone, name))

    def monitored(self, name: str) -> bool:
        """Whether LXC has the container in hand: it starts, runs, reboots or stops."""
        return cgroups.init_of(self.layout.group(self.zone, monitor(name))) != 0

    def lost(self, name: str) -> bool:
        """Whether nothing is there of a node but what it held: neither its folder nor a process."""
        return not ((self.zone.nodes / name).exists() or self.init(name) or self.monitored(name))

    def condition(self, name: str, record: NodeRecord) -> Condition:
        init = self.init(name)
        if init and not self.connected:
            return Condition("stopped", f"the bridge {self.zone.bridge} of its zone is gone")
        if init:
            up = bool(record.ready) or listens(init, SSH)
            return Condition("running" if up else "building")
        if made_by(record) or self.monitored(name):
            return Condition("building")
        if record.maker and not record.boot:
            return Condition("stopped", "the run that was creating it ended before the node was started")
        if record.ready or record.boot != self.boot:
            return Condition("stopped")
        return Condition("failed", self._fault(name))

    def _fault(self, name: str) -> str:
        last = console(NodePlace(self.zone, name), 1)
        return "its init ended before the node was ready" + (f"; its console ends with: {last}" if last else "")


def monitor(name: str) -> str:
    """The control group of the container's LXC monitor, beside the node's own."""
    return f"{name}.monitor"


def console(place: NodePlace, lines: int) -> str:
    """The last lines of a node's console."""
    kept = [line.rstrip() for line in _tail(place.console, 200 * lines + 4096).splitlines() if line.strip()]
    return "\n".join(kept[-lines:])


def _tail(path: Path, size: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - size))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
