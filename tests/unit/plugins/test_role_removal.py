# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that remove a role from a node when its pool no longer has it."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES
from ansible_collections.sky.clusters.plugins.plugin_utils._ready_hash import ROLE_FOLDER
from ansible_collections.sky.clusters.plugins.plugin_utils._role_removal import removal


def words(former: list[str], roles: list[str]) -> list[str]:
    return [f"{step['role']} {step['tasks']}" for step in removal(former, roles)]


def test_the_last_role_is_removed_with_the_roles_that_it_needed() -> None:
    assert words(["spark_worker"], []) == ["spark_worker leave", "spark_worker remove", "spark remove"]


@pytest.mark.parametrize("kept", ["spark_master", "spark_worker"])
def test_a_role_that_another_role_needs_is_kept(kept: str) -> None:
    (former,) = {"spark_master", "spark_worker"} - {kept}
    assert words([former], [kept]) == [f"{former} leave", f"{former} remove"]


def test_a_head_is_removed_after_its_members() -> None:
    assert words(["spark_master", "spark_worker"], [])[::2] == ["spark_worker leave", "spark_master leave", "spark remove"]


def test_the_steps_that_stop_a_head_wait_for_its_members_on_other_nodes() -> None:
    steps = removal(["spark_master", "spark_worker"], [])
    assert [step["role"] for step in steps if step["waits"]] == ["spark_master", "spark_master", "spark"]
    assert not any(step["waits"] for step in removal(["spark_worker"], []))


def test_a_role_that_the_node_has_is_not_removed() -> None:
    assert removal(["spark_worker"], ["spark_worker"]) == []


def test_every_role_that_runs_services_can_be_removed() -> None:
    folders = [ROLE_FOLDER / role.own / "tasks" for role in ROLES.values() if role.services]
    assert [folder for folder in folders if not (folder / "remove.yml").is_file()] == []
