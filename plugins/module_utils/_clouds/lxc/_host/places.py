# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths and names of everything in one zone."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Zone:
    """One of the independent clouds of a machine."""

    name: str  # [a-z][a-z0-9]{0,7}
    path: Path  # of all zones
    network: ipaddress.IPv4Network

    @property
    def folder(self) -> Path:
        return self.path / self.name

    @property
    def nodes(self) -> Path:
        return self.folder / "nodes"

    @property
    def volumes(self) -> Path:
        return self.folder / "volumes"

    @property
    def locks(self) -> Path:
        return self.folder / "locks"

    @property
    def images(self) -> Path:
        return self.path / "image-cache"  # no zone can be called so

    @property
    def bridge(self) -> str:
        return f"sky-{self.name}"

    @property
    def table(self) -> str:
        return f"sky_{self.name}"

    @property
    def cgroup(self) -> str:
        return f"sky.{self.name}"

    @property
    def gateway(self) -> ipaddress.IPv4Address:
        return self.network.network_address + 1

    @property
    def lxc_locks(self) -> Path:
        """Where LXC keeps its own lock files of this zone's containers."""
        return Path("/run/lxc/lock") / str(self.nodes).lstrip("/")

    def veth(self, node: str) -> str:
        """The machine's end of a node's cable: at most 15 characters."""
        return "sky" + self._digest(node)[:10]

    def mac(self, node: str) -> str:
        """Stable, so that neighbours recognize a recreated node; 02 means: locally administered."""
        digest = self._digest(node)
        return ":".join(["02", *(digest[place : place + 2] for place in range(0, 10, 2))])

    def preferred(self, node: str) -> int:
        """The index of the address that a node is offered first, so that a recreated node usually gets its old one."""
        return int(self._digest(node)[:8], 16)

    def _digest(self, node: str) -> str:
        return hashlib.sha256(f"{self.name} {node}".encode()).hexdigest()


class NodePlace:
    """The folder of one node, which is also what LXC calls its container's folder."""

    def __init__(self, zone: Zone, name: str, folder: Path | None = None) -> None:
        self.zone = zone
        self.name = name
        self.folder = folder or zone.nodes / name

    @property
    def record(self) -> Path:
        return self.folder / "sky.json"

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def console(self) -> Path:
        return self.folder / "console.log"

    @property
    def log(self) -> Path:
        return self.folder / "lxc.log"

    @property
    def disk(self) -> Path:
        """Root's alone: a node's files may carry set-user-ID programs, which are no business of the machine's users."""
        return self.folder / "disk"

    @property
    def root(self) -> Path:
        """What the node has written over its image, seen as its root folder."""
        return self.disk / "upper"
