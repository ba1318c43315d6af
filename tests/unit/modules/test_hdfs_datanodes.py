# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DataNodes join and leave; tests/integration/storage has it with a real NameNode."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.action import hdfs_datanodes as action_hdfs_datanodes
from ansible_collections.sky.clusters.plugins.action.hdfs_datanodes import AGAIN, STALLED, ActionModule, Progress
from ansible_collections.sky.clusters.plugins.module_utils._nodes import _pending
from ansible_collections.sky.clusters.plugins.modules import hdfs_datanodes
from ansible_collections.sky.clusters.plugins.modules.hdfs_datanodes import LEAVES, LeaveError, run
from ansible_collections.sky.clusters.tests.support.namenode import NameNode, node, serving

ONE, TWO, THREE = "10.0.0.5:9866", "10.0.0.6:9866", "10.0.0.7:9866"


@pytest.fixture
def namenode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NameNode]:
    """One with three DataNodes, whose command only says that it was called."""
    program = tmp_path / "hdfs"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    program.chmod(0o755)
    monkeypatch.setattr(hdfs_datanodes, "HDFS", str(program))
    with serving(NameNode(node("10.0.0.5", blocks=4), node("10.0.0.6", blocks=9, used=2), node("10.0.0.7"))) as found:
        yield found


def asked(namenode: NameNode, tmp_path: Path, state: str, check: bool = False, **more: Any) -> dict[str, Any]:
    given = {
        "members": [],
        "address": "",
        "leaving": [],
        "replication": 2,
        "seconds": 5,
        "slice_seconds": 1,
        "force": False,
        "begun": False,
        "report": False,
        "ipc_port": 9867,
    }
    return run({"page": namenode.page, "state": state, "ipc_port": 9867, "list": str(tmp_path / "list.json"), **given, **more}, check)


def listed(tmp_path: Path) -> dict[str, str]:
    """The state of each DataNode of the list; empty is in service."""
    found = json.loads((tmp_path / "list.json").read_text())
    return {f"{each['hostName']}:{each['port']}": each.get("adminState", "") for each in found}


def calls(tmp_path: Path) -> int:
    path = tmp_path / "calls"
    return path.read_text().count("dfsadmin -refreshNodes") if path.exists() else 0


def test_the_namenode_is_told_of_a_change_only(namenode: NameNode, tmp_path: Path) -> None:
    assert asked(namenode, tmp_path, "members", members=[TWO, ONE])["changed"]
    assert listed(tmp_path) == {ONE: "", TWO: ""}
    assert not asked(namenode, tmp_path, "members", members=[ONE, TWO])["changed"]
    assert calls(tmp_path) == 1


def test_a_list_that_the_namenode_did_not_take_is_taken_by_the_next_run(namenode: NameNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdfs_datanodes, "HDFS", "/bin/false")
    with pytest.raises(LeaveError, match="the NameNode did not take the list of DataNodes: exit code 1"):
        asked(namenode, tmp_path, "members", members=[ONE, TWO])
    monkeypatch.setattr(hdfs_datanodes, "HDFS", str(tmp_path / "hdfs"))
    assert asked(namenode, tmp_path, "members", check=True, members=[ONE, TWO])["changed"]
    assert asked(namenode, tmp_path, "present", address=TWO)["changed"]
    assert calls(tmp_path) == 1
    assert not asked(namenode, tmp_path, "members", members=[ONE, TWO])["changed"]
    assert calls(tmp_path) == 1


@pytest.mark.parametrize(("state", "told"), [("active", 1), ("inactive", 0)])
def test_a_namenode_that_is_still_loading_is_told_when_it_answers(
    namenode: NameNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, told: int
) -> None:
    monkeypatch.setattr(_pending, "query", lambda *_arguments: f"{state}\n")
    namenode.loading = True
    asked(namenode, tmp_path, "members", members=[ONE])
    namenode.loading = False
    assert asked(namenode, tmp_path, "members", members=[ONE])["changed"] == bool(told)
    assert calls(tmp_path) == told


def test_check_mode_changes_no_list(namenode: NameNode, tmp_path: Path) -> None:
    assert asked(namenode, tmp_path, "members", check=True, members=[ONE])["changed"]
    assert not (tmp_path / "list.json").exists()


def test_a_slice_ends_with_the_blocks_that_are_left(namenode: NameNode, tmp_path: Path) -> None:
    asked(namenode, tmp_path, "members", members=[ONE, TWO, THREE])
    namenode.leaving = {TWO: 7}
    assert asked(namenode, tmp_path, "leaving", address=TWO) == {"changed": True, "blocks": 9, "left": 7}
    assert listed(tmp_path) == {ONE: "", TWO: LEAVES, THREE: ""}
    namenode.live[TWO]["adminState"] = "Decommissioned"
    assert asked(namenode, tmp_path, "leaving", address=TWO) == {"changed": False, "blocks": 9}
    assert asked(namenode, tmp_path, "left", address=TWO)["changed"]
    assert listed(tmp_path) == {ONE: "", THREE: ""}


def test_after_its_time_the_node_stays(namenode: NameNode, tmp_path: Path) -> None:
    namenode.leaving = {TWO: 7}
    with pytest.raises(LeaveError, match=r"7 blocks of the DataNode 10\.0\.0\.6:9866 are not elsewhere yet.*the node stays.*run again to continue"):
        asked(namenode, tmp_path, "leaving", address=TWO, seconds=1, slice_seconds=0)
    assert listed(tmp_path)[TWO] == LEAVES


def test_files_that_want_more_copies_than_there_are_datanodes_are_the_reason(namenode: NameNode, tmp_path: Path) -> None:
    reason = r"files want more copies than there are DataNodes: the NameNode waits for 3 \(dfs\.replication\), and 2 DataNode\(s\) remain: add"
    namenode.leaving = {TWO: 7}
    namenode.settings["dfs.replication"] = "3"
    assert re.match(reason, asked(namenode, tmp_path, "leaving", address=TWO, report=True)["why"])
    assert "why" not in asked(namenode, tmp_path, "leaving", address=TWO)  # something moves
    with pytest.raises(LeaveError, match=rf"its time is over \(hdfs_datanode_drain_seconds\): {reason}"):
        asked(namenode, tmp_path, "leaving", address=TWO, seconds=1)
    namenode.settings["dfs.replication"] = "2"
    assert "why" not in asked(namenode, tmp_path, "leaving", address=TWO, report=True)


def test_the_reason_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(action_hdfs_datanodes, "_say", shown.append)
    Sliced([{"changed": True, "blocks": 9, "left": 7, "why": "files want"}, {"changed": True}]).run(None, {"inventory_hostname": "demo-data-1"})
    assert shown[0] == "demo-data-1: files want"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"leaving": [TWO, THREE]}, r"files are kept in 2 copies, and 1 DataNode\(s\) would remain: the node stays; to keep fewer copies, set"),
        ({"leaving": [ONE, TWO, THREE]}, r"0 DataNode\(s\) would remain: the node stays; delete the files first"),
        ({"replication": 3}, r"files are kept in 3 copies, and 2 DataNode\(s\) would remain"),
    ],
)
def test_fewer_datanodes_than_copies_are_refused_before_a_change(namenode: NameNode, tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LeaveError, match=sentence):
        asked(namenode, tmp_path, "leaving", address=TWO, **change)
    assert not (tmp_path / "list.json").exists()


def test_too_little_room_is_refused_before_a_change(namenode: NameNode, tmp_path: Path) -> None:
    for place in (ONE, THREE):
        namenode.live[place]["remaining"] = 1 << 29
    with pytest.raises(LeaveError, match=r"the DataNodes that remain have 1\.0 GiB free, and 2\.0 GiB would have to be moved"):
        asked(namenode, tmp_path, "leaving", address=TWO)
    assert not (tmp_path / "list.json").exists()


def test_a_namenode_in_safe_mode_moves_no_blocks(namenode: NameNode, tmp_path: Path) -> None:
    namenode.safe_mode = "Safe mode is ON. The reported blocks 0 needs additional 12 blocks"
    with pytest.raises(LeaveError, match=r"cannot move blocks now \(Safe mode is ON"):
        asked(namenode, tmp_path, "leaving", address=TWO)


def test_a_dead_datanode_cannot_hand_over(namenode: NameNode, tmp_path: Path) -> None:
    namenode.dead[TWO] = namenode.live.pop(TWO)
    with pytest.raises(LeaveError, match=r"reports the DataNode 10\.0\.0\.6:9866 dead"):
        asked(namenode, tmp_path, "leaving", address=TWO)


def dead(decommissioned: bool) -> dict[str, Any]:
    """As the page has it."""
    state = "Decommissioned" if decommissioned else "In Service"
    return {"xferaddr": TWO, "lastContact": 95, "decommissioned": decommissioned, "adminState": state, "location": "/default-rack"}


def test_a_datanode_that_had_handed_over_before_a_run_was_killed_leaves(namenode: NameNode, tmp_path: Path) -> None:
    del namenode.live[TWO]
    namenode.dead[TWO] = dead(decommissioned=True)
    assert asked(namenode, tmp_path, "leaving", address=TWO) == {"changed": False, "blocks": 0}


@pytest.mark.parametrize(
    ("decommissioned", "values"),
    [(False, {}), (True, {"MissingBlocks": 1}), (True, {"ReconstructionQueuesInitProgress": 0.5})],
)
def test_a_dead_datanode_of_which_a_block_may_be_missing_stays(
    namenode: NameNode, tmp_path: Path, decommissioned: bool, values: dict[str, float]
) -> None:
    """A NameNode calls each dead DataNode that is to leave decommissioned, whatever it had."""
    del namenode.live[TWO]
    namenode.dead[TWO] = dead(decommissioned)
    namenode.values.update(values)
    with pytest.raises(LeaveError, match=r"reports the DataNode 10\.0\.0\.6:9866 dead"):
        asked(namenode, tmp_path, "leaving", address=TWO)


def test_a_look_that_fails_ends_no_drain(namenode: NameNode, tmp_path: Path) -> None:
    namenode.loading = True
    silent = r"^the NameNode at http://.* cannot move blocks now \(it does not answer\): the node stays"
    with pytest.raises(LeaveError, match=f"{silent}$"):
        asked(namenode, tmp_path, "leaving", address=TWO)
    assert asked(namenode, tmp_path, "leaving", address=TWO, begun=True) == {"changed": False, "blocks": 0, "left": 0}
    with pytest.raises(LeaveError, match=f"{silent}; run again to continue$"):
        asked(namenode, tmp_path, "leaving", address=TWO, begun=True, seconds=1)
    namenode.live[TWO]["adminState"] = "Decommissioned"
    assert asked(namenode, tmp_path, "leaving", address=TWO, begun=True) == {"changed": True, "blocks": 0}


class Sliced(ActionModule):
    """The action without Ansible's parts: what the module answers, slice by slice."""

    def __init__(self, answers: list[dict[str, Any]]) -> None:
        self._task: Any = SimpleNamespace(args={"state": "leaving", "address": TWO, "seconds": 3600})
        self.answers = iter(answers)
        self.asked: list[dict[str, Any]] = []

    def _module(self, args: dict[str, Any], _task_vars: dict[str, Any] | None) -> dict[str, Any]:
        self.asked.append(args)
        return next(self.answers)


def test_a_drain_that_has_begun_is_known_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    action = Sliced([{"changed": True, "blocks": 9, "left": 7}, {"changed": False, "blocks": 0, "left": -1}, {"changed": True}])
    assert action.run(None, {"inventory_hostname": "demo-data-1"}) == {"changed": True}
    assert [asked["begun"] for asked in action.asked] == [False, True, True]


def test_what_an_empty_hdfs_has_can_leave(namenode: NameNode, tmp_path: Path) -> None:
    namenode.values["BlocksTotal"] = 0
    namenode.live[TWO]["adminState"] = "Decommissioned"
    assert "left" not in asked(namenode, tmp_path, "leaving", address=TWO, leaving=[ONE, TWO, THREE])


def test_by_force_it_leaves_at_once(namenode: NameNode, tmp_path: Path) -> None:
    assert asked(namenode, tmp_path, "leaving", address=TWO, leaving=[ONE, TWO, THREE], force=True) == {"changed": False, "blocks": 9}


def test_a_new_list_lets_those_go_on_that_leave(namenode: NameNode, tmp_path: Path) -> None:
    asked(namenode, tmp_path, "leaving", address=TWO, replication=1)
    asked(namenode, tmp_path, "members", members=[ONE, TWO, THREE], leaving=[TWO])
    assert listed(tmp_path) == {ONE: "", TWO: LEAVES, THREE: ""}
    asked(namenode, tmp_path, "members", members=[ONE, TWO, THREE])  # it stays after all
    assert listed(tmp_path) == {ONE: "", TWO: "", THREE: ""}


def test_a_node_that_is_visited_is_in_service(namenode: NameNode, tmp_path: Path) -> None:
    asked(namenode, tmp_path, "leaving", address=TWO, replication=1)
    assert asked(namenode, tmp_path, "present", address=TWO)["changed"]
    assert listed(tmp_path) == {TWO: ""}
    assert not asked(namenode, tmp_path, "present", address=TWO)["changed"]


def test_on_request_those_that_stay_report_all_their_blocks(namenode: NameNode, tmp_path: Path) -> None:
    namenode.leaving = {TWO: 1}
    namenode.live[TWO]["adminState"] = "Decommission In Progress"
    asked(namenode, tmp_path, "leaving", address=TWO, report=True)
    made = sorted(line for line in (tmp_path / "calls").read_text().splitlines() if "triggerBlockReport" in line)
    assert made == ["dfsadmin -triggerBlockReport 10.0.0.5:9867", "dfsadmin -triggerBlockReport 10.0.0.7:9867"]


def test_they_are_asked_when_nothing_moves_and_now_and_then_after_that() -> None:
    progress, asked_at = Progress(), []
    for number, left in enumerate([8, 5, 2, *[1] * 24]):
        if progress.stalled:
            asked_at.append(number)
        progress.note(left)
    assert asked_at == [3 + STALLED + 1, 3 + STALLED + 1 + AGAIN]
