# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster file may ask of an OpenStack beside the usual: disks that are volumes, nodes that are kept apart, a place, IPv6.

The servers exist in the API only; how ssh is left out of it says `tests/support/campus_clusters.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.sky.clusters.tests.support.campus_clusters import Wanted, cloud_of, ids, must, parts, run_of, said
from ansible_collections.sky.clusters.tests.support.engine_runs import wishes
from ansible_collections.sky.clusters.tests.support.openstack_site import OpenStackSite

pytestmark = [pytest.mark.real, pytest.mark.openstack, pytest.mark.xdist_group("chemistry")]


def test_nodes_boot_from_volumes_of_their_own_apart_from_each_other(campus: OpenStackSite, wanted: Wanted) -> None:
    file = wanted({"w": 2}, "zb", boot_volume=1, anti_affinity=True, availability_zone="nova")
    must(file)
    admin = campus.admin()
    servers = [admin.compute.get_server(identifier) for identifier in ids(file).values()]
    assert [server.availability_zone for server in servers] == ["nova", "nova"]
    disks = [admin.block_storage.get_volume(volume["id"]) for server in servers for volume in server.attached_volumes]
    assert [(disk.size, disk.is_bootable) for disk in disks] == [(1, True), (1, True)]
    (group,) = [group for group in admin.compute.server_groups(all_projects=True) if group.name.startswith("sky-zb-")]
    assert set(group.member_ids) == {server.id for server in servers}
    must(file)  # a second time, nothing is missing
    assert said(file, "absent") == ""
    assert parts(file) == []
    assert [volume.name for disk in disks if (volume := admin.block_storage.find_volume(disk.id))] == []


def test_a_place_that_the_cloud_does_not_have_is_refused(wanted: Wanted) -> None:
    file = wanted({"w": 1}, "zz", availability_zone="nvoa")
    assert "unknown availability zone 'nvoa'; did you mean 'nova'?" in said(file)
    assert parts(file) == []


FAMILIES = {4: "10.88.0.0/24", 6: "fd00:88::/64"}


@pytest.fixture
def network(campus: OpenStackSite, request: pytest.FixtureRequest) -> Iterator[str]:
    """A network with a subnet of each of the wanted families."""
    network = campus.connect("carol").network
    made = network.create_network(name="zx-net")
    try:
        for family in request.param:
            network.create_subnet(network_id=made.id, ip_version=family, cidr=FAMILIES[family])
        yield made.name
    finally:
        network.delete_network(made)


@pytest.mark.parametrize("network", [(4, 6), (6,)], indirect=True, ids=["both", "IPv6 alone"])
def test_nodes_have_ipv6_where_their_network_has_it(campus: OpenStackSite, network: str, request: pytest.FixtureRequest, wanted: Wanted) -> None:
    families = request.node.callspec.params["network"]
    file = wanted({"w": 1}, "zx", network=network)
    file["admin_cidrs"].append("fd00:76::/64")
    must(file)
    run = run_of(file)
    (node,) = cloud_of(run).listing().nodes
    assert sorted(address.family for address in node.addresses) == list(families)
    assert (":" in node.address()) == (4 not in families)
    (group,) = campus.admin().network.security_groups(name="sky-zx")
    rules = {(rule["ethertype"], rule["remote_ip_prefix"]) for rule in group.security_group_rules if rule["direction"] == "ingress"}
    assert rules == {("IPv4", None), ("IPv6", None), ("IPv4", "10.76.0.0/16"), ("IPv6", "fd00:76::/64")}
    assert not run.present(wishes(run)).plan.changes
