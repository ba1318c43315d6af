# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of the local network, reached at ports of the site's gateway."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Node, Scope, State, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, _vms
from ansible_collections.sky.clusters.plugins.module_utils._engine._gateway import Gateway
from ansible_collections.sky.clusters.tests.clouds.stratuslab.gateway import RESERVED
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import PLAIN, Plan, Site, running
from ansible_collections.sky.clusters.tests.support.stratuslab_bench import options_of
from ansible_collections.sky.clusters.tests.unit.clouds.stratuslab.conftest import spec

Opened = Callable[..., StratusLabCloud]


def opened_with_ports(site: Site, opened: Opened) -> StratusLabCloud:
    host = f"127.0.0.1:{site.plain_port}"
    return opened(network="local", port_translation=True, pat_service_host=host, pat_gateway_host="gate.example.org")


def _settled(site: Site, cloud: StratusLabCloud) -> dict[str, Node]:
    """The nodes, once their machines run."""
    end = time.monotonic() + 20
    while not all(site.oned.vms[int(node.id)].running for node in cloud.listing().nodes):
        assert time.monotonic() < end
        time.sleep(0.02)
    return {node.name: node for node in cloud.listing().nodes}


def test_a_node_is_reached_at_the_port_that_the_site_lists(site: Site, opened: Opened) -> None:
    cloud = opened_with_ports(site, opened)
    list(cloud.create([spec(cloud, 0), spec(cloud, 1, public_ip=True)]))
    nodes = _settled(site, cloud)
    site.services.gateway_ports[nodes["a-p-0"].id] = [("80", "15001"), ("22", "15002")]
    nodes = {node.name: node for node in cloud.listing().nodes}
    inside = nodes["a-p-0"].address()
    assert nodes["a-p-0"].addresses == (Address(inside, 4, "local"), Address("gate.example.org", 4, "local", public=True, port=15002))
    assert nodes["a-p-0"].port == 15002
    assert "-p 15002" in " ".join(Gateway(nodes["a-p-0"], "root").command())
    assert nodes["a-p-1"].port == 0  # it has a public address
    assert [each.network for each in nodes["a-p-1"].addresses] == ["local", "public"]
    # the card with the address outside is the first: it has the default route
    assert [nic["NETWORK"] for nic in _vms.read(cloud.one.vm(int(nodes["a-p-1"].id))).nics] == ["public", "local"]


def test_a_port_comes_when_the_machine_starts_and_goes_with_it(tmp_path: Path) -> None:
    """What is sent to it comes to the machine's own server."""
    with socket.create_server(("127.0.0.1", 0)) as sshd, running(tmp_path, _plan(sshd.getsockname()[1])) as site:
        site.publish(PLAIN)
        options = options_of(site, network="local", port_translation=True)
        cloud = StratusLabCloud("lal", options, Scope("a"))
        site.oned.injected.deploys = ["it does not start"]
        list(cloud.create([spec(cloud)]))
        while cloud.listing().nodes[0].state is not State.FAILED:
            time.sleep(0.02)
        assert (cloud.listing().nodes[0].port, site.services.gateway_ports) == (0, {})
        list(cloud.delete(cloud.listing().nodes))
        while cloud.listing().nodes:
            time.sleep(0.02)
        list(cloud.create([spec(cloud)]))
        node = _settled(site, cloud)["a-p-0"]
        assert (node.address(public=True), node.port in RESERVED) == ("127.0.0.1", True)
        with socket.create_connection((node.address(public=True), node.port), timeout=10) as client:
            inside, _address = sshd.accept()
            with inside:
                inside.sendall(b"SSH-2.0-inside")
                client.sendall(b"SSH-2.0-outside")
                assert (client.recv(100), inside.recv(100)) == (b"SSH-2.0-inside", b"SSH-2.0-outside")
        list(cloud.delete([node]))
        while cloud.listing().nodes:
            time.sleep(0.02)
        assert site.services.gateway_ports == {}
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", node.port), timeout=10)


def _plan(ssh_port: int) -> Plan:
    return Plan(networks={"public": ["10.0.0.2"], "local": ["127.0.0.1"], "private": ["10.2.0.2"]}, ssh_port=ssh_port)


def test_an_answer_that_is_no_list_of_ports_says_nothing(site: Site, opened: Opened) -> None:
    cloud = opened_with_ports(site, opened)
    list(cloud.create([spec(cloud)]))
    site.services.gateway_ports["x"] = [("22", "many")]
    try:
        with pytest.raises(Unavailable, match="the answer is no list of ports"):
            cloud.listing()
    finally:
        del site.services.gateway_ports["x"]


def test_the_service_is_not_asked_where_nobody_needs_it(opened: Opened) -> None:
    cloud = opened(port_translation=True, pat_service_host="127.0.0.1:9")
    list(cloud.create([spec(cloud)]))
    assert len(cloud.listing().nodes) == 1
