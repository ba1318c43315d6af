# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Spark cluster over two zones of this machine that are isolated from each other: the shortest way through overlay, firewall and names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.sky.clusters.tests.integration.walk.systems import PACKAGES
from ansible_collections.sky.clusters.tests.support.site import Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import spark

pytestmark = [pytest.mark.real]

NEAR, FAR = "twalka", "twalkb"
MASTER, WORKER = f"{NEAR}-master-0", f"{NEAR}-worker-0"


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The master on the one, the worker on the other, which has no address outside."""
    before = machine_state(NEAR), machine_state(FAR)
    content = spark(NEAR, 1, {"public_ip": True}, cloud="there") | {"admin_cidrs": ["192.0.2.0/24"]}
    content["clouds"]["here"]["packages"] = list(PACKAGES)  # one image for the whole walk
    content["overlay"] = {"port": 443}  # as at a site that lets few ports out
    content["clouds"]["there"] = content["clouds"]["here"] | {"zone": FAR}
    made = Site(tmp_path_factory.mktemp("zones"), NEAR, content)
    yield made
    assert "nothing of it is left" in made.must("destroy", *made.with_data).output
    assert (machine_state(NEAR), machine_state(FAR)) == before


def test_a_job_runs_over_two_zones(site: Site, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    built = site.must("spark_cluster")
    figure(f"a Spark cluster of 2 nodes over two zones, to its job's result: {time.monotonic() - began:.0f} s")
    assert "tasks on 1 worker(s)" in built.output
    hosts = site.inventory()["_meta"]["hostvars"]
    assert {name: each["sky_address"] for name, each in hosts.items()} == {MASTER: "10.99.0.1", WORKER: "10.99.1.1"}
    shown = site.must("network").output
    assert "whole: yes" in shown, shown
    assert set(site.must("spark_cluster").changed.values()) == {0}
