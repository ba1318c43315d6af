# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a run."""

from __future__ import annotations

from typing import Any

from ansible_collections.sky.clusters.plugins.action import report
from ansible_collections.sky.clusters.plugins.module_utils._views._lines import UNCHANGED

STEPS = [{"role": "spark_worker", "tasks": "leave"}, {"role": "spark_worker", "tasks": "remove"}]
VOLUME = {"name": "demo-worker-2-data", "size": 5}
LEAVES = {"sign": "-", "name": "demo-worker-2", "text": "drain and delete in here"}


def given(nodes: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    """The options of a run that does nothing, except for what is given."""
    empty: dict[str, Any] = {name: [] for name in ("plan", "estimate", "kept_volumes", "differing", "leaving", "failed_names", "failure_lines")}
    lists: dict[str, Any] = {name: [] for name in ("lost", "visited", "waiting", "removed_from")}
    dicts: dict[str, Any] = {name: {} for name in ("former", "added", "deleted", "reasons", "health", "drains")}
    return {"nodes": empty | (nodes or {}), "configures": True} | lists | dicts | changed


def test_what_was_configured_is_told_apart_from_the_nodes() -> None:
    assert list(report._done(given(visited=["demo-worker-0", "demo-worker-1"]))) == [
        UNCHANGED,
        "configured: demo-worker-0, demo-worker-1",
        "done: 2 changed",
    ]
    assert list(report._done(given())) == [UNCHANGED]


def test_nodes_that_failed_or_wait_are_not_configured() -> None:
    visited = ["demo-worker-0", "demo-worker-1", "demo-worker-2"]
    lines = list(report._done(given(visited=visited, lost=["demo-worker-1"], waiting=["demo-worker-2"])))
    assert lines == ["configured: demo-worker-0", "done: 1 changed, 1 failed"]


def test_what_failed_is_not_done() -> None:
    made = {"sign": "+", "name": "demo-worker-3", "text": "create in here"}
    nodes = {"plan": [made, LEAVES], "failed_names": ["demo-worker-3"], "leaving": ["demo-worker-2"], "failure_lines": ["demo-worker-3 failed: x"]}
    assert list(report._done(given(nodes, lost=["demo-worker-2"]))) == ["done: 2 failed", "demo-worker-3 failed: x"]


def test_a_removed_role_is_named_for_the_nodes_that_it_was_removed_from() -> None:
    former = {"demo-worker-0": STEPS, "demo-worker-1": STEPS, "demo-worker-2": STEPS}
    lines = list(report._done(given(former=former, removed_from=["demo-worker-0", "demo-worker-1"], lost=["demo-worker-1"])))
    assert lines == ["removed: spark_worker from demo-worker-0", "done: 1 changed, 1 failed"]


def test_kept_volumes_are_those_after_the_deletion_of_the_nodes_that_leave() -> None:
    nodes = {"plan": [LEAVES], "leaving": ["demo-worker-2"]}
    lines = list(report._done(given(nodes, deleted={"kept_volumes": [VOLUME]})))
    assert lines[1:] == ["done: 1 deleted", "kept: 1 data volume(s), 5 GiB in all", "  demo-worker-2-data 5 GiB"]
    assert list(report._done(given(nodes | {"kept_volumes": [VOLUME]}, deleted={"kept_volumes": []}))) == lines[:2]
    assert list(report._done(given({"kept_volumes": [VOLUME]}, deleted={"skipped": True})))[1:] == lines[2:]


def test_a_plan_names_added_roles_and_kept_volumes() -> None:
    asked = given(
        {"kept_volumes": [VOLUME]},
        visited=["demo-master-0"],
        reasons={"demo-master-0": ["changed"]},
        added={"demo-master-0": ["spark_worker"]},
    )
    assert list(report._foretold(asked)) == [
        "~ demo-master-0  configure: add spark_worker",
        "plan: 1 to change",
        "kept: 1 data volume(s), 5 GiB in all",
        "  demo-worker-2-data 5 GiB",
    ]
    assert next(report._foretold(asked | {"visited": []})) == UNCHANGED


def test_a_plan_names_the_reason_of_each_visit() -> None:
    reasons = {"demo-master-0": ["full"], "demo-worker-0": ["faulty"], "demo-worker-1": ["new"], "demo-worker-2": ["changed"]}
    health = {"demo-worker-0": {"health": "disk full", "faults": ["volume data is not mounted on /data/data"]}}
    assert list(report._foretold(given(visited=list(reasons), reasons=reasons, health=health)))[:-1] == [
        "~ demo-master-0  configure: asked for (sky_full)",
        "~ demo-worker-0  configure: volume data is not mounted on /data/data",
        "~ demo-worker-1  configure: it was never configured",
        "~ demo-worker-2  configure: its settings, software or peers have changed",
    ]


def test_differences_that_stay_are_counted() -> None:
    drifted = given({"differing": ["demo-worker-0"]})
    for lines in (list(report._foretold(drifted)), list(report._done(drifted))):
        assert lines == ["no node is changed; 1 node(s) differ from the cluster file"]


def test_a_run_that_only_provisions_deletes_no_node_that_leaves() -> None:
    asked = given({"plan": [LEAVES], "leaving": ["demo-worker-2"]}, configures=False)
    assert list(report._foretold(asked)) == list(report._done(asked)) == []
    assert list(report._next(asked)) == ["next: sky.clusters.cluster drains and deletes demo-worker-2"]
    assert list(report._next(asked | {"configures": True})) == []
