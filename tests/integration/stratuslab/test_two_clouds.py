# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster, from one file, on a StratusLab site and on this machine: a Spark job runs on both, over the overlay.

On the site only the master has an address outside: the other node is reached through it, by ssh and in the overlay. HDFS and a batch system, with
their data on volumes, run there beside Spark.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.site import Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import spark

from .conftest import entry

pytestmark = [pytest.mark.real]

ZONE = "tslmix"


@pytest.fixture
def site(lal: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """What was on the machine before is there after, and nothing else."""
    before = machine_state(ZONE)
    content = spark(ZONE, 1, public_ip=True)
    content["admin_cidrs"] = ["10.73.0.0/22"]
    content["clouds"]["lal"] = entry(lal, "bob", network="local")
    heads, members = ["hdfs_namenode", "nfs_server", "torque_server"], ["hdfs_datanode", "nfs_client", "torque_node"]
    master = {"cloud": "lal", "public_ip": True, "flavor": "m1.large", "volumes": {"hdfs": 1, "nfs": 1, "torque": 1}}
    content["pools"]["master"] |= master | {"roles": [*heads, "spark_master"]}
    far = {"cloud": "lal", "count": 1, "flavor": "m1.medium", "roles": [*members, "spark_worker"], "volumes": {"hdfs": 1}}
    content["pools"]["far"] = far
    made = Site(tmp_path_factory.mktemp("mix"), ZONE, content)
    yield made
    assert "nothing of it is left" in made.must("destroy", *made.with_data).output
    assert machine_state(ZONE) == before


def test_a_job_runs_on_two_clouds(site: Site, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    played = site.must("cluster", seconds=400)
    figure(f"Spark, HDFS and a batch system on 2 machines of a StratusLab site, Spark on 1 of this machine too: {time.monotonic() - began:.0f} s")
    assert "tasks on 2 worker(s)" in played.output
    assert "4 MiB written, read and compared on each of 1 DataNode(s)" in played.output
    assert re.search(r"proved by a job: (MPI )?on 1 node\(s\)", played.output), played.last(60)
    far, here = f"{ZONE}-far-0", f"{ZONE}-worker-0"
    assert site.ssh(far, "findmnt -n -o TARGET /data/hdfs").split() == ["/data/hdfs"]
    hosts = site.inventory()["_meta"]["hostvars"]
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
