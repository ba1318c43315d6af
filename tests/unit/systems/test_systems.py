# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of systems, and a node that has roles of two of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems import _table
from ansible_collections.sky.clusters.plugins.module_utils._systems._spark import SPARK
from ansible_collections.sky.clusters.plugins.module_utils._systems._system import Opinion, Role, Seen, System, View, view_of
from ansible_collections.sky.clusters.plugins.plugin_utils._findings import Verdict, judge

SILENT = {"reachable": False, "why": "timed out"}
LOST, IDLE = Opinion(lost=True), Opinion(idle=True)


def with_disk(volumes: Collection[str]) -> bool:
    return "disk" in volumes


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table with a second system, whose disks are disposable where they are volumes."""
    roles = {"store_head": Role(("store_head",), ()), "store_disk": Role(("store", "store_disk"), (), drains=True, disposable=with_disk)}
    store = System("store", "Store", roles, head="store_head")
    systems = {"store": store, "spark": SPARK}
    monkeypatch.setattr(_table, "SYSTEMS", systems)
    monkeypatch.setattr(_table, "ROLES", {name: role for system in systems.values() for name, role in system.roles.items()})


@pytest.mark.usefixtures("two")
def test_a_node_is_drained_in_the_reverse_order_of_its_systems() -> None:
    assert _table.drains(["store_disk", "spark_worker"]) == _table.drains(["spark_worker", "store_disk"]) == ["spark_worker", "store_disk"]
    assert _table.drains(["spark_master", "spark_worker"]) == ["spark_worker", "spark_master"]
    assert _table.drains(["store_head", "acme.tools.jupyter"]) == []


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("roles", "volumes", "expected"),
    [
        (["spark_worker"], [], True),
        (["spark_worker", "store_disk"], ["disk"], True),
        (["spark_worker", "store_disk"], [], False),
        (["spark_worker", "spark_master"], ["disk"], False),
        (["spark_worker", "acme.tools.jupyter"], [], False),
        ([], [], False),
    ],
)
def test_a_node_is_disposable_if_all_its_roles_are(roles: list[str], volumes: list[str], expected: bool) -> None:
    assert _table.disposable(roles, volumes) is expected


@pytest.mark.usefixtures("two")
def test_heads_are_the_first_nodes_with_their_roles() -> None:
    nodes = [("c-a-0", ["store_head", "spark_worker"]), ("c-b-0", ["spark_master"]), ("c-b-1", ["spark_master"])]
    assert _table.head_nodes(nodes) == {"store_head": "c-a-0", "spark_master": "c-b-0"}


def test_roles_of_other_collections_have_a_group_of_their_own() -> None:
    assert _table.others(["spark_worker", "acme.tools.jupyter"]) == ["acme.tools.jupyter"]
    assert _table.group("acme.tools.jupyter") == "acme_tools_jupyter"


def believing(opinion: Opinion) -> System:
    """A system that holds this of all its nodes."""

    def held(nodes: Iterable[Seen], _view: View) -> Mapping[str, Opinion]:
        return {node.name: opinion for node in nodes}

    return System("other", "Other", {"spark_worker": SPARK.roles["spark_worker"]}, head="", judge=held)


def verdict(health: Mapping[str, object], *systems: System) -> Verdict:
    return judge([Seen("c-w-0", "10.0.0.5", ("spark_worker",), health)], {}, systems)["c-w-0"]


@pytest.mark.parametrize(
    ("opinions", "health", "sick"),
    [
        ([LOST, LOST], "lost", True),
        ([LOST, Opinion(at_work=True)], "no ssh", False),
        ([LOST, Opinion()], "no ssh", False),
    ],
)
def test_a_silent_node_is_lost_only_if_all_its_systems_say_so(opinions: list[Opinion], health: str, sick: bool) -> None:
    found = verdict(SILENT, *map(believing, opinions))
    assert (found.health, bool(found.sick)) == (health, sick)


def test_a_node_is_idle_only_if_all_its_systems_say_so() -> None:
    assert verdict(SILENT, believing(IDLE), believing(IDLE)).idle
    assert not verdict(SILENT, believing(IDLE), believing(Opinion())).idle
    assert not verdict(SILENT).idle


def test_a_view_takes_what_a_module_left_out_for_nothing() -> None:
    assert view_of({}) == View(asked=True)
