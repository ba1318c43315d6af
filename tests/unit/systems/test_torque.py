# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from the server's list of nodes."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._system import Member, Opinion, Seen, View
from ansible_collections.sky.clusters.plugins.module_utils._systems._torque import judge

RUNS = {"reachable": True, "units": [{"name": "slurmd", "fault": ""}, {"name": "slurmctld", "fault": ""}]}


def judged(state: str, at_work: bool, busy: bool, detail: str = "", answers: bool = True) -> Opinion:
    node = Seen("n-0", "10.0.0.2", ("torque_node",), RUNS)
    view = View(asked=True, answers=answers, page="s:6817", members=(Member("10.0.0.2", state, at_work, busy, detail),))
    return judge([node], view)["n-0"]


def test_a_node_that_does_nothing_is_idle() -> None:
    assert judged("IDLE", at_work=True, busy=False) == Opinion(at_work=True, idle=True)
    assert judged("MIXED", at_work=True, busy=True) == Opinion(at_work=True)


def test_a_node_that_runs_and_is_down_for_the_server_has_a_fault() -> None:
    found = judged("DOWN", at_work=False, busy=False)
    assert found.lost
    assert found.faults == (("not at the server", "it runs, but the server reports it DOWN"),)


def test_a_server_that_does_not_answer_proves_nothing_against_its_nodes() -> None:
    assert judged("DOWN", at_work=False, busy=False, answers=False) == Opinion()
    server = Seen("s-0", "10.0.0.1", ("torque_server",), RUNS)
    assert judge([server], View(asked=True, page="s:6817"))["s-0"].faults[0][0] == "no answer"


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [
        ("taken out by a run", "it was taken out by a run that ended before it removed the node"),
        ("taken out without its homes", "it was taken out, since a job could not begin without the home of its user"),
    ],
)
def test_a_node_that_was_taken_out_is_taken_in_by_a_visit(detail: str, sentence: str) -> None:
    found = judged("IDLE+DRAIN", at_work=True, busy=False, detail=f"0 of 2 cores, {detail}")
    assert found.repair
    assert found.faults == (("offline", sentence),)
