# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the cluster file about the network."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Opening
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabOptions
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, ClusterFileError, parse
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._network import FORWARDED, FORWARDED_PORTS, openings

PROVIDERS = {"lxc": LxcOptions, "stratuslab": StratusLabOptions}


def file(**more: Any) -> dict[str, Any]:
    """A cluster on two clouds, of which one has a public address."""
    return {
        "cluster": "demo",
        "admin_cidrs": ["192.0.2.0/24"],
        "clouds": {"one": {"provider": "lxc", "zone": "a"}, "two": {"provider": "lxc", "zone": "b"}},
        "pools": {
            "master": {"cloud": "one", "count": 1, "roles": ["spark_master"], "public_ip": True},
            "worker": {"cloud": "two", "count": 2, "roles": ["spark_worker"]},
        },
    } | more


def read(**more: Any) -> Cluster:
    return parse(file(**more), {"lxc": LxcOptions})


def faults(**more: Any) -> list[str]:
    with pytest.raises(ClusterFileError) as refused:
        read(**more)
    return refused.value.faults


def on_one_cloud(**more: Any) -> dict[str, Any]:
    pools = {"master": {"cloud": "one", "count": 1, "roles": ["spark_master"]}, "worker": {"cloud": "one", "count": 2, "roles": ["spark_worker"]}}
    return {"pools": pools, **more}


def test_a_cluster_on_several_clouds_has_an_overlay_unless_it_says_otherwise() -> None:
    assert read().overlay is not None
    assert read(overlay=False).overlay is None
    assert read(**on_one_cloud()).overlay is None
    assert read(**on_one_cloud(overlay=True)).overlay is not None
    overlay = read(overlay={"range": "10.50.0.0/16", "port": 443, "inside": "plain"}).overlay
    assert overlay
    assert (overlay.range, overlay.port, overlay.inside) == ("10.50.0.0/16", 443, "plain")


def test_which_clusters_have_an_agent_on_their_nodes() -> None:
    assert read().networked
    assert not read(**on_one_cloud()).networked
    assert read(**on_one_cloud(firewall=[{"ports": [8888]}])).networked
    assert read(**on_one_cloud(firewall=[])).networked  # no further rules
    assert read(**on_one_cloud(names={"data.example": "192.0.2.9"})).networked


def test_a_cluster_with_a_pool_on_a_cloud_that_keeps_nothing_out_has_the_firewall() -> None:
    clouds = {"one": {"provider": "stratuslab", "image": "an-image"}, "two": {"provider": "lxc"}}
    here = {"pools": {"worker": {"cloud": "two", "count": 2}}}
    cluster = parse(file(clouds=clouds, **on_one_cloud()), PROVIDERS)
    assert (cluster.networked, cluster.overlay) == (True, None)
    assert openings(cluster.settings, cluster.pools) == ()
    assert not parse(file(clouds=clouds, **here), PROVIDERS).networked  # the other cloud has no pool


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("yes", "overlay: must be true, false or a mapping, got 'yes'"),
        ({"rang": "10.50.0.0/16"}, "overlay.rang: unknown key; did you mean 'range'?"),
        (
            {"range": "10.50.0.0/24"},
            "overlay.range: must be a private IPv4 network of 4096 to 16777216 addresses such as 10.99.0.0/16, got '10.50.0.0/24'",
        ),
        (
            {"range": "8.8.0.0/16"},
            "overlay.range: must be a private IPv4 network of 4096 to 16777216 addresses such as 10.99.0.0/16, got '8.8.0.0/16'",
        ),
        ({"port": 0}, "overlay.port: must be 1 or more, got 0"),
        ({"port": 52001}, "overlay.port: gateways forward ports 52000 to 64287 to other nodes: choose another port"),
        ({"port": 7999}, "overlay.port: port 7999 is used by the agents of the nodes: choose another port"),
        ({"between": "plain"}, "overlay.between: unknown mode 'plain'; known: forwarded, relayed"),
        ({"inside": "open"}, "overlay.inside: unknown mode 'open'; known: encrypted, plain"),
    ],
)
def test_an_overlay_that_cannot_be(given: Any, fault: str) -> None:
    assert faults(overlay=given) == [fault]


def test_a_range_that_overlaps_with_the_network_of_a_cloud() -> None:
    clouds = {"one": {"provider": "lxc"}, "two": {"provider": "lxc", "zone": "b", "network": "10.99.7.0/24"}}
    assert faults(clouds=clouds) == ["overlay.range: 10.99.0.0/16 overlaps with 10.99.7.0/24 of cloud two; choose another range"]


def test_clouds_without_a_way_to_each_other() -> None:
    pools = {name: {"cloud": cloud, "count": 1} for name, cloud in (("a", "one"), ("b", "two"))}
    (fault,) = faults(pools=pools)
    assert fault == (
        "overlay: clouds one, two cannot reach each other, because no pool with nodes has public_ip: set it for a pool of one of them, "
        "or `overlay: false` if they are routed to each other"
    )
    assert read(pools=pools, overlay=False).overlay is None


def test_a_pool_without_nodes_is_no_way() -> None:
    pools = {name: {"cloud": cloud, "count": 1} for name, cloud in (("a", "one"), ("b", "two"))}
    gate = {"cloud": "one", "count": 0, "public_ip": True, "roles": ["gateway"]}
    assert faults(pools=pools | {"gate": gate}, vpn_users=["ada"]) == [
        faults(pools=pools)[0],
        "vpn_users: no pool with nodes has public_ip, so nobody outside can reach the overlay",
    ]
    assert read(pools={"a": pools["a"], "b": pools["b"] | {"count": 0}, "gate": gate}).overlay  # the other cloud has no nodes


def test_a_cluster_without_nodes_needs_no_way() -> None:
    gate = {"cloud": "one", "count": 0, "public_ip": True, "roles": ["gateway"]}
    assert read(pools={"gate": gate}, vpn_users=["ada"], overlay=True).settings.vpn_users == ("ada",)


def test_the_counts_of_a_run_are_checked_as_those_of_the_file() -> None:
    front = {"cloud": "one", "count": 1, "public_ip": True, "roles": ["load_balancer"]}
    pools = {"front": front, "web": {"cloud": "two", "count": 1}, "more": {"cloud": "two", "count": 1}}
    cluster = read(pools=pools, load_balancer=[{"port": 80, "pool": "web"}])
    with pytest.raises(ClusterFileError) as refused:
        cluster.with_counts({"web": 0})
    assert refused.value.faults == ["load_balancer[0].pool: pool web has no node (count: 0)"]
    with pytest.raises(ClusterFileError) as refused:
        read(pools={**pools, "front": front | {"roles": []}, "here": {"cloud": "one", "count": 1}}).with_counts({"front": 0})
    assert refused.value.faults[0].startswith("overlay: clouds one, two cannot reach each other")
    assert cluster.with_counts(dict.fromkeys(pools, 0)).pools["web"].count == 0  # nothing is left that could be wrong


def test_gateways_have_a_public_address_and_an_overlay() -> None:
    pools = file()["pools"] | {"gate": {"cloud": "one", "count": 2, "roles": ["gateway"]}}
    assert faults(pools=pools) == ["pools.gate.roles: a gateway forwards traffic from outside its cloud: set public_ip: true"]
    pools["gate"]["public_ip"] = True
    assert read(pools=pools).pools["gate"].roles == ("gateway",)
    assert faults(pools=pools, overlay=False) == ["pools.gate.roles: a gateway needs an overlay: set overlay: true"]


def test_people_outside() -> None:
    assert read(vpn_users=["ada", "bob"]).settings.vpn_users == ("ada", "bob")
    assert faults(vpn_users=["ada", "bob", "ada"]) == ["vpn_users[2]: 'ada' is listed twice"]
    assert faults(vpn_users=["Ada"])[0].startswith("vpn_users[0]: must be a user's name")
    assert faults(vpn_users=["ada"], overlay=False) == ["vpn_users: needs `overlay: true`: a profile connects to the overlay"]
    assert faults(**on_one_cloud(vpn_users=["ada"], overlay=True)) == [
        "vpn_users: no pool with nodes has public_ip, so nobody outside can reach the overlay"
    ]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"ports": [0]}, "firewall[0].ports[0]: must be a port from 1 to 65535 or a range such as 8000-8100, got 0"),
        ({"ports": ["90-80"]}, "firewall[0].ports[0]: must be a port from 1 to 65535 or a range such as 8000-8100, got '90-80'"),
        ({"ports": ["http"]}, "firewall[0].ports[0]: must be a port from 1 to 65535 or a range such as 8000-8100, got 'http'"),
        ({"ports": [65536]}, "firewall[0].ports[0]: must be a port from 1 to 65535 or a range such as 8000-8100, got 65536"),
        ({"ports": [True]}, "firewall[0].ports[0]: must be a port from 1 to 65535 or a range such as 8000-8100, got True"),
        ({"ports": [80], "protocol": "icmp"}, "firewall[0].ports: protocol icmp has no ports"),
        ({"ports": [80], "nodes": ["wroker"]}, "firewall[0].nodes[0]: no pool, role or node 'wroker'; did you mean 'worker'?"),
        ({"ports": [80], "nodes": ["demo-worker-00"]}, "firewall[0].nodes[0]: no pool, role or node 'demo-worker-00'; "),
        ({"ports": [80], "nodes": ["hdfs"]}, "firewall[0].nodes[0]: no pool, role or node 'hdfs'; known: "),
        ({"ports": [80], "peers": ["192.0.2.1/24"]}, "firewall[0].peers[0]: '192.0.2.1/24' is not an address, network, pool, role or node; known: "),
        ({"ports": [80], "action": "drop"}, "firewall[0].action: unknown action 'drop'; known: allow, block"),
        ({"action": "block"}, "firewall[0]: blocks ssh, which the controller needs; admin_cidrs says from which networks ssh may be reached"),
        ({"action": "block", "ports": ["20-30"], "peers": ["192.0.2.7"]}, "firewall[0]: blocks ssh, which the controller needs; "),
        (
            {"action": "block", "protocol": "udp"},
            "firewall[0]: blocks UDP port 51820, which the overlay needs: name other ports, or whom to block",
        ),
        ({"action": "block", "protocol": "udp", "peers": ["0.0.0.0/0"]}, "firewall[0]: blocks UDP port 51820, which the overlay needs"),
    ],
)
def test_a_rule_that_cannot_be(rule: dict[str, Any], fault: str) -> None:
    (found,) = faults(firewall=[rule])
    assert found.startswith(fault)


def test_a_rule_that_is_there_twice_is_named_by_its_places() -> None:
    assert faults(firewall=[{"ports": [80]}, {"ports": [81]}, {"ports": [80], "protocol": "tcp"}]) == ["firewall[2]: is the same as firewall[0]"]


@pytest.mark.parametrize("protocol", ["tcp", "udp", "icmp", "any"])
def test_whatever_nodes_begin_can_be_blocked(protocol: str) -> None:
    """The firewall leaves answers, and what the overlay is made with."""
    assert read(firewall=[{"action": "block", "direction": "out", "protocol": protocol}]).networked


def test_names() -> None:
    assert read(names={"data.example": "192.0.2.9", "web": "demo-master-0"}).settings.names == {"data.example": "192.0.2.9", "web": "demo-master-0"}
    assert faults(names={"demo-master-0": "192.0.2.9"}) == ["names.demo-master-0: is the name of a node; choose another name"]
    assert faults(names={"web": "demo-login-0"}) == ["names.web: must be an address or the name of a node such as demo-master-0, got 'demo-login-0'"]


def test_what_is_let_in_from_outside_is_one_list() -> None:
    rules = [
        {"ports": [8888, "9000-9010"], "nodes": ["master"], "peers": ["198.51.100.0/24", "2001:db8::7"]},
        {"protocol": "icmp", "peers": ["any"]},
        {"ports": [80], "peers": ["cluster"]},
        {"ports": [81], "action": "block"},
        {"ports": [82], "direction": "out"},
    ]
    cluster = read(firewall=rules)
    outside = ("198.51.100.0/24", "2001:db8::7/128")
    assert openings(cluster.settings, cluster.pools) == (
        Opening("udp", 51820, 51820),
        Opening("udp", FORWARDED, FORWARDED + FORWARDED_PORTS - 1),
        Opening("tcp", 8888, 8888, outside),
        Opening("tcp", 9000, 9010, outside),
        Opening("icmp"),
    )
    assert openings(read(**on_one_cloud()).settings, read(**on_one_cloud()).pools) == ()


def test_gateways_that_relay_need_one_port_alone() -> None:
    cluster = read(overlay={"port": 53000, "between": "relayed"})
    assert openings(cluster.settings, cluster.pools) == (Opening("udp", 53000, 53000),)
