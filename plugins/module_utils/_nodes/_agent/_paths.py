# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way leads from a node to the others: pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ._list import Member, NodeList

KEEPALIVE = 25  # s; keeps the mappings of address translation on the way
MISSES = 3  # of a gateway in a row, then it counts as dead


@dataclass
class Gateways:
    """Which gateways answer, and which of each cloud is used."""

    misses: dict[str, int] = field(default_factory=dict)

    def seen(self, name: str, answered: bool) -> bool:
        """Note whether a gateway answered; whether that changed if it counts as alive."""
        before = self.alive(name)
        self.misses[name] = 0 if answered else self.misses.get(name, 0) + 1
        return before != self.alive(name)

    def alive(self, name: str) -> bool:
        return self.misses.get(name, 0) < MISSES

    def choose(self, gateways: Collection[Member]) -> Member | None:
        """The first that is alive, in the order of the list; the first if none is."""
        found = list(gateways)
        return next((node for node in found if self.alive(node.name)), found[0] if found else None)


@dataclass(frozen=True)
class Peer:
    """A peer as the interface is to have it."""

    key: str
    allowed: tuple[str, ...]
    endpoint: str = ""  # none: it starts the tunnel
    keepalive: int = 0


@dataclass(frozen=True)
class Way:
    """How a node reaches the nodes of another cloud."""

    kind: str  # direct, gateway, passive, relay or none
    through: str = ""  # a node

    def __str__(self) -> str:
        return f"{self.kind} {self.through}".strip()


def relays(nodes: NodeList, one: str, other: str) -> list[Member]:
    """The gateways that the nodes of two clouds may meet at: those of these clouds first, the same from both sides."""
    clouds = sorted(nodes.clouds, key=lambda cloud: cloud not in (one, other))
    return [gateway for cloud in clouds for gateway in nodes.gateways(cloud)]


def is_open(nodes: NodeList, node: Member) -> bool:
    """Whether others can start a tunnel to it."""
    return bool(node.public or (nodes.gateways(node.cloud) and not nodes.relayed))


def way(nodes: NodeList, me: Member, other: Member, gateways: Gateways) -> Way:
    """The way to another node."""
    if other.cloud == me.cloud or other.public:
        return Way("direct")
    if is_open(nodes, other) and (chosen := gateways.choose(nodes.gateways(other.cloud))):
        return Way("gateway", chosen.name)
    if is_open(nodes, me):
        return Way("passive")
    relay = gateways.choose(relays(nodes, me.cloud, other.cloud))
    return Way("relay", relay.name) if relay else Way("none")


def peers(nodes: NodeList, me: Member, gateways: Gateways) -> dict[str, Peer]:
    """All peers of a node's interface, by key."""
    if nodes.overlay is None:
        return {}
    extra: dict[str, list[str]] = {}  # addresses that are reached through a node, by its name
    found: dict[str, Peer] = {}
    ways = {other.name: way(nodes, me, other, gateways) for other in nodes.nodes if other.name != me.name and other.key}
    for other in nodes.nodes:
        if ways.get(other.name, Way("")).kind == "relay":
            extra.setdefault(ways[other.name].through, []).append(f"{nodes.overlay.address(other.number)}/32")
    for user in nodes.users:
        if user.gateway == me.name:
            found[user.key] = Peer(user.key, (f"{nodes.overlay.address(user.number)}/32",))
        else:
            extra.setdefault(user.gateway, []).append(f"{nodes.overlay.address(user.number)}/32")
    for other in nodes.nodes:
        if other.name in ways and ways[other.name].kind not in ("relay", "none"):
            own = f"{nodes.overlay.address(other.number)}/32"
            endpoint, keepalive = _endpoint(nodes, nodes.overlay.port, me, other, ways[other.name])
            found[other.key] = Peer(other.key, (own, *extra.get(other.name, ())), endpoint, keepalive)
    return found


def _endpoint(nodes: NodeList, port: int, me: Member, other: Member, chosen: Way) -> tuple[str, int]:
    if other.cloud == me.cloud:
        return f"{other.address}:{port}", 0
    if chosen.kind == "direct":
        return f"{other.public}:{port}", KEEPALIVE
    through = nodes.node(chosen.through)
    if through:
        return f"{through.public}:{nodes.forwarded + other.number % nodes.forwarded_ports}", KEEPALIVE
    return "", 0


def forwards(nodes: NodeList, me: Member) -> dict[int, str]:
    """What a gateway forwards: the address in its cloud by UDP port."""
    if not nodes.overlay or nodes.relayed or not me.gateway:
        return {}
    return {
        nodes.forwarded + other.number % nodes.forwarded_ports: other.address
        for other in nodes.nodes
        if other.cloud == me.cloud and other.name != me.name
    }


def leads_on(nodes: NodeList, me: Member) -> bool:
    """Whether packets of others pass through a node."""
    return bool(nodes.overlay and (me.gateway or any(user.gateway == me.name for user in nodes.users)))


def hosts(nodes: NodeList, me: Member) -> str:
    """The hosts file: every node by name, forward and back, on a line of its own that other programs know as theirs, and the further names."""
    lines = ["# Written by sky.clusters, from the list of the cluster's nodes", "127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    addresses = {node.name: nodes.address(node) for node in nodes.nodes}
    further: dict[str, list[str]] = {}
    for name, target in sorted(nodes.names.items()):
        further.setdefault(addresses.get(target, target), []).append(name)
    lines += [f"{addresses[node.name]} {node.name}" for node in (me, *(node for node in nodes.nodes if node.name != me.name))]
    lines += [" ".join([address, *names]) for address, names in further.items() if _is_address(address)]  # the name of a node that is gone has none
    return "\n".join(lines) + "\n"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def sets(nodes: NodeList, me: Member) -> dict[str, list[str]]:
    """The members of the firewall's sets, by name: ``cluster``, ``users``, ``underlay``, and one for each pool, role and node."""
    found: dict[str, list[str]] = {"cluster": [], "users": [], "underlay": []}
    for node in nodes.nodes:
        own = _addresses(nodes, me, node)
        for name in ("cluster", f"pool_{node.pool}", *(f"role_{role}" for role in node.roles), f"node_{node.name}"):
            found.setdefault(name, []).extend(own)
    if nodes.overlay:
        found["users"] = [nodes.overlay.address(user.number) for user in nodes.users]
        found["underlay"] = _underlay(nodes, me)
    return found


def _addresses(nodes: NodeList, me: Member, node: Member) -> list[str]:
    """From where a node's traffic arrives at this one."""
    near = list(node.addresses) if node.cloud == me.cloud else []
    if nodes.overlay:
        return [nodes.overlay.address(node.number), *near]
    return near or [*node.addresses, *([node.public] if node.public and node.public not in node.addresses else [])]


def _underlay(nodes: NodeList, me: Member) -> list[str]:
    """Who may send to the UDP ports of the overlay."""
    near = [address for node in nodes.nodes if node.cloud == me.cloud for address in node.addresses if ":" not in address]
    if not me.public:
        return near
    if is_open_to_any(nodes, me):
        return ["0.0.0.0/0"]
    return list(dict.fromkeys([*near, *(node.public for node in nodes.nodes if node.cloud != me.cloud)]))


def is_open_to_any(nodes: NodeList, me: Member) -> bool:
    """Whether a node takes the overlay's packets from any address: a cloud's own address translation may use any, and so may people."""
    others = any(not node.public for node in nodes.nodes if node.cloud != me.cloud)
    return bool(nodes.overlay and me.public) and (others or any(user.gateway == me.name for user in nodes.users))


def routes(nodes: NodeList) -> Mapping[int, str]:
    """The blocks of numbers that lead into the overlay, each with its cloud; people outside have none."""
    found = {node.number // nodes.block: node.cloud for node in nodes.nodes}
    found |= {user.number // nodes.block: "" for user in nodes.users}
    return found
