# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall of a node as text. That nftables accepts it, and what it lets in, real nodes show."""

from __future__ import annotations

from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcOptions
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, parse
from ansible_collections.sky.clusters.plugins.module_utils._views._network import content, serving_pool, settings
from ansible_collections.sky.clusters.plugins.plugin_utils._ruleset import ruleset


def cluster(**more: Any) -> Cluster:
    file = {
        "cluster": "demo",
        "admin_cidrs": ["192.0.2.0/24", "2001:db8::/32"],
        "clouds": {"one": {"provider": "lxc", "zone": "a", "network": "10.90.1.0/24"}, "two": {"provider": "lxc", "zone": "b"}},
        "pools": {
            "gate": {"cloud": "one", "count": 3, "public_ip": True},
            "master": {"cloud": "one", "count": 1, "roles": ["spark_master"]},
            "worker": {"cloud": "two", "count": 2, "roles": ["spark_worker"]},
        },
    }
    return parse(file | more, {"lxc": LxcOptions})


def rules(pool: str, chain: str = "input", **more: Any) -> list[str]:
    """The rules of one chain of the first node of a pool."""
    text = ruleset(settings(cluster(**more), pool, f"demo-{pool}-0"))
    inside = text.split(f"  chain {chain} {{\n")[1].split("  }\n")[0] if f"  chain {chain} {{" in text else ""
    return [line.strip() for line in inside.splitlines()]


def test_everything_that_is_not_allowed_is_dropped() -> None:
    found = rules("worker")
    assert found[0] == "type filter hook input priority filter; policy drop;"
    assert found[-1] == "counter name dropped drop"
    accepting = [line for line in found if line.endswith("accept") and "icmp" not in line and "dport 68" not in line and "dport 546" not in line]
    assert accepting == [
        'iifname "lo" accept',
        "ct state established,related counter name established accept",
        "tcp dport 22 ip saddr @admin_v4 counter name ssh accept",
        "tcp dport 22 ip6 saddr @admin_v6 counter name ssh accept",
        'iifname != "sky0" udp dport { 51820, 52000-64287 } ip saddr @underlay_v4 counter name overlay accept',
        'iifname "sky0" ip saddr @users_v4 counter name users accept',
        "ip saddr @cluster_v4 counter name cluster accept",
        "ip6 saddr @cluster_v6 counter name cluster accept",
    ]


def test_addresses_of_the_overlay_come_from_the_overlay_alone() -> None:
    assert rules("worker")[2:4] == [
        'iifname != "sky0" ip saddr 10.99.0.0/16 counter name spoofed drop',
        'iifname "sky0" ip saddr != 10.99.0.0/16 counter name spoofed drop',
    ]


def test_ssh_is_let_in_from_where_the_file_says_and_from_the_controller_s_own_network() -> None:
    text = ruleset(settings(cluster(), "master", "demo-master-0"))
    assert "set admin_v4 { type ipv4_addr; flags interval; auto-merge; elements = { 192.0.2.0/24, 10.90.1.0/24 }; }" in text
    assert "set admin_v6 { type ipv6_addr; flags interval; auto-merge; elements = { 2001:db8::/32 }; }" in text
    pools = {"box": {"cloud": "one", "count": 1}}
    anywhere = ruleset(settings(cluster(pools=pools, admin_cidrs=[], overlay=True), "box", "demo-box-0"))
    assert "elements = { 0.0.0.0/0 }" in anywhere


def test_rules_of_the_file() -> None:
    given = [
        {"ports": [8888, "9000-9010"], "peers": ["198.51.100.0/24", "2001:db8::7", "worker", "spark_master", "demo-gate-1", "cluster"]},
        {"ports": [7077], "action": "block", "nodes": ["spark_worker"], "peers": ["any"]},
        {"protocol": "icmp", "action": "block", "direction": "out", "nodes": ["demo-worker-0"]},
        {"ports": [80], "nodes": ["gate"]},
        {"protocol": "any", "peers": ["198.51.100.7"], "nodes": ["worker"]},
    ]
    found = rules("worker", firewall=given)
    ports = "tcp dport { 8888, 9000-9010 } counter name rule_0 accept"
    assert [line for line in found if "rule_0" in line] == [
        f"ip saddr {{ 198.51.100.0/24 }} {ports}",
        f"ip saddr @pool_worker_v4 {ports}",
        f"ip saddr @role_spark_master_v4 {ports}",
        f"ip saddr @node_demo__gate__1_v4 {ports}",
        f"ip saddr @cluster_v4 {ports}",
        f"ip6 saddr {{ 2001:db8::7/128 }} {ports}",
        f"ip6 saddr @pool_worker_v6 {ports}",
        f"ip6 saddr @role_spark_master_v6 {ports}",
        f"ip6 saddr @node_demo__gate__1_v6 {ports}",
        f"ip6 saddr @cluster_v6 {ports}",
    ]
    blocked = "meta nfproto ipv4 tcp dport { 7077 } counter name rule_1 drop"
    assert found.index(blocked) < found.index("ct state established,related counter name established accept")
    assert "ip saddr { 198.51.100.7/32 } counter name rule_3 accept" in found  # the third that applies to workers, after 0, 1 and 2
    assert rules("worker", "output", firewall=given)[1:] == [
        "meta nfproto ipv4 meta l4proto icmp counter name rule_2 drop",
        "meta nfproto ipv6 meta l4proto ipv6-icmp counter name rule_2 drop",
    ]
    assert not any("7077" in line for line in rules("gate", firewall=given))
    assert rules("gate", "output", firewall=given) == []


def test_gateways_forward_and_others_do_not() -> None:
    assert rules("worker", "forward") == []
    assert rules("gate", "forward")[0] == "type filter hook forward priority filter; policy drop;"
    assert "ct status dnat accept" in rules("gate", "forward")


def test_a_cluster_without_an_overlay_has_no_rules_of_one() -> None:
    pools = {"box": {"cloud": "one", "count": 1}}
    text = ruleset(settings(cluster(pools=pools, overlay=False, firewall=[{"ports": [80]}]), "box", "demo-box-0"))
    assert "sky0" not in text
    assert "10.99" not in text
    assert "underlay" not in text


def node(pool: str, index: int, number: int, *, is_public: bool = False, serves: bool = False) -> tuple[str, dict[str, Any]]:
    address = f"10.90.1.{number % 256}"
    addresses = [{"address": address, "family": 4, "public": False}] + [{"address": address, "family": 4, "public": True}] * is_public
    return f"demo-{pool}-{index}", {
        "sky_number": number, "sky_cloud": "two" if pool == "worker" else "one", "sky_cloud_address": address, "sky_addresses": addresses,
        "sky_pool": pool, "sky_roles": [], "sky_serves": serves,
    }  # fmt: skip


def test_the_list_of_the_nodes() -> None:
    nodes = dict([node("worker", 0, 257), node("gate", 2, 4, is_public=True), node("gate", 0, 2, is_public=True), node("gate", 1, 3, is_public=True)])
    found = content(cluster(vpn_users=["ada"], names={"web": "demo-gate-0"}), nodes | dict([node("master", 0, 1, serves=True)]))
    assert [(each["name"], each["gateway"], each["server"]) for each in found["nodes"]] == [
        ("demo-master-0", False, True),
        ("demo-gate-0", True, False),
        ("demo-gate-1", True, False),
        ("demo-gate-2", False, False),  # two of a cloud are enough
        ("demo-worker-0", False, False),
    ]
    assert found["people"] == {"names": ["ada"], "first": 65281, "gateway": "demo-gate-0"}
    assert found["names"] == {"web": "demo-gate-0"}


def test_the_list_is_served_by_the_first_head() -> None:
    assert serving_pool(cluster()) == "master"
    assert serving_pool(cluster(pools={"box": {"cloud": "one", "count": 0}, "bag": {"cloud": "one", "count": 1}})) == "bag"


def test_nodes_of_a_pool_that_the_file_no_longer_has_keep_their_network_while_they_leave() -> None:
    assert settings(cluster(), "old", "demo-old-0") == {"overlay": {"range": "10.99.0.0/16", "port": 51820, "inside": "encrypted"}}
    assert settings(cluster(pools={"box": {"cloud": "one", "count": 1}}), "old", "demo-old-0") == {}
    name, variables = node("old", 0, 5, is_public=True)
    leaving = {name: variables | {"sky_roles": ["gateway", "spark_master"]}}  # every role, since nobody knows
    found = content(cluster(), dict([node("gate", 0, 2, is_public=True)]) | leaving)
    assert [(each["name"], each["roles"], each["gateway"]) for each in found["nodes"]] == [("demo-gate-0", [], True), ("demo-old-0", [], True)]
