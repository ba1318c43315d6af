# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an action shows while a service drains, and how it counts the time that is left."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.action.spark_daemon import ActionModule
from ansible_collections.sky.clusters.plugins.plugin_utils._drain_action import PROGRESS, DrainAction

ETL = {"draining": {"work": ["app-1/0", "app-1/1"], "jobs": ["etl"]}, "actions": ["drain"]}
LAST = {"draining": {"work": ["app-1/1"], "jobs": ["etl"]}, "actions": ["drain"]}
DONE = {"changed": True, "drained_in": 2, "ended": [], "actions": ["drain", "stop"]}


class Sliced(ActionModule):
    """The action, with a node whose answers are given, and which takes its time to answer."""

    def __init__(self, answers: list[dict[str, Any]], arguments: dict[str, Any]) -> None:
        task = Task()
        task.args = arguments
        self._task = task
        self.answers = iter(answers)
        self.asked: list[dict[str, Any]] = []
        self.now = 0.0

    def _execute_module(self, *_: Any, **given: Any) -> dict[str, Any]:
        self.asked.append(given["module_args"])
        self.now += 6
        return next(self.answers)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(DrainAction, "_say", lambda _action, line: lines.append(line))
    return lines


def play(monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, Any]], **arguments: Any) -> tuple[Sliced, dict[str, Any]]:
    action = Sliced(answers, {"kind": "worker", "page": "http://10.0.0.5:8081", **arguments})
    monkeypatch.setattr(time, "monotonic", lambda: action.now)
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    return action, action.run(None, {"inventory_hostname": "demo-worker-3"})


def test_each_line_names_the_node_its_work_the_time_left_and_how_to_cut_it_short(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    action, result = play(monkeypatch, [ETL, LAST, DONE], drain_seconds=600)
    end = "to cut it short: Ctrl-C, then run again with -e sky_disruption=force"
    assert said == [
        f"demo-worker-3: draining, 2 executors still run (etl), at most 594 s more; {end}",
        f"demo-worker-3: draining, 1 executor still runs (etl), at most 588 s more; {end}",
        "demo-worker-3: drained in 18 s",
    ]
    assert [asked["drain_seconds"] for asked in action.asked] == [600, 594, 588]
    assert {asked["progress_seconds"] for asked in action.asked} == {PROGRESS}
    assert result == DONE | {"drained_in": 18}


def test_the_time_limit_covers_all_calls(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    action, result = play(monkeypatch, [ETL, ETL, DONE | {"ended": ["app-1/0", "app-1/1"]}], drain_seconds=10)
    assert [asked["drain_seconds"] for asked in action.asked] == [10, 4, 0]
    assert said[-1] == "demo-worker-3: drained in 18 s; 2 executor(s) that still ran were ended"
    assert result["ended"] == ["app-1/0", "app-1/1"]


@pytest.mark.parametrize("answer", [DONE, {"changed": False, "actions": []}, {"failed": True, "msg": "spark-worker died while it was draining"}])
def test_the_result_of_a_single_call_is_returned_unchanged(monkeypatch: pytest.MonkeyPatch, said: list[str], answer: dict[str, Any]) -> None:
    _action, result = play(monkeypatch, [answer])
    assert result == answer
    assert said == []
