# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ready hash, which decides whether a node is visited."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._ready_hash import is_input, ready_hash


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
