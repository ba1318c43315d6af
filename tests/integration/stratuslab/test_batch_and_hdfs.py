# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HDFS and a batch system on a StratusLab site alone: a job writes to both, and all of it is there again on new machines."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, StratusLabOptions
from ansible_collections.sky.clusters.tests.clouds.stratuslab import main as site_of
from ansible_collections.sky.clusters.tests.support.site import Site
from ansible_collections.sky.clusters.tests.support.spark_jobs import shell
from ansible_collections.sky.clusters.tests.support.stratuslab_site import entry

pytestmark = [pytest.mark.real, pytest.mark.chained]

CLUSTER = "tslhpc"
HEAD, NODES = f"{CLUSTER}-head-0", [f"{CLUSTER}-node-0", f"{CLUSTER}-node-1"]
USER, USER_FILE = "sky", site_of.STATE / "erin.cfg"
UNPROVED = ("-e", '{"torque_proof_nodes": [], "hdfs_proof_datanodes": []}')
# Both nodes say their names; the first writes them, and a file of more than one packet, into HDFS
JOB = """
mpirun hostname | sort > hosts
head -c 20000000 /dev/urandom > data
hdfs dfs -put -f hosts data /user/sky/
sha256sum < data
"""
READ = "cat job.out; hdfs dfs -cat /user/sky/hosts; hdfs dfs -cat /user/sky/data | sha256sum; hdfs fsck /user/sky | grep -o 'is HEALTHY'"
Figure = Callable[[str], None]


@pytest.fixture(scope="module")
def site(lal: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One cluster for the whole file: the head serves names and the home, the nodes compute and keep blocks."""
    heads, members = ["hdfs_namenode", "nfs_server", "torque_server"], ["hdfs_datanode", "nfs_client", "torque_node"]
    content = {
        "plugin": "sky.clusters.clouds",
        "cluster": CLUSTER,
        "admin_cidrs": ["10.73.0.0/22"],
        "clouds": {"lal": entry(lal, "erin", disks_bus="ide")},  # which has no place for three volumes beside the context disk
        "pools": {
            "head": {"cloud": "lal", "count": 1, "roles": heads, "public_ip": True, "volumes": {"hdfs": 1, "nfs": 1, "torque": 1}},
            "node": {"cloud": "lal", "count": 2, "roles": members, "volumes": {"hdfs": 1}},
        },
    }
    made = Site(tmp_path_factory.mktemp("hpc"), CLUSTER, content)
    yield made
    made.must("destroy", *made.with_data)


def cloud(lal: dict[str, Any]) -> StratusLabCloud:
    options = StratusLabOptions(image=lal["images"]["stratus-12"], user_file=str(USER_FILE), ca_file=lal["ca_file"])
    return StratusLabCloud("lal", options, Scope(CLUSTER))


def as_user(site: Site, script: str) -> str:
    """What a script of the cluster's user says, on the head."""
    done = subprocess.run(f"{shell(site, HEAD, USER)} bash -ls", shell=True, input=script, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    return done.stdout


def test_both_are_built_and_proved(site: Site, figure: Figure) -> None:
    began = time.monotonic()
    built = site.must("cluster", seconds=400)
    figure(f"HDFS and a batch system of 3 machines on a StratusLab site, to their proofs: {time.monotonic() - began:.0f} s")
    assert "proved by a job: MPI on 2 node(s)" in built.output
    assert "4 MiB written, read and compared on each of 2 DataNode(s)" in built.output
    assert set(site.must("cluster").changed.values()) == {0}


@pytest.fixture(scope="module")
def written(site: Site) -> tuple[int, str]:
    """The number of a job, and what it has left in the home and in HDFS."""
    lines = f"qsub -l nodes=2,walltime=00:03:00 -j oe -o job.out <<'END_OF_JOB'\n{JOB}\nEND_OF_JOB\n"
    wait = "for i in $(seq 100); do [ -s job.out ] && break; sleep 1; done\n"
    job, _line, left = as_user(site, lines + wait + READ).partition("\n")
    return int(job.partition(".")[0]), left


def test_a_job_on_both_nodes_writes_to_its_home_and_to_hdfs(written: tuple[int, str]) -> None:
    of_job, *hosts, of_file, healthy = written[1].splitlines()
    assert of_job == of_file
    assert (hosts, healthy) == (NODES, "is HEALTHY")


def test_home_queue_and_files_outlive_the_machines(site: Site, lal: dict[str, Any], written: tuple[int, str], figure: Figure) -> None:
    assert "kept" in site.must("destroy").output
    kept = sorted(f"volume {name}" for name in (*(f"{HEAD}-{volume}" for volume in ("hdfs", "nfs", "torque")), *(f"{node}-hdfs" for node in NODES)))
    assert [part for part in sorted(cloud(lal).leftovers()) if not part.startswith("template")] == kept
    began = time.monotonic()
    site.must("cluster", *UNPROVED, seconds=400)
    figure(f"HDFS and the batch system destroyed, and built again on their volumes: {time.monotonic() - began:.0f} s")
    job, left = written
    assert as_user(site, f"{READ}; qsub -h <<<true | cut -d. -f1") == f"{left}{job + 1}\n"


def test_nothing_is_left(site: Site, lal: dict[str, Any]) -> None:
    assert "nothing of it is left" in site.must("destroy", *site.with_data).output
    assert cloud(lal).leftovers() == []
    assert cloud(lal).pdisk.disks() == []
