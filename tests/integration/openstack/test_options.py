# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster file may ask of an OpenStack beside the usual: disks that are volumes, nodes that are kept apart, a place.

The servers exist in the API only; how ssh is left out of it says `tests/support/campus_clusters.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.campus_clusters import ids, must, parts, said
from ansible_collections.sky.clusters.tests.support.openstack_site import OpenStackSite

pytestmark = [pytest.mark.real, pytest.mark.openstack, pytest.mark.xdist_group("chemistry")]


def test_nodes_boot_from_volumes_of_their_own_apart_from_each_other(campus: OpenStackSite, wanted: Callable[..., dict[str, Any]]) -> None:
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


def test_a_place_that_the_cloud_does_not_have_is_refused(wanted: Callable[..., dict[str, Any]]) -> None:
    file = wanted({"w": 1}, "zz", availability_zone="nvoa")
    assert "unknown availability zone 'nvoa'; did you mean 'nova'?" in said(file)
    assert parts(file) == []
