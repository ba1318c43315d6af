# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster and its users have used, put together on the controller, and the files of systems that a run writes there."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.action.inventory_check import _not_writable
from ansible_collections.sky.clusters.plugins.action.usage_report import ActionModule

ROW = {"user": "ada", "month": "2026-11", "jobs": 412, "failed": 3, "core_hours": 1031.25}
ANSWER = {"usage": {"torque": [ROW]}, "summary": ["torque:", "  month"]}
NODES = {"cluster": "demo", "owner": "ada", "pool": "worker", "kind": "nodes", "number": 2, "hours": 48.0, "cost": 2.4}
FIGURES = {"cluster": "demo", "time": "2026-11-28T12:00:00+00:00", "used": [NODES], "planned": [], "totals": {}, "missing": [], "unknown": []}
COSTS: dict[str, Any] = FIGURES | {"changed": False, "failed": False, "summary": ["used so far: 48.00 node hours"]}


class HostVars(dict[str, dict[str, Any]]):
    def raw_get(self, name: str) -> dict[str, Any]:
        return self[name]


class Reporting(ActionModule):
    def __init__(self, file: str, check: bool = False) -> None:
        self._task = Task()
        self._task.args = {"file": file, "costs": COSTS}
        self._task.check_mode = check


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts together what heads have answered."""
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})

    def put_together(answers: dict[str, Any], file: str = "", check: bool = False) -> dict[str, Any]:
        hostvars = HostVars({name: {"sky_usage": answer} for name, answer in answers.items()} | {"demo-worker-0": {}})
        return Reporting(file, check).run(None, {"hostvars": hostvars, "groups": {"sky_heads": [*answers, "demo-worker-0"]}})

    return put_together


def test_it_is_shown_and_written_as_the_other_files_of_a_run(tmp_path: Path, report: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "usage.json")
    result = report({"demo-server-0": ANSWER, "demo-lost-0": {"failed": True}}, str(tmp_path / "link"))
    assert result == {"changed": False, "usage": ANSWER["usage"], "summary": [*COSTS["summary"], *ANSWER["summary"]]}
    assert json.loads((tmp_path / "usage.json").read_text(encoding="utf-8")) == FIGURES | {"usage": ANSWER["usage"]}
    assert (tmp_path / "usage.json").stat().st_mode & 0o777 == 0o600
    report({"demo-server-0": ANSWER}, "-")
    assert json.loads(capsys.readouterr().out)["usage"] == ANSWER["usage"]


def test_a_cluster_without_accounts_has_hours_and_costs(tmp_path: Path, report: Any) -> None:
    result = report({"demo-master-0": {"usage": {}, "summary": []}}, str(tmp_path / "usage.csv"))
    assert result == {"changed": False, "usage": {}, "summary": COSTS["summary"]}
    (row,) = csv.DictReader((tmp_path / "usage.csv").read_text(encoding="utf-8").splitlines())
    assert (row["state"], row["kind"], row["hours"]) == ("used", "nodes", "48.0")


def test_nothing_is_written_in_check_mode(tmp_path: Path, report: Any) -> None:
    report({"demo-server-0": ANSWER}, str(tmp_path / "usage.json"), check=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["sky_usage_file", "sky_network_file", "sky_sbom_file", "sky_status_file"])
def test_a_file_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path, name: str) -> None:
    values = {name.removeprefix("sky_"): f"{tmp_path}/none/demo.json"}
    assert list(_not_writable(values)) == [f"{name}: {tmp_path}/none/demo.json cannot be written: No such file or directory"]
    assert list(_not_writable({name.removeprefix("sky_"): "-"})) == []
