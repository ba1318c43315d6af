# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of a run."""

from __future__ import annotations

from ansible_collections.sky.clusters.plugins.action import report
from ansible_collections.sky.clusters.plugins.module_utils._views._changes import UNCHANGED


def test_what_was_configured_is_told_apart_from_the_nodes() -> None:
    assert list(report._configured(["demo-worker-0", "demo-worker-1"])) == ["configured: demo-worker-0, demo-worker-1"]
    assert list(report._configured([])) == []


def test_a_plan_names_added_roles_and_kept_volumes() -> None:
    nodes = {"plan": [], "estimate": [], "kept_volumes": [{"name": "demo-worker-2-data", "size": 5}]}
    asked = {"nodes": nodes, "visited": ["demo-master-0"], "former": {}, "added": {"demo-master-0": ["spark_worker"]}}
    assert list(report._foretold(asked)) == [
        "~ demo-master-0  configure: add spark_worker",
        "plan: 1 to change",
        "kept: 1 data volume(s), 5 GiB in all",
        "  demo-worker-2-data 5 GiB",
    ]
    assert next(report._foretold(asked | {"visited": []})) == UNCHANGED
