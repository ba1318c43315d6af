# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of NodeManagers that a ResourceManager reads, and how one leaves. The ResourceManager is real in tests/integration/storage."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes import _pending
from ansible_collections.sky.clusters.plugins.module_utils._systems import _yarn_pages
from ansible_collections.sky.clusters.plugins.module_utils._systems._yarn_pages import NodeManager, State
from ansible_collections.sky.clusters.plugins.modules import yarn_nodes

ONE, OTHER = "10.0.0.5", "10.0.0.6"


class World:
    """A ResourceManager: what it was told, and the states of a NodeManager, one at each look."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.told: list[int] = []
        self.unit = "inactive"  # asked only where it does not answer
        self.now = 0.0

    def state(self, _page: str) -> State:
        now = self.states.pop(0) if len(self.states) > 1 else (self.states or ["RUNNING"])[0]
        return State(answers=bool(now), nodes=(NodeManager(ONE, now, 1, 256, 1024),))

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def refresh(self, seconds: int) -> None:
        """One that is not to end its work gracefully has ended it."""
        self.told.append(seconds)
        if not seconds and self.states == ["DECOMMISSIONING"]:
            self.states = ["DECOMMISSIONED"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(yarn_nodes, "MEMBERS", tmp_path / "members")
    monkeypatch.setattr(yarn_nodes, "LEAVING", tmp_path / "leaving")
    monkeypatch.setattr(yarn_nodes, "refresh", world.refresh)
    monkeypatch.setattr(_pending, "query", lambda *_arguments: f"{world.unit}\n")
    monkeypatch.setattr(_yarn_pages, "state", world.state)
    monkeypatch.setattr(time, "sleep", world.sleep)
    monkeypatch.setattr(time, "monotonic", lambda: world.now)
    return world


def told(state: str, **more: Any) -> dict[str, Any]:
    return yarn_nodes.run(
        {
            "page": "http://10.0.0.4:8088",
            "state": state,
            "members": [],
            "address": "",
            "seconds": 120,
            "drain_seconds": 600,
            "progress_seconds": 0,
            **more,
        }
    )


def test_members_are_accepted_and_what_leaves_goes_on_leaving(world: World) -> None:
    assert told("members", members=[ONE, OTHER])["changed"]
    assert not told("members", members=[ONE, OTHER])["changed"]
    world.states = ["DECOMMISSIONED"]
    told("leaving", address=ONE)
    told("members", members=[ONE, OTHER])
    assert (yarn_nodes.read(yarn_nodes.MEMBERS), yarn_nodes.read(yarn_nodes.LEAVING)) == ({ONE, OTHER}, {ONE})
    told("present", address=ONE)
    assert yarn_nodes.read(yarn_nodes.LEAVING) == set()


def test_lists_that_the_resourcemanager_did_not_take_are_taken_by_the_next_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_seconds: int) -> None:
        raise yarn_nodes.NodesError("the ResourceManager did not take the list of NodeManagers: exit code 1")

    monkeypatch.setattr(yarn_nodes, "refresh", refuse)
    with pytest.raises(yarn_nodes.NodesError):
        told("members", members=[ONE])
    monkeypatch.setattr(yarn_nodes, "refresh", world.refresh)
    assert told("members", members=[ONE])["changed"]
    assert not told("members", members=[ONE])["changed"]
    assert world.told == [0]


def test_a_resourcemanager_that_is_still_starting_is_told_when_it_answers(world: World) -> None:
    world.states, world.unit = [""], "active"
    told("members", members=[ONE])
    assert world.told == []
    world.states = ["RUNNING"]
    assert told("present", address=ONE)["changed"]
    assert world.told == [0]


def test_one_that_leaves_is_waited_for_and_forgotten(world: World) -> None:
    told("members", members=[ONE, OTHER])
    world.states = ["RUNNING", "RUNNING", "DECOMMISSIONING", "", "DECOMMISSIONING", "DECOMMISSIONED"]  # once it does not answer
    found = told("leaving", address=ONE)
    assert (found["changed"], found["drained_in"], found["ended"]) == (True, 4, [])
    assert world.told[-1] == 600  # gracefully
    told("left", address=ONE)
    assert (yarn_nodes.read(yarn_nodes.MEMBERS), yarn_nodes.read(yarn_nodes.LEAVING)) == ({OTHER}, set())


def test_another_one_goes_on_leaving_when_the_lists_change(world: World) -> None:
    world.states = ["DECOMMISSIONING"]
    told("members", members=[ONE, OTHER])
    told("leaving", address=ONE, progress_seconds=1)
    told("present", address="10.0.0.7")
    assert world.told[-1] == 600  # not at once, which would end its containers


def test_what_still_runs_is_said_slice_by_slice(world: World) -> None:
    world.states = ["DECOMMISSIONING"]
    assert told("leaving", address=ONE, progress_seconds=5)["draining"] == {"containers": 1}
    assert world.now == 5
    world.states = [""]
    assert told("leaving", address=ONE, progress_seconds=5)["draining"] == {"containers": -1}


@pytest.mark.parametrize("seconds", [0, 60])
def test_what_still_runs_is_ended_when_the_time_is_over(world: World, seconds: int) -> None:
    told("members", members=[ONE, OTHER])
    yarn_nodes.put(yarn_nodes.LEAVING, {ONE})  # by a run that was killed
    world.states = ["DECOMMISSIONING"]
    found = told("leaving", address=ONE, drain_seconds=seconds)
    assert (len(found["ended"]), found["drained_in"], world.told[-1]) == (1, seconds, 0)


def test_one_that_does_not_leave_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.states = ["DECOMMISSIONING"]
    monkeypatch.setattr(yarn_nodes, "refresh", lambda _seconds: None)
    with pytest.raises(yarn_nodes.NodesError, match=rf"still counts on the NodeManager {ONE} \(DECOMMISSIONING\)"):
        told("leaving", address=ONE)


def test_without_a_resourcemanager_it_leaves_when_the_time_is_over(world: World) -> None:
    world.states = [""]
    assert told("leaving", address=ONE)["drained_in"] == 600
