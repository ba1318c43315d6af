# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a security group, as a real cloud tells them and as they should be."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._group import Rule, existing, wanted
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import record

GROUP: dict[str, Any] = record("security_groups")["standing"]
CIDRS = ("192.0.2.0/24",)


def with_rule(**rule: Any) -> dict[str, Any]:
    blank = dict.fromkeys(("protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id"))
    fresh = {"id": "new", "direction": "ingress", "ethertype": "IPv4"} | blank | rule
    return GROUP | {"security_group_rules": [*GROUP["security_group_rules"], fresh]}


def test_what_was_made_is_what_is_wanted() -> None:
    found = existing(GROUP)
    assert found.keys() == wanted(GROUP["id"], CIDRS)
    assert found[Rule("IPv4", "tcp", 22, 22, cidr="192.0.2.0/24")] == "434a05aa-da9b-4d13-a2c8-0ec26a0dc5d9"


def test_what_goes_out_is_none_of_our_business() -> None:
    kinds = {rule["direction"] for rule in GROUP["security_group_rules"]}
    assert kinds == {"ingress", "egress"}
    assert len(existing(GROUP)) == 3


@pytest.mark.parametrize(
    "rule",
    [
        {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "0.0.0.0/0"},
        {"protocol": "tcp", "port_range_min": 22, "port_range_max": 8080, "remote_ip_prefix": "192.0.2.0/24"},
        {"protocol": "udp", "port_range_min": 22, "port_range_max": 22, "remote_ip_prefix": "192.0.2.0/24"},
        {"remote_ip_prefix": "192.0.2.0/24"},
        {"remote_group_id": "another"},
        {},
    ],
)
def test_every_rule_of_somebody_else_s_is_seen(rule: dict[str, Any]) -> None:
    extra = existing(with_rule(**rule)).keys() - wanted(GROUP["id"], CIDRS)
    assert len(extra) == 1
    assert existing(with_rule(**rule))[extra.pop()] == "new"


def test_networks_are_compared_as_networks() -> None:
    """Neutron gives back what it was given, and keeps the bits of a host."""
    rule = {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22, "ethertype": "IPv6", "remote_ip_prefix": "2001:DB8:0:0::1/32"}
    assert existing(with_rule(**rule)).keys() == wanted(GROUP["id"], (*CIDRS, "2001:db8::/32"))


def test_a_rule_is_created_as_it_is_listed() -> None:
    for rule in wanted(GROUP["id"], (*CIDRS, "2001:db8::/32")):
        body = rule.body(GROUP["id"])["security_group_rule"]
        assert existing({"security_group_rules": [body | {"id": "x"}]}) == {rule: "x"}
        assert body["security_group_id"] == GROUP["id"]


def test_rules_as_people_read_them() -> None:
    assert sorted(map(str, wanted("g", CIDRS))) == [
        "everything from group g (IPv4)",
        "everything from group g (IPv6)",
        "tcp 22 from 192.0.2.0/24 (IPv4)",
    ]
    assert str(Rule("IPv6", "udp", 1, 65535)) == "udp 1 to 65535 from anywhere (IPv6)"
    assert str(Rule("IPv4", "icmp")) == "icmp from anywhere (IPv4)"
