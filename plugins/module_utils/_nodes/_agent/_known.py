# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of nodes in use, and this node in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import _host
from ._list import Envelope, Member, NodeList, Overlay


@dataclass
class Known:
    """What the parts of an agent share."""

    name: str
    nodes: NodeList
    envelope: Envelope
    owners: dict[str, str] = field(default_factory=dict)  # nodes by the addresses that they ask from

    def __post_init__(self) -> None:
        self.use(self.nodes, self.envelope)

    def use(self, nodes: NodeList, envelope: Envelope) -> None:
        owners: dict[str, str] = {}
        for node in nodes.nodes:
            near = () if nodes.overlay else (node.public, *node.addresses)
            owners |= dict.fromkeys([nodes.address(node), *near], node.name)
        self.nodes, self.envelope, self.owners = nodes, envelope, owners

    @property
    def me(self) -> Member:
        found = self.nodes.node(self.name)
        if found is None:
            raise _host.Failed(f"{self.name} is not in the list: it is about to leave the cluster")
        return found

    @property
    def address(self) -> str:
        return self.nodes.address(self.me)

    @property
    def overlay(self) -> Overlay:
        if self.nodes.overlay is None:
            raise _host.Failed("the cluster has no overlay")
        return self.nodes.overlay

    @property
    def gateways(self) -> list[Member]:
        """The gateways of all clouds, without this node."""
        return [node for node in self.nodes.nodes if node.gateway and node.name != self.name]

    # --- what a server node serves of it: the list in use at the time

    def plain(self) -> str:
        return self.envelope.plain()

    def serial(self) -> int:
        return self.nodes.serial

    def count(self) -> int:
        return len(self.nodes.nodes)

    def owner_of(self, address: str) -> str:
        """The node that asks from an address; empty if it is nobody's."""
        return self.owners.get(address, "")
