# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the cluster file about the network between nodes: overlay, people outside, firewall rules and names. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from .._base._schema import Choice, Faults, Flag, Integer, ListOf, MapOf, Struct, Text, hint, option, schema, shown, step
from .._clouds._contract import Opening

BLOCK = 256  # numbers that a cloud gets at a time; each block is one route
FORWARDED = 52000  # first UDP port that gateways forward to nodes
FORWARDED_PORTS = 12288
INTERFACE = "sky0"
AGENT_PORT = 7999  # TCP and UDP, between the nodes of a cluster
ANY, CLUSTER = "any", "cluster"  # what a firewall rule may name besides pools, roles, nodes and addresses
EVERYTHING = ("0.0.0.0/0", "::/0")
WITH_PORTS = ("tcp", "udp")
GATEWAY = "gateway"

USER_NAME = Text(r"[a-z][a-z0-9_-]*", "a user's name (a-z, 0-9, _ and -, a letter first)", 32)
HOST_NAME = Text(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", "a host name in lower case", 253)


@dataclass(frozen=True)
class OverlayRange:
    """A private IPv4 network with room for the nodes of several clouds."""

    def parse(self, value: Any, path: str, faults: Faults) -> str | None:
        wanted = "must be a private IPv4 network of 4096 to 16777216 addresses such as 10.99.0.0/16"
        try:
            network = ipaddress.IPv4Network(str(value)) if isinstance(value, str) else None
        except ValueError as error:
            faults.add(path, f"{wanted}, got {shown(value)} ({error})")
            return None
        if network is None or not 8 <= network.prefixlen <= 20 or not (network.is_private or network.subnet_of(SHARED_SPACE)):
            faults.add(path, f"{wanted}, got {shown(value)}")
            return None
        return str(network)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "description": "a private IPv4 network such as 10.99.0.0/16"}


SHARED_SPACE = ipaddress.IPv4Network("100.64.0.0/10")


@dataclass(frozen=True)
class Ports:
    """A port, or a range of ports such as ``8000-8100``."""

    def parse(self, value: Any, path: str, faults: Faults) -> str | None:
        found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", str(value)) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last <= 65535:
            faults.add(path, f"must be a port from 1 to 65535 or a range such as 8000-8100, got {shown(value)}")
            return None
        return str(first) if first == last else f"{first}-{last}"

    def schema(self) -> dict[str, Any]:
        return {"oneOf": [Integer(1, 65535).schema(), {"type": "string", "pattern": r"^\d{1,5}(-\d{1,5})?$"}]}


@dataclass(frozen=True)
class Overlay:
    """The encrypted network between all nodes."""

    range: str = option(OverlayRange(), "addresses of the nodes in it", default="10.99.0.0/16")
    port: int = option(Integer(1, 65535), "UDP port of every node", default=51820)
    inside: str = option(
        Choice(("encrypted", "plain"), "mode"), "whether traffic between nodes of the same cloud is encrypted as well", default="encrypted"
    )
    between: str = option(
        Choice(("forwarded", "relayed"), "mode"),
        "what gateways do with traffic between clouds: forward it, at a UDP port for each node, or decrypt and encrypt it again, at one port for all",
        default="forwarded",
    )
    wanted: bool | None = None  # None: if the pools are on more than one cloud

    @property
    def network(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(self.range)

    @property
    def forwarded(self) -> bool:
        """Whether gateways have a UDP port for each node."""
        return self.between == "forwarded"


class OverlayKind:
    """``overlay: true``, ``overlay: false`` or ``overlay: {range: 10.50.0.0/16}``."""

    def parse(self, value: Any, path: str, faults: Faults) -> Overlay | None:
        if isinstance(value, bool):
            return Overlay(wanted=value)
        if not isinstance(value, Mapping):
            faults.add(path, f"must be true, false or a mapping, got {shown(value)}")
            return None
        found: Overlay | None = Struct(Overlay).parse(value, path, faults)
        return None if found is None else replace(found, wanted=True)

    def schema(self) -> dict[str, Any]:
        return {"oneOf": [Flag().schema(), schema(Overlay)]}


@dataclass(frozen=True)
class FirewallRule:
    """One rule of the nodes' firewall, in addition to those that every cluster has."""

    action: str = option(Choice(("allow", "block"), "action"), "what happens to the traffic", default="allow")
    direction: str = option(Choice(("in", "out"), "direction"), "whether it arrives at the nodes or leaves them", default="in")
    nodes: tuple[str, ...] = option(ListOf(Text()), "pools, roles or nodes that have the rule; all nodes if empty", default=())
    protocol: str = option(Choice(("tcp", "udp", "icmp", "any"), "protocol"), "protocol", default="tcp")
    ports: tuple[str, ...] = option(ListOf(Ports()), "ports, or ranges such as 8000-8100; all ports if empty", default=())
    peers: tuple[str, ...] = option(ListOf(Text()), "the other side: addresses, networks, pools, roles, nodes, `cluster` or `any`", default=(ANY,))


@dataclass(frozen=True)
class Network:
    """The keys of the file about the network. :class:`Settings` extends this."""

    overlay: Overlay | None = option(
        OverlayKind(), "encrypted network between all nodes; if not given, where pools are on several clouds", default=None
    )
    vpn_users: tuple[str, ...] = option(ListOf(USER_NAME), "people outside who may join the overlay", default=())
    firewall: tuple[FirewallRule, ...] | None = option(
        ListOf(Struct(FirewallRule)),
        "further rules of the nodes' firewall; they have it with an empty list, too",
        default=None,
    )
    names: dict[str, str] = option(
        MapOf(HOST_NAME, Text()), "further host names that every node knows, each with an address or a node's name", default_factory=dict
    )

    @property
    def counted_rules(self) -> tuple[tuple[str, FirewallRule], ...]:
        """The rules of the file, and those that follow from its other keys, each with its counter, which is named by its place there."""
        return tuple((f"rule_{place}", rule) for place, rule in enumerate(self.firewall or ()))

    @property
    def rules(self) -> tuple[FirewallRule, ...]:
        return tuple(rule for _counter, rule in self.counted_rules)


class PoolLike(Protocol):
    """What the checks need of a pool."""

    @property
    def cloud(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def roles(self) -> tuple[str, ...]: ...
    @property
    def public_ip(self) -> bool: ...


@dataclass(frozen=True)
class File:
    """What the checks need of the cluster file."""

    name: str
    pools: Mapping[str, PoolLike]
    networks: Mapping[str, Iterable[str]]  # networks that each cloud is known to use
    settings: Network
    nodes: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        pools = "|".join(map(re.escape, self.pools)) or "(?!)"
        object.__setattr__(self, "nodes", re.compile(rf"{re.escape(self.name)}-({pools})-(0|[1-9][0-9]*)"))

    @property
    def roles(self) -> list[str]:
        return sorted({role for pool in self.pools.values() for role in pool.roles})


def overlay_of(settings: Network, pools: Mapping[str, PoolLike]) -> Overlay | None:
    """The overlay of a cluster; None if it has none."""
    overlay = settings.overlay or Overlay()
    wanted = len({pool.cloud for pool in pools.values()}) > 1 if overlay.wanted is None else overlay.wanted
    return overlay if wanted else None


def network_of(settings: Network, pools: Mapping[str, PoolLike]) -> bool:
    """Whether the nodes of a cluster have a firewall, names and an agent of their own because of what the file says of the network."""
    return settings.firewall is not None or bool(overlay_of(settings, pools) or settings.rules or settings.names)


def check(file: File, faults: Faults) -> None:
    """What no single key of the network can know."""
    overlay = overlay_of(file.settings, file.pools)
    if overlay:
        _check_port(overlay, faults)
        _check_range(overlay, file, faults)
        _check_ways(file, faults)
    elif file.settings.vpn_users:
        faults.add("vpn_users", "needs `overlay: true`: a profile connects to the overlay")
    _check_gateways(file, overlay, faults)
    if overlay and file.settings.vpn_users and any(pool.count for pool in file.pools.values()) and not _has_public_node(file):
        faults.add("vpn_users", "no pool with nodes has public_ip, so nobody outside can reach the overlay")
    for place, rule in enumerate(file.settings.firewall or ()):
        _check_rule(rule, f"firewall[{place}]", file, faults)
        _check_block(rule, f"firewall[{place}]", overlay, faults)
    for name, target in file.settings.names.items():
        _check_name(name, target, file, faults)


def _check_port(overlay: Overlay, faults: Faults) -> None:
    if overlay.forwarded and FORWARDED <= overlay.port < FORWARDED + FORWARDED_PORTS:
        faults.add("overlay.port", f"gateways forward ports {FORWARDED} to {FORWARDED + FORWARDED_PORTS - 1} to other nodes: choose another port")
    elif overlay.port == AGENT_PORT:
        faults.add("overlay.port", f"port {AGENT_PORT} is used by the agents of the nodes: choose another port")


def _check_range(overlay: Overlay, file: File, faults: Faults) -> None:
    for cloud, networks in file.networks.items():
        for network in networks:
            other = ipaddress.ip_network(network)
            if other.version == 4 and other.overlaps(overlay.network):
                faults.add("overlay.range", f"{overlay.range} overlaps with {network} of cloud {cloud}; choose another range")


def _check_ways(file: File, faults: Faults) -> None:
    """Nodes of a cloud without a public address start the tunnels; two such clouds meet at a node of a third."""
    clouds = sorted({pool.cloud for pool in file.pools.values() if pool.count})
    if len(clouds) > 1 and not _has_public_node(file):
        faults.add(
            "overlay",
            f"clouds {', '.join(clouds)} cannot reach each other, because no pool with nodes has public_ip: set it for a pool of one of them, "
            "or `overlay: false` if they are routed to each other",
        )


def _has_public_node(file: File) -> bool:
    return any(pool.count and pool.public_ip for pool in file.pools.values())


def _check_gateways(file: File, overlay: Overlay | None, faults: Faults) -> None:
    for name, pool in file.pools.items():
        if GATEWAY in pool.roles and not pool.public_ip:
            faults.add(f"pools.{name}.roles", "a gateway forwards traffic from outside its cloud: set public_ip: true")
        elif GATEWAY in pool.roles and not overlay:
            faults.add(f"pools.{name}.roles", "a gateway needs an overlay: set overlay: true")


def _check_rule(rule: FirewallRule, path: str, file: File, faults: Faults) -> None:
    if rule.ports and rule.protocol not in WITH_PORTS:
        faults.add(f"{path}.ports", f"protocol {rule.protocol} has no ports")
    for place, name in enumerate(rule.nodes):
        if not _is_known(name, file):
            faults.add(f"{path}.nodes[{place}]", f"no pool, role or node {shown(name)}{hint(name, [*file.pools, *file.roles])}")
    check_peers(rule.peers, path, file, faults)


def _check_block(rule: FirewallRule, path: str, overlay: Overlay | None, faults: Faults) -> None:
    """What others begin is blocked before anything is let in, so a block must leave what the cluster itself is made with."""
    if rule.action != "block" or rule.direction != "in":
        return
    if rule.protocol in ("tcp", "any") and _has(rule.ports, 22) and any(name == ANY or _is_address(name) for name in rule.peers):
        faults.add(path, "blocks ssh, which the controller needs; admin_cidrs says from which networks ssh may be reached")
    elif overlay and rule.protocol == "udp" and {ANY, *EVERYTHING} & {*rule.peers} and _has(rule.ports, overlay.port):
        faults.add(path, f"blocks UDP port {overlay.port}, which the overlay needs: name other ports, or whom to block")


def check_peers(peers: Iterable[str], path: str, file: File, faults: Faults) -> None:
    """Names of the other side of a rule."""
    for place, name in enumerate(peers):
        if name not in (ANY, CLUSTER) and not _is_known(name, file) and not _is_address(name):
            known = [ANY, CLUSTER, *file.pools, *file.roles]
            faults.add(f"{path}.peers[{place}]", f"{shown(name)} is not an address, network, pool, role or node{hint(name, known)}")


def _has(ports: Iterable[str], port: int) -> bool:
    """Whether a port is among these; none means all."""
    listed = [tuple(map(int, item.split("-"))) for item in ports]
    return not listed or any(item[0] <= port <= item[-1] for item in listed)


def _is_known(name: str, file: File) -> bool:
    return name in file.pools or name in file.roles or file.nodes.fullmatch(name) is not None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _check_name(name: str, target: str, file: File, faults: Faults) -> None:
    path = step("names", name)
    if file.nodes.fullmatch(name) or name == "localhost":
        faults.add(path, "is the name of a node; choose another name")
    if not file.nodes.fullmatch(target) and not (_is_address(target) and "/" not in target):
        faults.add(path, f"must be an address or the name of a node such as {file.name}-{next(iter(file.pools), 'pool')}-0, got {shown(target)}")


def openings(settings: Network, pools: Mapping[str, PoolLike]) -> tuple[Opening, ...]:
    """What is let in from outside the cluster, besides ssh."""
    found = []
    overlay = overlay_of(settings, pools)
    if overlay:
        found += [Opening("udp", first, last) for first, last in overlay_ports(overlay)]
    for rule in settings.rules:
        outside = [peer for peer in rule.peers if peer == ANY or _is_address(peer)]
        if rule.action != "allow" or rule.direction != "in" or not outside:
            continue
        cidrs = () if ANY in outside else tuple(str(ipaddress.ip_network(peer)) for peer in outside)
        protocol = "" if rule.protocol == "any" else rule.protocol
        for item in rule.ports or ("",):
            first, _dash, last = item.partition("-")
            found.append(Opening(protocol, int(first or 0), int(last or first or 0), cidrs))
    return tuple(dict.fromkeys(found))


def overlay_ports(overlay: Overlay) -> list[tuple[int, int]]:
    """The UDP ports of the overlay, first and last of each range: the clouds' security groups and the nodes' firewalls let them in."""
    return [(overlay.port, overlay.port), *([(FORWARDED, FORWARDED + FORWARDED_PORTS - 1)] if overlay.forwarded else [])]
