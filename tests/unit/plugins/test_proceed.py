# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the results of tasks that ran once are failures."""

from __future__ import annotations

from ansible_collections.sky.clusters.plugins.action.proceed import failures


def test_successes_and_skipped_tasks_are_none() -> None:
    assert list(failures([{"changed": True}, {"skipped": True}, {"results": [{"rc": 0}]}, {"failed": False, "unreachable": False}])) == []


def test_a_failed_task_and_an_unreachable_node_are() -> None:
    bad = [{"failed": True, "msg": "no"}, {"unreachable": True, "msg": "gone"}]
    assert list(failures([{"changed": True}, *bad])) == bad


def test_of_a_loop_the_failed_items_are_shown() -> None:
    items = [{"rc": 0}, {"unreachable": True, "msg": "gone"}, {"failed": True, "msg": "no"}]
    assert list(failures([{"failed": True, "msg": "All items completed", "results": items}])) == items[1:]
