# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The longest tests come first: begun last, one would go on alone for minutes."""

from __future__ import annotations

import pytest

LONGEST = (
    "test_ten_thousand_steps_of_the_state_machine",
    "test_every_fault_at_every_call_of_a_run",
    "test_a_killed_run_leaves_no_cloud_unnamed",
    "test_a_run_that_is_killed_anywhere_is_continued_by_the_next",
    "test_nodes_are_created_recorded_deleted_and_destroyed",
    "test_every_fault_at_every_call_of_a_destroy",
    "test_a_destroy_that_is_killed_anywhere_is_continued_by_the_next",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(getattr(item, "originalname", ""), len(LONGEST)))
