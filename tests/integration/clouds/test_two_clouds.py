# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster, from one file, with a pool on OpenStack and a pool on this machine: made, reached, looked at, changed and taken away together.

Without an overlay between the two, which the part ``network`` tests on local clouds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support import openstack_site
from ansible_collections.sky.clusters.tests.support.bare import bare, containers, ids
from ansible_collections.sky.clusters.tests.support.openstack_site import HERE, OpenStackSite, cloud_entry
from ansible_collections.sky.clusters.tests.support.site import Site, machine_state

pytestmark = [pytest.mark.real, pytest.mark.openstack]

ZONE = "tmix"


def content(far: int, near: int) -> dict[str, Any]:
    """So many nodes on OpenStack, and so many on this machine."""
    file = bare(ZONE, "mix", near)
    file["admin_cidrs"] = [HERE]
    file["overlay"] = False
    file["clouds"]["campus"] = cloud_entry(flavor="node.tiny")
    file["pools"]["far"] = {"cloud": "campus", "count": far, "public_ip": True}
    return file


@pytest.fixture(scope="module")
def campus() -> OpenStackSite:
    """The test cloud, started if it does not run."""
    return openstack_site.running()


@pytest.fixture
def site(campus: OpenStackSite, tmp_path: Path) -> Iterator[Site]:
    """What was on the machine and in the project before is there after, and nothing else."""
    before = machine_state(ZONE), campus.objects("physics")
    made = Site(tmp_path, "mix", content(1, 1), campus.environment("alice"))
    yield made
    made.must("destroy", *made.with_data)
    assert (machine_state(ZONE), campus.objects("physics")) == before


def test_one_file_makes_a_cluster_of_two_clouds(site: Site, campus: OpenStackSite, figure: Callable[[str], None]) -> None:
    began = monotonic()
    site.must("cluster")
    figure(f"a cluster of a real host on OpenStack and a node of this machine: {monotonic() - began:.0f} s")
    hosts = site.inventory()["_meta"]["hostvars"]
    assert {name: each["sky_cloud"] for name, each in hosts.items()} == {"mix-box-0": "here", "mix-far-0": "campus"}
    assert {name: site.ssh(name, "hostname").strip() for name in hosts} == {name: name for name in hosts}
    assert set(site.must("cluster").changed.values()) == {0}
    first = ids(site)
    site.content = content(1, 2)
    site.must("cluster")
    assert {name: ids(site)[name] for name in first} == first
    assert containers(ZONE) == ["mix-box-0", "mix-box-1"]
    # a cloud that does not answer is no cloud without nodes: nothing is concluded from it, and nothing is deleted
    site.environment["OS_CLIENT_CONFIG_FILE"] = "/nonexistent"
    refused = site.play("cluster", "-e", '{"sky_counts": {"box": 1}}')
    assert refused.code != 0
    assert "campus" in refused.last(8)
    assert containers(ZONE) == ["mix-box-0", "mix-box-1"]
    site.environment.update(campus.environment("alice"))
    assert "nothing of it is left" in site.must("destroy", *site.with_data).output
