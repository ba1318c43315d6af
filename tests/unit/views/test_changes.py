# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that is shown: every thing that a run would do, once, with its sign, and what data is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Listing, Mark, Node, State, Volume
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan import plan, plan_destroy
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Plan, Wishes
from ansible_collections.sky.clusters.plugins.module_utils._views._changes import VISIT, changes, plan_lines
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of

OWNER = "ada"
DATA = {"worker": {"count": 2, "volumes": {"data": 5}}}


def node(index: int, state: State = State.RUNNING, flavor: str = "small") -> Node:
    mark = Mark(OWNER, "demo", "worker", index)
    return Node(mark.node_name, f"id-{index}", mark, state, flavor=flavor, image="debian-12")


def volume(index: int, size: int = 5, attached: bool = True) -> Volume:
    mark = Mark(OWNER, "demo", "worker", index)
    return Volume(mark.volume_name("data"), f"v-{index}", mark, size, attached=mark.node_name if attached else "")


def planned(nodes: list[Node], volumes: list[Volume], pools: Mapping[str, object], wishes: Wishes | None = None) -> Plan:
    return plan(cluster_of("/nowhere", pools), {"one": OWNER}, {"one": Listing(tuple(nodes), tuple(volumes))}, wishes)


def shown(made: Plan) -> list[str]:
    return plan_lines([change.plain() for change in changes(made)])


def test_new_nodes_and_the_volumes_that_they_lack() -> None:
    assert shown(planned([], [volume(1, attached=False)], DATA)) == [
        "+ demo-worker-0       create in one (small, debian-12)",
        "+ demo-worker-0-data  create in one (5 GiB)",
        "+ demo-worker-1       create in one (small, debian-12)",
        "plan: 3 to create",
    ]


def test_a_node_that_leaves_and_the_data_that_is_kept() -> None:
    lines = shown(planned([node(0), node(1)], [volume(0), volume(1)], {"worker": {"count": 1, "volumes": {"data": 7}}}))
    assert lines == [
        "~ demo-worker-0-data  extend to 7 GiB in one",
        "- demo-worker-1       drain and delete in one; demo-worker-1-data (5 GiB) is kept",
        "plan: 1 to change, 1 to delete",
    ]


def test_a_failed_node_and_one_that_differs_are_replaced() -> None:
    nodes = [node(0, State.FAILED), node(1, flavor="large"), node(2)]
    lines = shown(planned(nodes, [], {"worker": {"count": 3, "roles": ["spark_worker"]}}, Wishes(replace=frozenset({"demo-worker-1"}))))
    assert lines == [
        "-/+ demo-worker-0  delete and recreate in one (small, debian-12)",
        "-/+ demo-worker-1  drain, delete and recreate in one (small, debian-12): flavor is large, the file says small",
        "plan: 2 to replace",
    ]


def test_a_destruction_names_the_data_that_is_kept() -> None:
    existing = {"one": Listing((node(0),), (volume(0),))}
    assert shown(plan_destroy(cluster_of("/nowhere", DATA), {"one": OWNER}, existing)) == [
        "- demo-worker-0  delete (running) in one; demo-worker-0-data (5 GiB) is kept",
        "plan: 1 to delete",
    ]


def test_visits_and_removed_roles_are_part_of_it() -> None:
    new = {"sign": "+", "name": "demo-worker-3", "text": "create in here"}
    assert plan_lines([new], ["demo-worker-3", "demo-master-0", "demo-worker-1"], {"demo-worker-1": ["spark_worker", "spark"]}) == [
        "+ demo-worker-3  create in here",
        "~ demo-worker-1  remove spark_worker, spark",
        f"~ demo-master-0  {VISIT}",
        "plan: 1 to create, 2 to change",
    ]


def test_a_destruction_names_the_data_that_it_deletes() -> None:
    existing = {"one": Listing((node(0),), (volume(0), volume(1, attached=False)))}
    made = plan_destroy(cluster_of("/nowhere", DATA), {"one": OWNER}, existing)
    assert plan_lines([change.plain() for change in changes(made, data=True)]) == [
        "- demo-worker-0       delete (running) in one",
        "- demo-worker-0-data  delete with its data in one (5 GiB)",
        "- demo-worker-1-data  delete with its data in one (5 GiB)",
        "plan: 3 to delete",
    ]


def test_an_image_that_is_fetched_or_built_first_has_a_line() -> None:
    made = planned([], [], {"worker": {"count": 1}})
    made = replace(made, clouds={"one": replace(made.clouds["one"], images=("debian-12",))})
    assert shown(made) == [
        "+ image debian-12  fetch or build in one, before its first node",
        "+ demo-worker-0    create in one (small, debian-12)",
        "plan: 2 to create",
    ]


def test_an_added_role_is_named() -> None:
    added = {"demo-master-0": ["spark_worker"], "demo-worker-1": ["hdfs_datanode"]}
    assert plan_lines([], ["demo-master-0", "demo-worker-1"], {"demo-worker-1": ["spark_worker"]}, added) == [
        "~ demo-worker-1  remove spark_worker; add hdfs_datanode",
        "~ demo-master-0  configure: add spark_worker",
        "plan: 2 to change",
    ]


def test_nothing_to_do_is_no_plan() -> None:
    assert plan_lines([]) == []
