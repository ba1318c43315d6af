# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key of the cluster file about the load balancer: its ports, and the pools whose nodes answer there. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._base._schema import Choice, Faults, Integer, ListOf, Struct, Text, hint, option, shown
from .._systems._load_balancer import BALANCER
from .._systems._table import ROLES
from ._network import AGENT_PORT, ANY, File, FirewallRule, Network, check_peers

SSH = 22


@dataclass(frozen=True)
class Balance:
    """One port of the load balancer."""

    port: int = option(Integer(1, 65535), "TCP port of the load balancer")
    pool: str = option(Text(), "pool whose nodes answer")
    target_port: int | None = option(Integer(1, 65535), "TCP port of these nodes; the same port if not given", default=None)
    mode: str = option(
        Choice(("leastconn", "roundrobin", "source"), "mode"),
        "which node a connection goes to: the one with the fewest, the next one, or always the same for an address",
        default="leastconn",
    )
    protocol: str = option(Choice(("http", "tcp"), "protocol"), "whether it passes on HTTP requests or TCP connections", default="tcp")
    check: str = option(
        Text(r"(/[!-~]*)?", "a path such as /health"),
        "path that a healthy node answers with a status of 2xx or 3xx; if empty, it is enough that the node accepts connections",
        default="",
    )
    peers: tuple[str, ...] = option(ListOf(Text()), "who may use it: addresses, networks, pools, roles, nodes, `cluster` or `any`", default=(ANY,))

    @property
    def target(self) -> int:
        return self.target_port or self.port


@dataclass(frozen=True)
class Balancing(Network):
    """The keys of the file about the network, with those of the load balancer."""

    load_balancer: tuple[Balance, ...] = option(ListOf(Struct(Balance)), "ports of the load balancer, and the pools behind them", default=())

    @property
    def counted_rules(self) -> tuple[tuple[str, FirewallRule], ...]:
        opened = (FirewallRule(nodes=(BALANCER,), ports=(str(entry.port),), peers=entry.peers) for entry in self.load_balancer)
        return (*super().counted_rules, *((f"load_balancer_{place}", rule) for place, rule in enumerate(opened)))

    def balances(self, cluster: str, roles: Collection[str]) -> list[dict[str, Any]]:
        """What a node of these roles needs to know, as plain data: nothing unless it is the load balancer's."""
        return [
            {
                "port": entry.port, "nodes": f"{cluster}-{entry.pool}-", "target": entry.target, "mode": entry.mode, "protocol": entry.protocol,
                "check": entry.check,
            }
            for entry in self.load_balancer
            if BALANCER in roles
        ]  # fmt: skip

    def fronts(self, pool: str) -> list[str]:
        """The Ansible roles that lead traffic to the nodes of a pool, and stop doing so before one of them is drained."""
        return [BALANCER] if any(entry.pool == pool for entry in self.load_balancer) else []


def check_balancing(settings: Balancing, file: File, faults: Faults) -> None:
    """What no single entry can know."""
    own = [name for name, pool in file.pools.items() if BALANCER in pool.roles]
    if own and not settings.load_balancer:
        faults.add(f"pools.{own[0]}.roles", f"{BALANCER} has nothing to balance: add its ports to load_balancer")
    if settings.load_balancer and not any(file.pools[name].count for name in own):
        faults.add("load_balancer", f"no node has the role {BALANCER}: give it to a pool with one node")
    ports: set[int] = set()
    for place, entry in enumerate(settings.load_balancer):
        path = f"load_balancer[{place}]"
        _check_pool(entry, path, own, file, faults)
        if entry.port in ports:
            faults.add(f"{path}.port", f"port {entry.port} is listed twice")
        elif entry.port in (SSH, AGENT_PORT):
            faults.add(f"{path}.port", f"port {entry.port} is used by {'ssh' if entry.port == SSH else 'the agents of the nodes'}")
        ports.add(entry.port)
        check_peers(entry.peers, path, file, faults)


def _check_pool(entry: Balance, path: str, own: list[str], file: File, faults: Faults) -> None:
    pool = file.pools.get(entry.pool)
    if pool is None:
        faults.add(f"{path}.pool", f"no pool {shown(entry.pool)}{hint(entry.pool, list(file.pools))}")
    elif not pool.count:
        faults.add(f"{path}.pool", f"pool {entry.pool} has no node (count: 0)")
    elif entry.pool in own and entry.target == entry.port:
        faults.add(f"{path}.target_port", f"the load balancer itself uses port {entry.port} of the nodes of {entry.pool}: choose another one")


def ports_taken(pools: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any], given: Collection[str]) -> Iterator[str]:
    """Ports of the load balancer that a service of its own nodes has by default: known before any node is made.

    Args:
        pools: those of the file, as they were written.
        settings: its other keys.
        given: variables that are set somewhere; of these only a node knows the value.
    """
    for place, entry in enumerate(settings.get("load_balancer") or ()):
        for name, pool in pools.items():
            roles = pool.get("roles") or []
            services = [(role, *item) for role in roles if BALANCER in roles and role in ROLES for item in ROLES[role].ports.items()]
            for role, variable, port in services:
                if port == int(entry["port"]) and variable not in given:
                    where = f"is used by {role} on the nodes of pool {name}"
                    yield f"load_balancer[{place}].port: port {port} {where}: choose another one, or set {variable}"
