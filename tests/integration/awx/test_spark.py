# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark cluster of one node in jobs as AWX runs them: from answers, and from the inventory that AWX has of a cluster file."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support.awx_job import Job, Jobs
from ansible_collections.sky.clusters.tests.support.site import machine_state
from ansible_collections.sky.clusters.tests.support.spark import spark

pytestmark = [pytest.mark.real, pytest.mark.chained]

NAME = "jobspark"  # of the cluster and of its zone, which does not begin with that of the other file: they run side by side
HEAD = f"{NAME}-node-0"
VERSION = "4.3.0"  # the default of the role
ARCHIVE = Path(f"~/.cache/sky-clusters/pyspark-{VERSION}.tar.gz").expanduser()
PI = {"sky_application": "local:/opt/spark/examples/src/main/python/pi.py", "sky_arguments": '["4"]'}
# What somebody who started a job has not: a command line, the files of its container, a cluster file
STRANGE = re.compile(r"(^| )-[ie] |/runner|/inventory|cluster file|ansible-playbook")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that an image may contain; other parts have mostly fetched it."""
    if ARCHIVE.is_file():
        return ARCHIVE
    folder = tmp_path_factory.mktemp("archive")
    words = ["download", "--quiet", "--no-deps", "--no-binary", "pyspark", "--dest", str(folder), f"pyspark=={VERSION}"]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, timeout=400)
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory, archive: Path) -> Iterator[Jobs]:
    before = machine_state(NAME)
    file = spark(NAME, 0)
    cloud = file["clouds"]["here"] | {"flavor": "large", "prices": {"flavors": {"large": 0.05}, "currency": "EUR"}}
    pools = {"node": {"cloud": "here", "count": 1, "roles": ["spark_master", "spark_worker"]}}
    offer = {
        "file": {"clouds": {"here": cloud}, "pools": pools, "overlay": True, "ssh_keys": []},
        "answers": {"owner": ["owner"], "keys": ["ssh_keys"]},
    }
    made = Jobs(tmp_path_factory.mktemp("awx"), offer)
    (made.folder / "repository/group_vars").mkdir()
    (made.folder / "repository/group_vars/all.yml").write_text(f"spark_archive: {archive}\n", encoding="utf-8")
    yield made
    made.run("destroy.yml", {"answer_name": NAME, "sky_destroy_data": NAME, "sky_wait": 120})
    assert machine_state(NAME) == before


def succeeded(job: Job) -> Job:
    assert job.code == 0, job.output[-6000:]
    return job


def last_lines(job: Job) -> list[str]:
    """What a job says after its tasks: what was done, and what to do next."""
    said = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(event["stdout"] for event in job.events))
    return [line for line in said.splitlines() if line.startswith("  ")]


def test_a_job_builds_it_with_the_archive_of_the_image(jobs: Jobs) -> None:
    job = succeeded(jobs.run("up.yml", {"answer_name": NAME}, seconds=400))
    result = job.artifacts["sky_result"]
    assert (result["ready"], result["nodes"], result["failed"]) == (True, 1, [])
    assert result["heads"]["spark"]["node"] == HEAD
    assert any("sky.clusters.spark_submit with sky_application: job.py" in line for line in result["next"]["spark"])
    lines = [*result["next"]["spark"], *last_lines(job)]
    assert [line for line in lines if STRANGE.search(line)] == []
    assert not list((jobs.folder / "1/home").rglob("*.tar.gz"))  # nothing was fetched


def test_a_job_submits_an_application_and_another_lists_it(jobs: Jobs) -> None:
    job = succeeded(jobs.run("submit.yml", {"answer_name": NAME, **PI}))
    assert "Pi is roughly 3.1" in job.output
    listed = succeeded(jobs.run("jobs.yml", {"answer_name": NAME})).artifacts["sky_result"]["jobs"]
    assert str(job.artifacts["sky_result"]["job"]) in str(listed)


def test_jobs_show_the_network_and_what_was_used(jobs: Jobs) -> None:
    assert succeeded(jobs.run("network.yml", {"answer_name": NAME})).artifacts["sky_result"]["nodes"] == 1
    result = succeeded(jobs.run("usage.yml", {"answer_name": NAME, "sky_month": "", "sky_user": ""})).artifacts["sky_result"]
    (total,) = result["totals"]["cluster"]
    assert 0 < total["cost"]["EUR"] < 0.05
    assert result["usage"] == {}  # no system keeps accounts


def test_jobs_work_from_an_inventory_whose_source_is_a_cluster_file(jobs: Jobs) -> None:
    hosts = jobs.exported()
    applied = succeeded(jobs.run("apply.yml", {}, hosts=hosts))
    assert applied.artifacts["sky_result"]["ready"] is True
    strange = [line for line in last_lines(applied) if STRANGE.search(line)]
    assert strange == ["  all nodes match the cluster file"]  # that of the inventory's source
    status = succeeded(jobs.run("inventory_status.yml", {"sky_require_ready": "true"}, hosts=hosts))
    assert "a run would: change nothing" in status.output, status.output[-3000:]
    assert "Pi is roughly 3.1" in succeeded(jobs.run("inventory_submit.yml", PI, hosts=hosts)).output


def test_a_job_whose_inventory_has_no_cluster_file_is_told_to_choose_another(jobs: Jobs) -> None:
    job = jobs.run("inventory_status.yml", {})
    assert job.code == 2
    assert "no cluster file in the inventory: choose an inventory whose source is a cluster file" in job.output
