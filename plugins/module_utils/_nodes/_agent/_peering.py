# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node's peers, routes and forwarding, as the list and the living gateways say."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from . import _host, _paths
from ._known import Known
from ._list import Member
from ._mtu import MtuFinder
from ._paths import Gateways, Peer
from ._probe import Pinger
from ._snapshot import Snapshot

LOG = logging.getLogger("sky-network")
ADDRESSES = ("ip", "-4", "-o", "address", "show", "dev", _host.INTERFACE, "up")  # none of an interface that is down
PEERS = ("wg", "show", _host.INTERFACE, "allowed-ips")
FORWARDING = ("nft", "-s", "list", "table", "ip", _host.TABLE)
SYSCTLS = {"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.send_redirects": "0", "net.ipv4.conf.default.send_redirects": "0"}  # of a gateway


@dataclass
class Peering:
    """What the node's interface is given."""

    known: Known
    interface: _host.Interface
    mtu: MtuFinder
    sysctls: Path  # what kernel parameters were before they were set
    gateways: Gateways = field(default_factory=Gateways)
    pinger: Pinger | None = None
    routes: dict[str, int] = field(default_factory=dict)
    ways: dict[str, str] = field(default_factory=dict)
    snapshot: Snapshot = field(default_factory=Snapshot)
    _turn: int = 0  # of the far peers, in which all are greeted

    def ready(self) -> bool:
        """Set the interface up if it is not, or if somebody else has changed something of it; whether it was set up now."""
        if _host.index() and (changed := self.snapshot.changed()):
            LOG.error("somebody else has changed what `%s` shows: setting it again", changed)
            self.interface.forget()
        fresh = self.interface.ready(self.known.overlay.port, self.known.address)
        if fresh:
            self.snapshot = Snapshot()
            self.snapshot.take(*ADDRESSES)
            if self.pinger:
                self.pinger.close()
            self.pinger = Pinger(self.known.address)
            self.routes = {}
            self.mtu.reset()
        return fresh

    def apply(self) -> None:
        """Make peers, routes and forwarding what they should be."""
        nodes, me = self.known.nodes, self.known.me
        wanted = _paths.peers(nodes, me, self.gateways)
        wanted.pop("", None)
        self.set_routes()  # first: an answer to the first packet of a peer would leave by the default route
        self.set_forwarding()
        if not self.snapshot.stands(*PEERS):
            self.interface.forget_peers()
        changed = self.interface.set_peers(wanted)
        self.snapshot.take(*PEERS)
        self._greet(changed)
        self.ways = {cloud: str(_paths.way(nodes, me, node, self.gateways)) for cloud, node in self._examples().items()}

    def _examples(self) -> dict[str, Member]:
        """A node of each other cloud, one that is reached as most of it are."""
        found: dict[str, Member] = {}
        for node in sorted(self.known.nodes.nodes, key=lambda node: bool(node.public)):
            if node.cloud != self.known.me.cloud:
                found.setdefault(node.cloud, node)
        return found

    def set_routes(self) -> None:
        nodes, overlay, own = self.known.nodes, self.known.overlay, self.known.me.cloud
        base = ipaddress.IPv4Network(overlay.range).network_address
        prefix = 32 - (nodes.block - 1).bit_length()
        most = self.interface.mtu()
        blocks = {}
        for block, cloud in _paths.routes(nodes).items():
            mtu = 0 if cloud == own else min(most, self.mtu.found.get(cloud, _host.SAFE_MTU))
            blocks[f"{base + block * nodes.block}/{prefix}"] = mtu
        if blocks != self.routes:
            _host.set_routes(overlay.range, self.known.address, blocks, self.routes)
            self.routes = blocks
            self.snapshot.take("ip", "-4", "route", "show", "root", overlay.range)

    def set_forwarding(self) -> None:
        nodes, overlay, me = self.known.nodes, self.known.overlay, self.known.me
        plain: dict[str, str] = {}
        if overlay.inside == "plain":
            near = [node for node in nodes.nodes if node.cloud == me.cloud and node.name != me.name]
            plain = {nodes.address(node): node.address for node in near}
        forwards = _paths.forwards(nodes, me)
        _host.run("nft", "-f", "-", stdin=_host.forwarding(forwards, overlay.port, plain, (self.known.address, me.address)))
        self.snapshot.take(*FORWARDING)
        if not _paths.leads_on(nodes, me):
            _host.restore_sysctls(self.sysctls)
            return
        for name, value in SYSCTLS.items():
            _host.sysctl(name, value, self.sysctls)
        self.snapshot.take("cat", *(str(_host.sysctl_file(name)) for name in SYSCTLS))

    def renew_far_endpoints(self) -> None:
        """The ways to other clouds led through a gateway that is gone."""
        nodes, own = self.known.nodes.nodes, self.known.me.cloud
        self.interface.renew_endpoints([node.key for node in nodes if node.cloud != own and node.key in self.interface.applied])

    def greet_next(self) -> None:
        """A packet to one far peer after the other: if it was restarted, the unanswered packet makes this side begin anew."""
        far = [peer for peer in self.interface.applied.values() if peer.keepalive]
        if far:
            self._turn = (self._turn + 1) % len(far)
            self._greet([far[self._turn]])

    def _greet(self, peers: Iterable[Peer]) -> None:
        """A packet for each new peer, so that its tunnel is there before it is needed, and the other side learns of a restart."""
        if self.pinger:
            for peer in peers:
                self.pinger.send(peer.allowed[0].partition("/")[0])
