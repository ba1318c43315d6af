# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a cluster of bare nodes whose user has a form and nothing else, in jobs as AWX runs them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.sky.clusters.tests.support.awx_job import CANCELLED, Job, Jobs
from ansible_collections.sky.clusters.tests.support.bare import bare, boxes, folders, nodes_folder
from ansible_collections.sky.clusters.tests.support.site import machine_state

pytestmark = [pytest.mark.real, pytest.mark.chained]

NAME = "awx"  # of the cluster and of its zone
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8vXoFCSkGx2EIq9TqtKlWMVjBWRxUN4HYaBZVYjzZ ada"


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    before = machine_state(NAME)
    file = {key: value for key, value in bare(NAME, NAME, 1).items() if key in ("clouds", "pools")} | {"ssh_keys": []}
    answers = {"workers": ["pools.box.count"], "owner": ["owner"], "ssh_keys": ["ssh_keys"]}
    made = Jobs(tmp_path_factory.mktemp("awx"), {"file": file, "answers": answers})
    yield made
    made.run("destroy.yml", {"answer_name": NAME, "sky_destroy_data": NAME, "sky_wait": 120})
    assert machine_state(NAME) == before


def succeeded(job: Job) -> Job:
    assert job.code == 0, job.output[-6000:]
    return job


def test_answers_make_a_cluster(jobs: Jobs, figure: Callable[[str], None]) -> None:
    job = succeeded(jobs.run("up.yml", {"answer_name": NAME, "answer_workers": 2, "answer_owner": "", "sky_counts": "", "sky_confirm": None}))
    assert folders(NAME) == boxes(NAME, 0, 1)
    assert job.artifacts["sky_result"] | {"nodes": 2, "failed": [], "ready": True, "cluster": NAME} == job.artifacts["sky_result"]
    assert set(job.artifacts) == {"sky_result"}
    assert "errantly sent data directly to stdout" not in job.output
    lines = "".join(event["stdout"] for event in job.events)
    assert f"{NAME}-box-1" in lines  # the nodes' stages are events of the job
    assert not (jobs.folder / "1/home/.ssh").exists()
    figure(f"AWX: a job that made 2 bare nodes has {len(job.events)} events")


def test_the_name_alone_is_enough_later(jobs: Jobs) -> None:
    job = succeeded(jobs.run("status.yml", {"answer_name": NAME, "sky_require_ready": "true"}))
    assert job.artifacts["sky_result"]["ready"] is True
    assert job.artifacts["sky_result"]["nodes"] == 2
    assert "a run would: change nothing" in job.output, job.output[-3000:]
    job = succeeded(jobs.run("costs.yml", {"answer_name": NAME}))
    (total,) = job.artifacts["sky_result"]["totals"]["cluster"]
    assert 0 < total["node_hours"] < 1


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"answer_name": "awx\nowner: eve"}, "answer_name: must be lower-case letters, digits and inner dashes"),
        ({"answer_name": NAME, "answer_owner": "a'b\"c {{ 1 }}"}, "answer_owner: must be letters, digits and any of . _ @ -"),
        ({"answer_name": NAME, "answer_workers": "two"}, "answer_workers: must be a whole number, 0 or more"),
        ({"answer_name": ""}, "answer_name: is required"),
        # two users who choose the same name, by jobs with the same credentials
        ({"answer_name": NAME, "answer_workers": 1, "awx_user_name": "bob"}, f"cluster {NAME} in cloud here belongs to ada, but you are bob"),
    ],
)
def test_a_hostile_answer_ends_the_job_in_one_sentence(jobs: Jobs, answers: dict[str, str], sentence: str) -> None:
    job = jobs.run("up.yml", answers)
    assert job.code == 2
    assert sentence in job.output
    assert "Traceback" not in job.output
    assert folders(NAME) == boxes(NAME, 0, 1)


def test_a_cancelled_job_is_run_again(jobs: Jobs, figure: Callable[[str], None]) -> None:
    left = []
    for workers, moment in (("3", ""), ("4", rf"{NAME}-box-3 +made")):  # as text, as a workflow may hand it on
        # with a key of the user's, the nodes still let the jobs in
        wanted = {"answer_name": NAME, "answer_workers": workers, "answer_ssh_keys": f"{KEY}\r\n", "sky_wait": 120}
        assert "PLAY RECAP" not in jobs.cancel("up.yml", wanted, moment)
        left.append(len(folders(NAME)) - 2)
    job = succeeded(jobs.run("up.yml", wanted))
    assert job.artifacts["sky_result"]["nodes"] == 4
    assert folders(NAME) == boxes(NAME, 0, 1, 2, 3)
    figure(f"AWX: jobs that grew a cluster were killed after {CANCELLED} s, and when a node was made: {left} new nodes; the third job finished it")


def test_a_job_that_is_not_about_keys_keeps_them(jobs: Jobs) -> None:
    """On nodes that exist, and on new ones."""
    status = succeeded(jobs.run("status.yml", {"answer_name": NAME}))
    assert "a run would: change nothing" in status.output, status.output[-3000:]
    succeeded(jobs.run("up.yml", {"answer_name": NAME, "answer_workers": 5, "answer_ssh_keys": ""}))
    for index in (0, 4):
        assert KEY in inside(f"{NAME}-box-{index}", "cat /root/.ssh/authorized_keys").splitlines()


def inside(node: str, script: str) -> str:
    """What a command says on a node."""
    command = ["lxc-attach", "-P", str(nodes_folder(NAME)), "-n", node, "--clear-env", "--", "/bin/sh", "-c", script]
    return subprocess.run(command, text=True, capture_output=True, check=True, timeout=60).stdout


def test_a_job_destroys_it(jobs: Jobs) -> None:
    result = succeeded(jobs.run("status.yml", {"answer_name": NAME})).artifacts
    job = succeeded(jobs.run("destroy.yml", {"answer_name": NAME, "sky_destroy_data": "", "sky_confirm": "", **result}))
    assert not nodes_folder(NAME).exists()
    assert job.artifacts["sky_result"] == {"cluster": NAME, "ready": False, "nodes": 0, "kept_volumes": []}
