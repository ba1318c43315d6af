# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load balancer in the cluster file."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Mark, Node, Opening, State
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcOptions
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, ClusterFileError, parse
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._load_balancer import ports_taken
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._network import openings
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import host
from ansible_collections.sky.clusters.plugins.module_utils._views._network import settings

FRONT = {"cloud": "here", "count": 1, "roles": ["load_balancer"], "public_ip": True}
WEB = {"cloud": "here", "count": 2}


def read(*entries: dict[str, Any], **pools: Any) -> Cluster:
    file = {
        "cluster": "demo",
        "admin_cidrs": ["192.0.2.0/24"],
        "clouds": {"here": {"provider": "lxc"}},
        "pools": {"front": FRONT, "web": WEB} | pools,
        "load_balancer": list(entries),
    }
    return parse(file, {"lxc": LxcOptions})


def faults(*entries: dict[str, Any], **pools: Any) -> list[str]:
    with pytest.raises(ClusterFileError) as refused:
        read(*entries, **pools)
    return refused.value.faults


ENTRY = {"port": 80, "pool": "web", "target_port": 8080}


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"pool": "wep"}, "load_balancer[0].pool: no pool 'wep'; did you mean 'web'?"),
        ({"port": 22}, "load_balancer[0].port: port 22 is used by ssh"),
        ({"port": 7999}, "load_balancer[0].port: port 7999 is used by the agents of the nodes"),
        ({"port": 0}, "load_balancer[0].port: must be 1 or more, got 0"),
        ({"mode": "random"}, "load_balancer[0].mode: unknown mode 'random'; known: leastconn, roundrobin, source"),
        ({"check": "health"}, "load_balancer[0].check: must be a path such as /health, got 'health'"),
        ({"check": "/a b"}, "load_balancer[0].check: must be a path such as /health, got '/a b'"),
        ({"peers": ["wep"]}, "load_balancer[0].peers[0]: 'wep' is not an address, network, pool, role or node; did you mean 'web'?"),
        (
            {"pool": "front", "target_port": 80},
            "load_balancer[0].target_port: the load balancer itself uses port 80 of the nodes of front: choose another one",
        ),
    ],
)
def test_an_entry_that_cannot_be(entry: dict[str, Any], fault: str) -> None:
    assert faults(ENTRY | entry) == [fault]


def test_a_port_is_balanced_once() -> None:
    assert faults(ENTRY, ENTRY | {"pool": "front"}) == ["load_balancer[1].port: port 80 is listed twice"]


def test_a_pool_without_nodes_is_refused() -> None:
    assert faults(ENTRY, web=WEB | {"count": 0}) == ["load_balancer[0].pool: pool web has no node (count: 0)"]


def test_role_and_ports_need_each_other() -> None:
    assert faults() == ["pools.front.roles: load_balancer has nothing to balance: add its ports to load_balancer"]
    nobody = ["load_balancer: no node has the role load_balancer: give it to a pool with one node"]
    assert faults(ENTRY, front=FRONT | {"roles": []}) == nobody
    assert faults(ENTRY, front=FRONT | {"count": 0}) == nobody
    assert faults(ENTRY, front=FRONT | {"count": 2}) == ["pools.front.count: the load balancer needs exactly one load_balancer, got 2"]


def test_firewall_and_security_groups_let_in_whom_an_entry_names() -> None:
    cluster = read(ENTRY | {"peers": ["198.51.100.0/24", "web"]}, {"port": 81, "pool": "web"})
    assert cluster.networked
    assert openings(cluster.settings, cluster.pools) == (Opening("tcp", 80, 80, ("198.51.100.0/24",)), Opening("tcp", 81, 81))
    rules = settings(cluster, "front", "demo-front-0")["rules"]
    assert [(rule["ports"], rule["cidrs"], rule["sets"], rule["any"]) for rule in rules] == [
        (["80"], ["198.51.100.0/24"], ["pool_web"], False),
        (["81"], [], [], True),
    ]
    assert settings(cluster, "web", "demo-web-0")["rules"] == []


def test_what_nodes_know_of_it() -> None:
    cluster = read(ENTRY | {"check": "/", "protocol": "http"})

    def variables(pool: str) -> dict[str, Any]:
        return host(Node(f"demo-{pool}-0", "1", Mark("o", "demo", pool, 0), State.RUNNING), "here", cluster).variables

    assert variables("front")["sky_balances"] == [
        {"port": 80, "nodes": "demo-web-", "target": 8080, "mode": "leastconn", "protocol": "http", "check": "/"}
    ]
    assert (variables("web")["sky_balances"], variables("web")["sky_fronts"]) == ([], ["load_balancer"])
    assert variables("front")["sky_fronts"] == []


def test_a_port_of_the_load_balancer_that_a_service_of_its_nodes_has() -> None:
    pools = {"front": {"roles": ["load_balancer", "spark_master"]}, "work": {"roles": ["spark_worker"]}, "bare": {}}
    balances = [{"port": 80}, {"port": 8080}, {"port": 8081}]
    sentence = "load_balancer[1].port: port 8080 is used by spark_master on the nodes of pool front: choose another one, or set spark_master_ui_port"
    assert list(ports_taken(pools, {"load_balancer": balances}, set())) == [sentence]
    assert list(ports_taken(pools, {"load_balancer": balances}, {"spark_master_ui_port"})) == []  # the nodes that have it are looked at
    assert list(ports_taken(pools, {}, set())) == []
