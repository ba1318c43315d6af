# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bill of materials of a cluster, put together on the controller from what a real machine has, and written there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.action.software_report import COLLECTION, NONE, ActionModule, version

EMPTY: dict[str, Any] = {"system": {"name": "debian", "version": "12"}, "debian": [], "archives": [], "python_packages": [], "jars": []}


class HostVars(dict[str, dict[str, Any]]):
    def raw_get(self, name: str) -> dict[str, Any]:
        return self[name]


class Reporting(ActionModule):
    def __init__(self, file: str, check: bool = False) -> None:
        self._task = Task()
        self._task.args = {"cluster": "demo", "file": file}
        self._task.check_mode = check


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts together what nodes have answered; None is a node that runs and has not."""
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})

    def put_together(answers: dict[str, Any], file: str = "", check: bool = False) -> dict[str, Any]:
        running = {name: {"sky_pool": "p", "sky_state": "running", "sky_software": found or {"msg": "x"}} for name, found in answers.items()}
        hostvars = HostVars({"localhost": {}, "stopped": {"sky_pool": "p", "sky_state": "stopped"}} | running)
        return Reporting(file, check).run(None, {"hostvars": hostvars})

    return put_together


def software() -> dict[str, Any]:
    """What this machine has, by the module as Ansible runs it."""
    module = "ansible_collections.sky.clusters.plugins.modules.software_list"
    done = subprocess.run([sys.executable, "-m", module], input='{"ANSIBLE_MODULE_ARGS": {}}', capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def test_it_is_written_as_the_other_files_of_a_run(tmp_path: Path, report: Any) -> None:
    found = software()
    assert found["changed"] is False
    file = tmp_path / "demo.cdx.json"
    result = report({"one": found, "two": None}, str(file))
    bill = json.loads(file.read_text(encoding="utf-8"))
    assert file.stat().st_mode & 0o777 == 0o600
    assert (bill["specVersion"], bill["metadata"]["component"]["name"]) == ("1.6", "demo")
    assert "dpkg" in {component["name"] for component in bill["components"]}
    assert (result["components"], result["unread"]) == (len(bill["components"]), ["two"])
    assert result["summary"][-1] == "two: its software could not be listed"


def test_nothing_is_written_in_check_mode_or_without_nodes(tmp_path: Path, report: Any) -> None:
    report({"one": EMPTY}, str(tmp_path / "demo.json"), check=True)
    assert report({}, str(tmp_path / "demo.json"))["summary"] == [NONE]
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_that_of_the_repository_or_of_what_is_installed(tmp_path: Path) -> None:
    assert version(COLLECTION) == yaml.safe_load((COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    (tmp_path / "MANIFEST.json").write_text('{"collection_info": {"version": "9.8.7"}}', encoding="utf-8")
    assert version(tmp_path) == "9.8.7"
