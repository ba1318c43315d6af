# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Spark cluster, from one file, on a StratusLab site and on this machine: a job runs on both, over the overlay.

On the site only the master has an address outside: the other node is reached through it, by ssh and in the overlay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.site import Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import spark
from ansible_collections.sky.clusters.tests.support.stratuslab_site import entry

pytestmark = [pytest.mark.real]

ZONE = "tslmix"


@pytest.fixture
def site(lal: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """What was on the machine before is there after, and nothing else."""
    before = machine_state(ZONE)
    content = spark(ZONE, 1, public_ip=True)
    content["admin_cidrs"] = ["10.73.0.0/22"]
    content["clouds"]["lal"] = entry(lal, "bob", network="local")
    content["pools"]["master"]["cloud"] = "lal"
    content["pools"]["master"]["public_ip"] = True
    content["pools"]["far"] = {"cloud": "lal", "count": 1, "roles": ["spark_worker"]}
    made = Site(tmp_path_factory.mktemp("mix"), ZONE, content)
    yield made
    assert "nothing of it is left" in made.must("destroy", *made.with_data).output
    assert machine_state(ZONE) == before


def test_a_job_runs_on_two_clouds(site: Site, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    played = site.must("spark_cluster", seconds=400)
    figure(f"a Spark cluster of 2 machines on a StratusLab site and 1 node of this machine, to its job's result: {time.monotonic() - began:.0f} s")
    assert "tasks on 2 worker(s)" in played.output
    hosts = site.inventory()["_meta"]["hostvars"]
    far, here = f"{ZONE}-far-0", f"{ZONE}-worker-0"
    assert {name: each["sky_cloud"] for name, each in hosts.items()} == {
        f"{ZONE}-master-0": "lal",
        far: "lal",
        here: "here",
    }
    assert [address["network"] for address in hosts[far]["sky_addresses"]] == ["local"]
    assert "ProxyCommand" in hosts[far]["ansible_ssh_common_args"]
    # each cloud has a block of numbers of its own, and what has a number is reached at the address that follows from it
    assert {hosts[name]["sky_number"] // 256 for name in hosts if name != here} != {hosts[here]["sky_number"] // 256}
    for one, other in ((here, far), (far, here)):
        assert site.ssh(one, f"getent hosts {other}").split()[0] == hosts[other]["sky_address"]
        assert "reached" in site.ssh(one, f"timeout 5 bash -c '</dev/tcp/{other}/22' && echo reached")
