# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role spark_proof: its stamp, and what it contains."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from testinfra.host import Host

from ansible_collections.sky.clusters.extensions.molecule.spark.support import eventually, page

testinfra_hosts = ["ansible://spark_master"]
STAMP = "/var/lib/sky/proof/spark.json"


@pytest.fixture(scope="module")
def result(host: Host) -> dict[str, Any]:
    return dict(json.loads(host.file(STAMP).content_string)["result"])


@pytest.fixture(scope="module")
def proofs(variables: dict[str, Any]) -> dict[str, Any]:
    """Last attempts of all applications of that name, as the history server shows them some seconds later."""

    def look() -> dict[str, Any]:
        apps = page(variables["sky_address"], 18080, "/api/v1/applications")
        return {app["id"]: app["attempts"][0] for app in apps if app["name"] == "proof"}

    return dict(eventually(look))


def test_it_was_run_once(proofs: dict[str, Any], result: dict[str, Any]) -> None:
    assert list(proofs) == [result["application"]]


def test_its_answers_were_right(result: dict[str, Any]) -> None:
    assert math.isclose(result["pi"], math.pi, rel_tol=1e-9)
    assert result["words"] > 20000


def test_every_worker_took_part(host: Host, result: dict[str, Any]) -> None:
    workers = {host.backend.ansible_runner.get_variables(name)["sky_address"] for name in ("mol-spark-worker-0", "mol-spark-worker-1")}
    assert set(result["executors"]) == workers
    assert all(tasks > 0 for tasks in result["executors"].values())


def test_nothing_of_it_is_left_behind(host: Host) -> None:
    assert host.check_output("find /tmp -maxdepth 1 -name 'spark-proof-*'") == ""


def test_the_history_server_shows_it(proofs: dict[str, Any], result: dict[str, Any]) -> None:
    assert proofs[result["application"]]["completed"] is True
    assert proofs[result["application"]]["sparkUser"] == "sky"
