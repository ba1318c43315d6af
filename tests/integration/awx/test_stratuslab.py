# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster on a StratusLab site, made from inside the execution environment: nothing of this machine's Ansible takes part."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.clouds.stratuslab import main as site_of
from ansible_collections.sky.clusters.tests.support.awx_job import Job, Jobs
from ansible_collections.sky.clusters.tests.support.image_root import RUNNER, image
from ansible_collections.sky.clusters.tests.support.stratuslab_site import entry

pytestmark = [pytest.mark.real, pytest.mark.chained]

NAME = "timage"


@pytest.fixture(scope="module")
def jobs(lal: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """The user's file and the authority's certificate are files of the project, as a credential puts them into the container."""
    folder = tmp_path_factory.mktemp("image")
    given = {"user_file": site_of.STATE / "dave.cfg", "ca_file": Path(lal["ca_file"])}
    cloud = entry(lal, "dave") | {name: str(RUNNER / "project" / path.name) for name, path in given.items()}
    file = {"admin_cidrs": ["10.73.0.0/22"], "clouds": {"lal": cloud}, "pools": {"box": {"cloud": "lal", "count": 1, "public_ip": True}}}
    made = Jobs(folder, {"file": file, "answers": {"workers": ["pools.box.count"]}}, image(folder))
    for path in given.values():
        shutil.copy(path, folder / "repository")
    yield made
    made.run("destroy.yml", {"answer_name": NAME, "sky_destroy_data": NAME, "sky_wait": 120})


def result(job: Job) -> dict[str, Any]:
    assert job.code == 0, job.output[-6000:]
    return dict(job.artifacts["sky_result"])


def test_a_cluster_is_made_from_inside_the_image(jobs: Jobs, figure: Callable[[str], None]) -> None:
    foretold = jobs.run("status.yml", {"answer_name": NAME})
    assert "create in lal" in foretold.output, foretold.output[-4000:]
    made = result(jobs.run("up.yml", {"answer_name": NAME, "answer_workers": 1}))
    assert (made["nodes"], made["ready"], made["failed"]) == (1, True, [])
    assert result(jobs.run("status.yml", {"answer_name": NAME, "sky_require_ready": True}))["ready"] is True
    figure("AWX: a machine of a StratusLab site was made, found ready and destroyed by jobs inside the execution environment's root file system")


def test_it_is_destroyed_from_inside_the_image(jobs: Jobs) -> None:
    assert result(jobs.run("destroy.yml", {"answer_name": NAME, "sky_destroy_data": NAME})) == {
        "cluster": NAME,
        "ready": False,
        "nodes": 0,
        "kept_volumes": [],
    }
