# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook of the collection is run as a whole, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._partial_run import PLAYBOOKS, refusal

USUAL: dict[str, Any] = {"args": ("sky.clusters.destroy",), "tags": ("all",), "skip_tags": (), "subset": None, "start_at_task": None, "step": None}


@pytest.mark.parametrize(
    ("option", "more"),
    [
        ("--limit", {"subset": "demo-worker-0"}),
        ("--limit", {"subset": "localhost"}),
        ("--tags", {"tags": ("x",)}),
        ("--skip-tags", {"skip_tags": ("untagged",)}),
        ("--start-at-task", {"start_at_task": "Evaluate the state"}),
        ("--step", {"step": True}),
        ("--limit and --tags", {"subset": "all", "tags": ("always",)}),
        ("--limit", {"subset": "x", "args": ("site.yml", str(PLAYBOOKS / "status.yml"))}),
        ("--limit", {"subset": "spark_worker", "tags": ("x",), "args": ("site.yml",)}),  # which imports one of ours, as projects of AWX do
    ],
)
def test_what_skips_a_part_is_refused(option: str, more: dict[str, Any]) -> None:
    assert f"cannot be run in part: with {option} Ansible would skip" in refusal(USUAL | more)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"skip_tags": ("slow",)},  # of which the collection has none
        {"tags": ("all", "x")},
        {"subset": "x", "listtasks": True},
        {"tags": ("x",), "args": ("site.yml",)},
    ],
)
def test_what_skips_nothing_is_accepted(more: dict[str, Any]) -> None:
    assert refusal(USUAL | more) == ""


def test_other_programs_have_other_options() -> None:
    assert refusal({}) == ""
    assert refusal({"args": "all", "subset": "x"}) == ""
