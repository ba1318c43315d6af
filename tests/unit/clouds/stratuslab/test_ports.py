# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of the local network, reached at ports of the site's gateway."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, _vms
from ansible_collections.sky.clusters.plugins.module_utils._engine._gateway import Gateway
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import Site
from ansible_collections.sky.clusters.tests.unit.clouds.stratuslab.conftest import spec

Opened = Callable[..., StratusLabCloud]


def opened_with_ports(site: Site, opened: Opened) -> StratusLabCloud:
    host = f"127.0.0.1:{site.plain_port}"
    return opened(network="local", port_translation=True, pat_service_host=host, pat_gateway_host="gate.example.org")


def test_a_node_is_reached_at_the_port_that_the_site_lists(site: Site, opened: Opened) -> None:
    cloud = opened_with_ports(site, opened)
    list(cloud.create([spec(cloud, 0), spec(cloud, 1, public_ip=True)]))
    (first,) = [node for node in cloud.listing().nodes if node.name == "a-p-0"]
    assert (first.address(public=True), first.port) == ("", 0)  # the port comes when the machine starts
    site.services.gateway_ports[first.id] = [("80", "15001"), ("22", "15002")]
    nodes = {node.name: node for node in cloud.listing().nodes}
    inside = nodes["a-p-0"].address()
    assert nodes["a-p-0"].addresses == (Address(inside, 4, "local"), Address("gate.example.org", 4, "local", public=True, port=15002))
    assert nodes["a-p-0"].port == 15002
    assert "-p 15002" in " ".join(Gateway(nodes["a-p-0"], "root").command())
    assert nodes["a-p-1"].port == 0  # it has a public address
    assert [each.network for each in nodes["a-p-1"].addresses] == ["local", "public"]
    # the card with the address outside is the first: it has the default route
    assert [nic["NETWORK"] for nic in _vms.read(cloud.one.vm(int(nodes["a-p-1"].id))).nics] == ["public", "local"]


def test_an_answer_that_is_no_list_of_ports_says_nothing(site: Site, opened: Opened) -> None:
    cloud = opened_with_ports(site, opened)
    list(cloud.create([spec(cloud)]))
    site.services.gateway_ports["x"] = [("22", "many")]
    try:
        with pytest.raises(Unavailable, match="the answer is no list of ports"):
            cloud.listing()
    finally:
        site.services.gateway_ports.clear()


def test_the_service_is_not_asked_where_nobody_needs_it(opened: Opened) -> None:
    cloud = opened(port_translation=True, pat_service_host="127.0.0.1:9")
    list(cloud.create([spec(cloud)]))
    assert len(cloud.listing().nodes) == 1
