# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles vpn and firewall: what they made, after they were applied twice."""

from __future__ import annotations

import re
from typing import Any

import pytest
from testinfra.host import Host

testinfra_hosts = ["ansible://pool_box", "ansible://pool_gate"]
ADDRESSES = {"mol-network-gate-0": "10.99.0.1", "mol-network-box-0": "10.99.0.2"}


def test_the_address_is_that_of_the_overlay(host: Host, variables: dict[str, Any]) -> None:
    name = variables["inventory_hostname"]
    assert variables["sky_address"] == ADDRESSES[name]
    assert ADDRESSES[name] in host.interface("sky0").addresses


def test_names_are_found_and_addresses_too(host: Host) -> None:
    for name, address in ADDRESSES.items():
        assert host.addr(name).ipv4_addresses == [address]
        assert host.check_output(f"getent hosts {address}").split()[1] == name
    assert host.addr("service.example").ipv4_addresses == [ADDRESSES["mol-network-box-0"]]


@pytest.mark.parametrize("unit", ["sky-network", "sky-firewall"])
def test_units_run_now_and_at_boot(host: Host, unit: str) -> None:
    service = host.service(unit)
    assert service.is_running
    assert service.is_enabled


def test_keys_are_readable_by_root_alone(host: Host) -> None:
    assert host.file("/etc/sky/network").mode == 0o700
    for path in host.check_output("find /etc/sky/network -name '*.key'").split():
        assert (host.file(path).mode, host.file(path).user) == (0o600, "root"), path


def test_only_one_node_can_sign_lists(host: Host, variables: dict[str, Any]) -> None:
    assert host.file("/etc/sky/network/sign.key").exists == variables["sky_serves"]


def test_the_firewall_drops_what_is_not_allowed(host: Host) -> None:
    chain = host.check_output("nft list chain inet sky input")
    assert "policy drop" in chain
    sets = host.check_output("nft list set inet sky cluster_v4")
    assert "10.99.0.1-10.99.0.2" in re.sub(r"\s", "", sets) or all(address in sets for address in ADDRESSES.values())


def test_rules_of_the_file_are_those_of_the_node(host: Host, variables: dict[str, Any]) -> None:
    chain = host.check_output("nft list chain inet sky input")
    assert ("tcp dport 8000" in chain) == (variables["sky_pool"] == "box")


def test_only_a_gateway_forwards(host: Host, variables: dict[str, Any]) -> None:
    forwards = host.run("nft list map ip sky_overlay forwards").stdout
    assert ("52002" in forwards) == (variables["sky_pool"] == "gate")


def test_the_agent_answers_members(host: Host) -> None:
    server = next(name for name in ADDRESSES if name.endswith("gate-0"))
    script = f"import socket; socket.create_connection(('{ADDRESSES[server]}', 7999), 3)"
    assert host.run(f'python3 -c "{script}"').rc == 0
