# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes need to know of the network: the settings of one, and the list of all. Plain data. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from .._cluster_file._cluster import Cluster
from .._cluster_file._network import AGENT_PORT, ANY, BLOCK, CLUSTER, FORWARDED, FORWARDED_PORTS, GATEWAY, FirewallRule, Overlay
from .._engine._numbers import address_of
from .._systems._table import heads

OWN_GATEWAYS = 2  # nodes with a public address that forward for a cloud where no pool has the role gateway


def serving_pool(cluster: Cluster) -> str:
    """The pool whose first node serves the list: the first one with a head, else the first one with nodes."""
    pools = [name for name, pool in cluster.pools.items() if pool.count]
    return next((name for name in pools if heads(cluster.pools[name].roles)), pools[0] if pools else "")


def settings(cluster: Cluster, pool: str, node: str) -> dict[str, Any]:
    """The settings of a node's network; empty if the cluster's nodes have none."""
    if not cluster.networked:
        return {}
    overlay = cluster.overlay
    shared = {"overlay": _overlay(overlay)}
    if pool not in cluster.pools:  # its nodes are drained, over the network as they have it
        return shared
    roles = cluster.pools[pool].roles
    return shared | {
        "admin": _admin(cluster, pool),
        "gateway": bool(overlay and cluster.pools[pool].public_ip),
        "rules": [
            _rule(rule, cluster) | {"counter": counter}
            for counter, rule in cluster.settings.counted_rules
            if not rule.nodes or {pool, node, *roles} & {*rule.nodes}
        ],
    }


def _overlay(overlay: Overlay | None) -> dict[str, Any] | None:
    """The overlay as nodes need to know it. Agents of earlier versions, which only forward, read it as long as nothing else is asked for."""
    if overlay is None:
        return None
    found = {"range": overlay.range, "port": overlay.port, "inside": overlay.inside}
    return found if overlay.forwarded else found | {"between": overlay.between}


def _admin(cluster: Cluster, pool: str) -> list[str]:
    """The networks from which ssh is let in; from anywhere if empty."""
    cidrs = cluster.settings.admin_cidrs
    options = cluster.clouds[cluster.pools[pool].cloud].options
    return [*cidrs, *(options.networks() if cidrs and options.reaches_all else ())]  # the controller is on the nodes' own network


def _rule(rule: FirewallRule, cluster: Cluster) -> dict[str, Any]:
    """A rule with the other side sorted: networks, and sets that the nodes' agents fill."""
    found: dict[str, Any] = {key: value for key, value in asdict(rule).items() if key in ("action", "direction", "protocol")}
    sets, cidrs = [], []
    for peer in rule.peers:
        if peer == CLUSTER:
            sets.append(CLUSTER)
        elif peer in cluster.pools:
            sets.append(f"pool_{peer}")
        elif any(peer in pool.roles for pool in cluster.pools.values()):
            sets.append(f"role_{peer}")
        elif peer.startswith(f"{cluster.name}-"):
            sets.append(f"node_{peer}")
        elif peer != ANY:
            cidrs.append(str(ipaddress.ip_network(peer)))
    return found | {"ports": list(rule.ports), "any": ANY in rule.peers, "cidrs": cidrs, "sets": sets}


def without_ipv4(cluster: Cluster, nodes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The nodes that an overlay cannot have: between its nodes, tunnels are IPv4."""
    return sorted(name for name, variables in nodes.items() if cluster.overlay and ":" in variables["sky_cloud_address"])


def in_range(cluster: Cluster, nodes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The nodes with an address that the overlay would hide: of some clouds, networks are known only from the nodes on them."""
    if cluster.overlay is None:
        return []
    known = [(name, each) for name, variables in sorted(nodes.items()) for each in variables["sky_addresses"]]
    own = [(name, each["address"]) for name, each in known if each["family"] == 4 and not each["port"]]  # with a port it is a gateway's
    return [f"{name} ({address})" for name, address in own if ipaddress.IPv4Address(address) in cluster.overlay.network]


def absent(cluster: Cluster, nodes: Container[str]) -> list[str]:
    """Where the file names nodes that do not exist: which indices there are is known only from the nodes."""
    named = [(f"firewall[{place}]", name) for place, rule in enumerate(cluster.settings.firewall or ()) for name in (*rule.nodes, *rule.peers)]
    named += [(f"names.{name}", target) for name, target in cluster.settings.names.items()]
    return [f"{path} ({name})" for path, name in named if name.startswith(f"{cluster.name}-") and name not in nodes]


def content(cluster: Cluster, nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The list of the nodes, but for their keys and its serial number.

    Args:
        nodes: variables of the hosts that are in it, by name.
    """
    members = [_member(name, variables, cluster) for name, variables in sorted(nodes.items(), key=lambda item: (item[1]["sky_number"], item[0]))]
    _choose_gateways(members)
    overlay = cluster.overlay
    last = overlay.network.num_addresses // BLOCK - 1 if overlay else 0
    gateways = [member["name"] for member in members if member["gateway"]]
    return {
        "cluster": cluster.name,
        "overlay": _overlay(overlay),
        "port": AGENT_PORT,
        "block": BLOCK,
        "forwarded": FORWARDED,
        "forwarded_ports": FORWARDED_PORTS,
        "nodes": members,
        "people": {"names": list(cluster.settings.vpn_users), "first": last * BLOCK + 1, "gateway": gateways[0] if gateways else ""},
        "names": dict(cluster.settings.names),
    }


def _member(name: str, variables: Mapping[str, Any], cluster: Cluster) -> dict[str, Any]:
    addresses = [each for each in variables["sky_addresses"] if not each["port"]]  # what has a port is a gateway's that forwards ssh alone
    public = [each["address"] for each in addresses if each["public"] and each["family"] == 4]
    return {
        "name": name,
        "number": variables["sky_number"],
        "cloud": variables["sky_cloud"],
        "address": variables["sky_cloud_address"],
        "addresses": [each["address"] for each in addresses if not each["public"]] or [variables["sky_cloud_address"]],
        "public": public[0] if public else "",
        "pool": variables["sky_pool"],
        "roles": list(variables["sky_roles"]) if variables["sky_pool"] in cluster.pools else [],  # not known of a pool that the file no longer has
        "gateway": False,
        "server": bool(variables["sky_serves"]),
    }


def _choose_gateways(members: Iterable[dict[str, Any]]) -> None:
    """The nodes of the role gateway; in a cloud without one the first nodes that have a public address."""
    by_cloud: dict[str, list[dict[str, Any]]] = {}
    for member in members:
        if member["public"]:
            by_cloud.setdefault(member["cloud"], []).append(member)
    for found in by_cloud.values():
        own = [member for member in found if GATEWAY in member["roles"]] or found[:OWN_GATEWAYS]
        for member in own:
            member["gateway"] = True


def address(cluster: Cluster, number: int, cloud_address: str) -> str:
    """The address that the services of a node use."""
    return (address_of(cluster.overlay, number) if cluster.overlay else "") or cloud_address
