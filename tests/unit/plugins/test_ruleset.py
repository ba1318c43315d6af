# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall of a node as text. That nftables accepts it, and what it lets in, real nodes show."""

from __future__ import annotations

from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcOptions
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, parse
from ansible_collections.sky.clusters.plugins.module_utils._views._network import absent, content, in_range, serving_pool, settings, without_ipv4
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
        'iifname != "sky0" udp dport 51820 ip saddr @underlay_v4 counter name overlay accept',
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
    blocked = "ct direction original meta nfproto ipv4 tcp dport { 7077 } counter name rule_1 drop"
    assert found.index(blocked) < found.index("ct state established,related counter name established accept")
    assert "ip saddr { 198.51.100.7/32 } counter name rule_4 accept" in found  # its place in the file, not among those of workers
    assert rules("worker", "output", firewall=given)[-2:] == [
        "ct direction original meta nfproto ipv4 meta l4proto icmp counter name rule_2 drop",
        "ct direction original meta nfproto ipv6 meta l4proto ipv6-icmp counter name rule_2 drop",
    ]
    assert not any("7077" in line for line in rules("gate", firewall=given))
    assert rules("gate", "output", firewall=given) == []


BLOCK_IN = {"action": "block", "protocol": "udp", "ports": ["1-1024"]}
BALANCE = {"port": 80, "pool": "web"}
BLOCK_OUT = {"action": "block", "direction": "out", "protocol": "any"}


def test_blocks_leave_answers_and_what_the_cluster_is_made_with() -> None:
    found = rules("worker", firewall=[BLOCK_IN])
    before = found[: found.index("ct direction original meta nfproto ipv4 udp dport { 1-1024 } counter name rule_0 drop")]
    assert {
        'iifname "lo" accept',
        "ct state related icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } counter name echo accept",
        "udp sport 67 udp dport 68 accept",
        "ip saddr @cluster_v4 meta l4proto { tcp, udp } th dport 7999 accept",
        "ip6 saddr @cluster_v6 meta l4proto { tcp, udp } th dport 7999 accept",
        "ip saddr @cluster_v4 tcp dport 22 accept",
        "ip6 saddr @cluster_v6 tcp dport 22 accept",
        "ip saddr @cluster_v4 icmp type echo-request accept",
        'iifname != "sky0" udp dport 51820 ip saddr @cluster_v4 counter name overlay accept',
    } < {*before}
    assert any("nd-neighbor-solicit" in line for line in before)


def test_blocks_of_what_leaves_spare_ssh_the_loopback_and_the_tunnels() -> None:
    found = rules("worker", "output", firewall=[BLOCK_OUT])
    assert found[:3] == ["type filter hook output priority filter; policy accept;", 'oifname "lo" accept', "tcp sport 22 accept"]
    before = found[: found.index("ct direction original meta nfproto ipv4 counter name rule_0 drop")]
    assert {
        "udp sport 68 udp dport 67 accept",
        'oifname != "sky0" udp sport 51820 accept',
        "ip daddr @cluster_v4 meta l4proto { tcp, udp } th dport 7999 accept",
        "ip daddr @cluster_v4 tcp dport 22 accept",
        "ip daddr @cluster_v4 icmp type echo-request accept",
    } < {*before}
    alone = rules("box", "output", pools={"box": {"cloud": "one", "count": 1}}, firewall=[BLOCK_OUT], overlay=False)
    assert not any("51820" in line or "echo-request" in line for line in alone)


def test_rules_are_counted_by_their_place_in_the_file_on_every_node() -> None:
    pools = {
        "front": {"cloud": "one", "count": 1, "roles": ["load_balancer"], "public_ip": True},
        "web": {"cloud": "two", "count": 1},
    }
    file = {"pools": pools, "firewall": [{"ports": [1], "nodes": ["web"]}, {"ports": [2], "nodes": ["front"]}], "load_balancer": [BALANCE]}
    counted = {pool: [rule["counter"] for rule in settings(cluster(**file), pool, f"demo-{pool}-0")["rules"]] for pool in pools}
    assert counted == {"front": ["rule_1", "load_balancer_0"], "web": ["rule_0"]}


def test_gateways_forward_and_others_do_not() -> None:
    assert rules("worker", "forward") == []
    assert rules("gate", "forward")[0] == "type filter hook forward priority filter; policy drop;"
    assert [line for line in rules("gate", "forward") if "dnat" in line] == ['iifname != "sky0" ip saddr @underlay_v4 ct status dnat accept']


def test_a_cluster_without_an_overlay_has_no_rules_of_one() -> None:
    pools = {"box": {"cloud": "one", "count": 1}}
    text = ruleset(settings(cluster(pools=pools, overlay=False, firewall=[{"ports": [80]}]), "box", "demo-box-0"))
    assert "sky0" not in text
    assert "10.99" not in text
    assert "underlay" not in text


def node(pool: str, index: int, number: int, *, is_public: bool = False, serves: bool = False) -> tuple[str, dict[str, Any]]:
    address = f"10.90.1.{number % 256}"
    private = {"address": address, "family": 4, "public": False, "port": 0}
    addresses = [private] + [private | {"public": True}] * is_public
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


def test_a_node_behind_a_translated_port_has_no_public_address() -> None:
    """Its gateway forwards ssh alone, and may be known by a name."""
    name, variables = node("worker", 0, 257)
    outside = {"address": "gate.example.org", "family": 4, "public": True, "port": 10022}
    found = content(cluster(), {name: variables | {"sky_addresses": [outside, *variables["sky_addresses"]]}})
    assert [(each["public"], each["addresses"], each["gateway"]) for each in found["nodes"]] == [("", ["10.90.1.1"], False)]


def test_nodes_without_ipv4_cannot_be_in_an_overlay() -> None:
    name, variables = node("worker", 0, 257)
    nodes = dict([node("gate", 0, 2), (name, variables | {"sky_cloud_address": "2001:db8::7"})])
    assert without_ipv4(cluster(), nodes) == ["demo-worker-0"]
    assert without_ipv4(cluster(overlay=False), nodes) == []


def test_nodes_whose_addresses_are_in_the_range_cannot_be_in_an_overlay() -> None:
    """Of a cloud whose networks the file does not say."""
    name, variables = node("gate", 0, 2, is_public=True)
    public = variables["sky_addresses"][1] | {"address": "10.99.7.1"}
    found = dict([node("worker", 0, 257), (name, variables | {"sky_addresses": [variables["sky_addresses"][0], public]})])
    assert in_range(cluster(), found) == ["demo-gate-0 (10.99.7.1)"]
    assert in_range(cluster(), found | {name: variables | {"sky_addresses": [public | {"port": 22}]}}) == []
    assert in_range(cluster(overlay=False), found) == []


def test_nodes_that_the_file_names_and_that_do_not_exist_are_named() -> None:
    """No index is impossible: of three nodes the first one may have been removed."""
    rule = {"ports": [80], "nodes": ["demo-worker-1", "worker"], "peers": ["demo-gate-7", "spark_master", "192.0.2.7"]}
    found = cluster(firewall=[rule], names={"db": "demo-worker-1", "web": "demo-worker-99", "out": "192.0.2.7"})
    assert absent(found, ["demo-worker-1"]) == ["firewall[0] (demo-gate-7)", "names.web (demo-worker-99)"]
    assert absent(cluster(), []) == []


def test_the_list_says_how_gateways_are_passed_only_where_the_file_does() -> None:
    """Agents of earlier versions refuse a list with what they do not know."""
    plain, relayed = cluster(), cluster(overlay={"port": 443, "between": "relayed"})
    nodes = dict([node("gate", 0, 2, is_public=True)])
    assert content(plain, nodes)["overlay"] == {"range": "10.99.0.0/16", "port": 51820, "inside": "encrypted"}
    wanted = {"range": "10.99.0.0/16", "port": 443, "inside": "encrypted", "between": "relayed"}
    assert content(relayed, nodes)["overlay"] == settings(relayed, "gate", "demo-gate-0")["overlay"] == wanted


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
