# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ready hash, which decides whether a node is visited."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils import _ready_hash
from ansible_collections.sky.clusters.plugins.plugin_utils._ready_hash import _everything, is_input, ready_hash
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import inventory_value, untemplated


@pytest.mark.parametrize(
    ("variable", "roles", "counts"),
    [
        ("spark_version", ["spark_worker"], True),
        ("spark_worker_memory", ["spark_worker"], True),
        ("spark_worker_memory", ["spark_master"], False),
        ("spark_worker_memory", ["spark_master", "spark_worker"], True),
        ("spark_proof_force", ["spark_master", "spark_worker"], False),
        ("spark_version", [], False),
        ("node_user", [], True),
        ("sky_volumes", [], True),
        ("sky_ready", ["spark_worker"], False),
        ("ansible_host", ["spark_worker"], False),
    ],
)
def test_a_visit_depends_on_the_variables_of_the_nodes_own_roles(variable: str, roles: list[str], counts: bool) -> None:
    assert is_input(variable, roles) is counts


def test_the_hash_follows_roles_and_variables() -> None:
    same = ready_hash(["spark_worker"], {"spark_version": "4.3.0"})
    assert ready_hash(["spark_worker"], {"spark_version": "4.3.0"}) == same
    assert ready_hash(["spark_worker"], {"spark_version": "4.3.1"}) != same
    assert ready_hash(["spark_master"], {"spark_version": "4.3.0"}) != same


def test_the_hash_does_not_depend_on_what_ansible_marks() -> None:
    """Variables of a host that a run has added again have other marks than those that the inventory has read."""
    variables = {"sky_address": "10.0.0.4", "sky_network": {"overlay": {"range": "10.99.0.0/16"}}, "spark_note": "{{ 1 }}"}
    plain = ready_hash(["spark_worker"], variables)
    assert [ready_hash(["spark_worker"], mark(variables)) for mark in (inventory_value, untemplated)] == [plain, plain]


def test_the_hash_follows_what_a_role_includes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed helper role, or a changed module of its tasks, is a reason for a visit."""
    monkeypatch.setattr(_ready_hash, "ROOT", tmp_path)
    monkeypatch.setattr(_ready_hash, "ROLE_FOLDER", tmp_path / "roles")
    texts = {
        "roles/one/tasks/main.yml": "- ansible.builtin.include_role: {name: sky.clusters.two}",
        "roles/two/tasks/main.yml": "- sky.clusters.three: {}\n- sky.clusters.one: {}",
        "roles/other/tasks/main.yml": "",
        "plugins/modules/three.py": "",
        "plugins/action/three.py": "",
        "plugins/modules/four.py": "",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert set(_everything({"one": tmp_path / "roles/one"})) == {"one", "two", "modules/three", "action/three"}


def test_the_roles_of_a_system_include_what_installs_them() -> None:
    found = set(_everything(_ready_hash._folders(["spark_worker"])))
    assert {"node", "spark", "spark_worker", "distribution", "java", "artifact", "modules/files", "modules/spark_daemon"} <= found
    assert "spark_master" not in found
