# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from a ResourceManager's answer."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems import _yarn_pages
from ansible_collections.sky.clusters.plugins.module_utils._systems._system import Seen, view_of
from ansible_collections.sky.clusters.plugins.module_utils._systems._yarn import judge
from ansible_collections.sky.clusters.plugins.modules.yarn_info import view

NODE = {"id": "10.0.0.5:8041", "nodeHostName": "10.0.0.5", "numContainers": 2, "usedMemoryMB": 512, "availMemoryMB": 768}
APP = {"id": "application_1_0001", "name": "word count", "user": "sky", "state": "RUNNING", "runningContainers": 3, "startedTime": 1795911732422}


def answer(monkeypatch: pytest.MonkeyPatch, state: str, *nodes: dict[str, Any]) -> dict[str, Any]:
    pages = {"info": {"clusterInfo": {"state": state}}, "nodes": {"nodes": {"node": list(nodes)}}}
    monkeypatch.setattr(_yarn_pages, "fetch", lambda _page, path: pages.get(path, {"apps": {"app": [APP]}}))
    return view(_yarn_pages.state("http://10.0.0.4:8088"))


def node(*, runs: bool = True) -> Seen:
    units = [{"name": "yarn-nodemanager", "fault": "" if runs else "it is stopped"}]
    return Seen("a", "10.0.0.5", ("yarn_nodemanager",), {"reachable": True, "units": units})


def test_what_runs_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    found = answer(monkeypatch, "STARTED", NODE | {"state": "RUNNING"})
    assert found["members"] == [{"address": "10.0.0.5", "state": "RUNNING", "at_work": True, "busy": True, "detail": "2 containers, 512 of 1280 MiB"}]
    assert [(job["name"], job["size"], job["since"]) for job in found["work"]] == [("word count", "3 containers", "2026-11-29T00:22:12Z")]
    assert found["facts"] == {"NodeManagers running": 1, "memory MiB": 1280, "used MiB": 512}


@pytest.mark.parametrize(
    ("state", "at_work", "lost", "repair", "word"),
    [
        ("RUNNING", True, False, False, ""),
        ("DECOMMISSIONING", False, False, True, "decommissioned"),
        ("LOST", False, True, False, "not at the ResourceManager"),
    ],
)
def test_a_node_is_judged_by_its_state(monkeypatch: pytest.MonkeyPatch, state: str, at_work: bool, lost: bool, repair: bool, word: str) -> None:
    opinion = judge([node()], view_of(answer(monkeypatch, "STARTED", NODE | {"state": state})))["a"]
    assert (opinion.at_work, opinion.lost, opinion.repair) == (at_work, lost, repair)
    assert [found for found, _sentence in opinion.faults] == [word] * bool(word)


def test_a_resourcemanager_that_does_not_answer_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    opinion = judge([node()], view_of(answer(monkeypatch, "INITED")))["a"]
    assert (opinion.at_work, opinion.lost, opinion.faults) == (False, False, ())
