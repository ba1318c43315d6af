# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of nodes that failed: stage, cause, the end of the console, what to do next."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    CloudError,
    Denied,
    Invalid,
    Shortage,
    Stage,
    Unavailable,
)
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._results import Action, NodeResult
from ansible_collections.sky.clusters.plugins.module_utils._views._summary import AGAIN, failure_lines, failures
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of, run_of
from ansible_collections.sky.clusters.tests.support.world import World

LOG = "\n".join(f"line {number}" for number in range(20))


def failed(index: int = 0, reason: str = "no valid host was found", **more: Any) -> NodeResult:
    values: dict[str, Any] = {"action": Action.CREATE, "stage": Stage.FAILED, "reason": reason, "launches": 1} | more
    return NodeResult(f"demo-worker-{index}", "one", **values)


def test_nothing_failed() -> None:
    assert failure_lines([]) == failures([]) == []


def test_stage_cause_the_end_of_the_console_and_what_next() -> None:
    result = failed(reason="ssh did not answer within 60 s", log=LOG, late="reachable", launches=3, seconds={"made": 1.0, "booted": 2.0})
    assert failure_lines([result]) == [
        "demo-worker-0 failed (after it was booted, 3 attempts): ssh did not answer within 60 s",
        *(f"    | line {number}" for number in range(15, 20)),
        f"next: check that ssh from here reaches it, or raise timeouts.reachable, then {AGAIN}",
    ]


def test_nodes_that_failed_alike_share_a_console_and_a_remedy() -> None:
    lines = failure_lines([failed(index, log=LOG) for index in range(3)] + [failed(3, "its disk died", log="other")])
    assert [line for line in lines if not line.startswith("    | line")] == [
        "demo-worker-0 failed: no valid host was found",
        "demo-worker-1 failed: no valid host was found",
        "demo-worker-2 failed: no valid host was found",
        "demo-worker-3 failed: its disk died",
        "    | other",
        f"next: {AGAIN}",
    ]
    assert len(lines) == 11


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (Shortage, "make room (a lower count, a smaller flavor, a larger quota), then "),
        (Denied, "renew the credentials, or request the permission, then "),
        (Invalid, "correct in the cluster file what the cloud rejects, then "),
        (Unavailable, ""),
        (CloudError, ""),
        (None, ""),
    ],
)
def test_the_remedy_fits_the_case(error: type[CloudError] | None, remedy: str) -> None:
    assert failure_lines([failed(error=error)])[-1] == f"next: {remedy}{AGAIN}"


def test_a_node_that_could_not_be_deleted() -> None:
    result = failed(reason="the node is busy", action=Action.DELETE)
    assert failures([result]) == ["demo-worker-0 could not be deleted: the node is busy"]
    assert failure_lines([result])[-1] == "next: run the same command again; delete by hand what still remains in cloud one"


@pytest.mark.parametrize(
    ("fault", "sentence", "remedy"),
    [
        ({"method": "create", "kind": "refused"}, "failed: no valid host was found", "make room"),
        ({"method": "create", "kind": "denied"}, "failed: create in cloud one: denied, says the cloud", "renew the credentials"),
        (
            {"method": "create", "kind": "stuck", "times": 3},
            "failed (after it was made, 3 attempts): its operating system did not start",
            "check its console",
        ),
        ({"method": "create", "kind": "deaf", "times": 3}, "failed (after it was booted, 3 attempts): ssh did not answer", "check that ssh"),
        ({"method": "create", "kind": "fails", "times": 3}, "failed (after it was made, 3 attempts): the hypervisor gave up", "find out why"),
        ({"method": "listing", "kind": "denied", "call": 3}, "failed (after it was made): not finished: listing in cloud one: denied", "renew"),
    ],
)
def test_of_real_runs(world: World, fault: dict[str, Any], sentence: str, remedy: str) -> None:
    world.fault(**fault)
    outcome = run_of(world, cluster_of(world.folder, {"worker": 1})).present(Wishes())
    first, *_log, last = failure_lines(outcome.result.failed)
    assert first.startswith(f"demo-worker-0 {sentence}")
    assert last.startswith(f"next: {remedy}")
