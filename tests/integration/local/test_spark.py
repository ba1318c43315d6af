# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark cluster on this machine, used as its users would: built, proved, given jobs, resized under load, broken, taken away."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.site import Played, Site, machine_state

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("first")]

ZONE = "tspark"
JOB = """
import sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("resized").getOrCreate()
def slow(number):
    time.sleep(0.5)
    return number
print("answer", spark.sparkContext.parallelize(range(int(sys.argv[1])), int(sys.argv[1])).map(slow).sum())
"""


def content(workers: int) -> dict[str, Any]:
    flavors = {"node": {"cores": 1, "memory": 1536}}
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": "tspark",
        "clouds": {
            "here": {"provider": "lxc", "zone": ZONE, "packages": ["openjdk-17-jre-headless"], "flavors": flavors, "flavor": "node"},
        },
        "pools": {
            "master": {"cloud": "here", "count": 1, "roles": ["spark_master"]},
            "worker": {"cloud": "here", "count": workers, "roles": ["spark_worker"]},
        },
    }


@pytest.fixture(scope="module")
def first(site: Site) -> Played:
    """The first run."""
    return site.must("spark_cluster")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One cluster for the whole file: each test takes it as the one before left it, but for its own sizes."""
    before = machine_state(ZONE)
    made = Site(tmp_path_factory.mktemp("spark"), "tspark", content(2))
    yield made
    made.must("destroy", "-e", "sky_destroy_data=true")
    assert machine_state(ZONE) == before


def test_the_first_run_proves_the_cluster_and_says_how_to_use_it(first: Played) -> None:
    said = first.output
    assert "Spark is ready: 2 worker(s), master tspark-master-0" in said
    assert "tasks on 2 worker(s)" in said
    assert max(tasks for host, tasks in first.tasks.items() if "worker" in host) <= 40
    login = next(line.strip() for line in said.splitlines() if line.strip().startswith("ssh ") and " -N " not in line)
    answer = subprocess.run(f"{login} whoami", shell=True, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert answer.stdout.strip() == "sky", answer.stderr


def test_a_second_run_changes_nothing_and_visits_the_server_alone(site: Site) -> None:
    played = site.must("spark_cluster")
    assert set(played.changed.values()) == {0}
    assert set(played.changed) == {"localhost", "tspark-master-0"}


def test_a_job_of_the_clusters_user_survives_growth_and_shrinking(site: Site) -> None:
    """2 -> 4 -> 1 workers while a job runs: its answer stays right."""
    site.ssh("tspark-master-0", f"cat > /home/sky/job.py <<'END'\n{JOB}\nEND")
    job = submit(site, "job.py 400")
    site.must("spark_cluster", "-e", '{"sky_counts": {"worker": 4}}')
    assert site.hosts("spark_worker") == [f"tspark-worker-{index}" for index in range(4)]
    site.must("spark_cluster", "-e", '{"sky_counts": {"worker": 1}}')
    assert site.hosts("spark_worker") == ["tspark-worker-0"]
    output, _none = job.communicate(timeout=300)
    assert f"answer {sum(range(400))}" in output, output


def test_a_cluster_that_cannot_run_a_job_fails_the_play_with_the_reason(site: Site) -> None:
    site.must("spark_cluster")
    address = site.inventory()["_meta"]["hostvars"]["tspark-worker-1"]["sky_address"]
    site.ssh("tspark-worker-1", "systemctl stop spark-worker")
    played = site.play("spark_cluster", "-e", "spark_proof_force=true", "-e", "spark_proof_seconds=20")
    assert played.code != 0
    assert address in played.last(8), played.last(30)
    assert set(site.must("spark_cluster", "-e", "sky_full=true").changed) == {"localhost", "tspark-master-0", "tspark-worker-0", "tspark-worker-1"}


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # a node of this test
        return str(answer.read(), "utf-8")


def submit(site: Site, arguments: str) -> subprocess.Popen[str]:
    """Start a job as the cluster's user, and wait until the cluster runs it."""
    host = site.inventory()["_meta"]["hostvars"]["tspark-master-0"]
    command = f"ssh {host['ansible_ssh_common_args']} sky@{host['ansible_host']} spark-submit {arguments}"
    job = subprocess.Popen(command, shell=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 90
    while "resized" not in page(f"http://{host['sky_address']}:8080/json/activeapps"):
        if time.monotonic() > deadline:
            raise TimeoutError("the cluster did not take the job")
        time.sleep(1)
    return job
