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
from ansible_collections.sky.clusters.plugins.module_utils._views._changes import changes
from ansible_collections.sky.clusters.plugins.module_utils._views._details import details
from ansible_collections.sky.clusters.plugins.module_utils._views._lines import UNCHANGED, Configuration, done_lines, plan_lines, plan_rows, unchanged
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


NAMED = Wishes(replace=frozenset({"demo-worker-1"}))


def test_a_failed_node_and_one_that_differs_are_replaced() -> None:
    nodes = [node(0, State.FAILED), node(1, flavor="large"), node(2)]
    made = planned(nodes, [volume(0), volume(1), volume(2)], {"worker": DATA["worker"] | {"count": 3}}, NAMED)
    differs = "flavor is large, the file says small"
    assert shown(made) == [
        "-/+ demo-worker-0  delete and recreate in one (small, debian-12); demo-worker-0-data (5 GiB) is kept",
        f"-/+ demo-worker-1  drain, delete and recreate in one (small, debian-12): {differs}; demo-worker-1-data (5 GiB) is kept",
        "plan: 2 to replace",
    ]
    without = shown(planned(nodes, [], {"worker": {"count": 3, "roles": ["spark_worker"]}}, NAMED))
    assert without[0] == "-/+ demo-worker-0  delete and recreate in one (small, debian-12)"
    assert [(row.action, row.reason, row.drain) for row in plan_rows([change.plain() for change in changes(made)])] == [
        ("replace", "", "never"),
        ("replace", differs, "first"),
    ]


def test_a_destruction_names_the_data_that_is_kept() -> None:
    existing = {"one": Listing((node(0),), (volume(0),))}
    assert shown(plan_destroy(cluster_of("/nowhere", DATA), {"one": OWNER}, existing)) == [
        "- demo-worker-0  delete (running) in one; demo-worker-0-data (5 GiB) is kept",
        "plan: 1 to delete",
    ]


WHY = "its settings, software or peers have changed"


def test_visits_and_removed_roles_are_part_of_it() -> None:
    new = {"sign": "+", "name": "demo-worker-3", "text": "create in here"}
    visits = {"demo-worker-3": "it was never configured", "demo-master-0": WHY, "demo-worker-1": WHY, "demo-worker-2": "spark-worker is failed"}
    removals = {"demo-worker-1": ["spark_worker", "spark"], "demo-worker-4": ["vpn"]}
    assert plan_lines([new], Configuration(visits, removals, drained=["demo-worker-1"])) == [
        "+ demo-worker-3  create in here",
        "~ demo-worker-1  drain, remove spark_worker, spark",
        "~ demo-worker-4  remove vpn",
        f"~ demo-master-0  configure: {WHY}",
        "~ demo-worker-2  configure: spark-worker is failed",
        "plan: 1 to create, 4 to change",
    ]


def test_a_visit_that_may_restart_what_drains_says_so() -> None:
    restarts = {name: ["spark_worker"] for name in ("demo-worker-0", "demo-worker-1", "demo-worker-2")}
    visits = dict.fromkeys(restarts, WHY)
    added = {"demo-worker-1": ["spark_worker"]}  # nothing of it runs there yet
    assert plan_lines([], Configuration(visits, {"demo-worker-2": ["vpn"]}, added, restarts=restarts))[:-1] == [
        "~ demo-worker-2  remove vpn; drained first if a daemon restarts",
        f"~ demo-worker-0  configure: {WHY}; drained first if a daemon restarts",
        "~ demo-worker-1  configure: add spark_worker",
    ]


def test_a_node_that_is_replaced_has_one_row_and_one_that_changes_twice_counts_once() -> None:
    found = [{"sign": "-/+", "name": "demo-worker-1", "text": "replace"}, {"sign": "~", "name": "demo-master-0", "text": "record"}]
    visits = {"demo-worker-1": WHY, "demo-master-0": WHY}
    assert plan_lines(found, Configuration(visits, {"demo-worker-1": ["vpn"]})) == [
        "-/+ demo-worker-1  replace",
        "~   demo-master-0  record",
        f"~   demo-master-0  configure: {WHY}",
        "plan: 1 to change, 1 to replace",
    ]


def test_a_long_name_does_not_move_the_others() -> None:
    long = "rule everything from group sky-demo (IPv4)"
    lines = plan_lines([{"sign": "+", "name": name, "text": "create in one"} for name in (long, "demo-worker-0")])
    assert lines[0] == f"+ {long}  create in one"
    assert all(len(line) < 78 for line in lines)


def test_what_was_done_has_a_total_and_names_removed_roles() -> None:
    made = [{"sign": "+", "name": "demo-worker-3", "text": "create in here"}, {"sign": "-", "name": "demo-worker-4", "text": "drain and delete"}]
    visits = dict.fromkeys(["demo-master-0", "demo-worker-1", "demo-worker-3"], "")
    removals = {"demo-worker-1": ["spark_worker", "spark"], "demo-worker-2": ["spark_worker", "spark"]}
    assert done_lines(made, Configuration(visits, removals), ["demo-worker-5"]) == [
        "demo-worker-3: create in here",
        "demo-worker-4: drain and delete",
        "removed: spark_worker, spark from demo-worker-1, demo-worker-2",
        "configured: demo-master-0, demo-worker-1, demo-worker-3",
        "done: 1 created, 3 changed, 1 deleted, 1 failed",
    ]
    assert done_lines([], Configuration(), ["demo-worker-5"]) == ["done: 1 failed"]
    assert done_lines([], Configuration()) == []


def test_a_run_that_leaves_differences_does_not_say_that_all_match() -> None:
    assert unchanged([]) == UNCHANGED
    assert unchanged(["demo-worker-0", "demo-worker-1"]) == "no node is changed; 2 node(s) differ from the cluster file"


def test_what_all_nodes_share_has_lines() -> None:
    made = planned([], [], {"worker": {"count": 1}}).prepared({"one": ("network sky-demo", "key pair sky-demo-1")})
    assert shown(made) == [
        "+ network sky-demo     create in one",
        "+ key pair sky-demo-1  create in one",
        "+ demo-worker-0        create in one (small, debian-12)",
        "plan: 3 to create",
    ]
    existing = {"one": Listing((node(0),), ())}
    gone = plan_destroy(cluster_of("/nowhere", DATA), {"one": OWNER}, existing).dismantled({"one": ("network sky-demo",)})
    assert shown(gone) == ["- demo-worker-0     delete (running) in one", "- network sky-demo  delete in one", "plan: 2 to delete"]
    assert planned([node(0)], [], {"worker": {"count": 1}}).prepared({"one": ("network sky-demo",)}).clouds["one"].prepare == ()


def test_the_details_are_what_things_are_before_and_after() -> None:
    existing = [node(0, State.FAILED), node(1, flavor="large"), node(3)]
    wishes = Wishes(replace=frozenset({"demo-worker-1"}))
    made = planned(existing, [volume(0), volume(1), volume(3)], {"worker": {"count": 3, "volumes": {"data": 7}}}, wishes)
    found = {each["after_header"]: (each["before"].splitlines(), each["after"].splitlines()) for each in details(made)}
    assert found["demo-worker-0"][0] == ["cloud: one", "flavor: small", "image: debian-12", "volume demo-worker-0-data: 5 GiB"]
    assert found["demo-worker-0"][1] == ["cloud: one", "flavor: small", "image: debian-12", "volume demo-worker-0-data: 7 GiB"]
    assert (found["demo-worker-1"][0][1], found["demo-worker-1"][1][1]) == ("flavor: large", "flavor: small")
    assert found["demo-worker-3-data"] == (["size: 5 GiB"], ["size: 7 GiB"])
    assert "demo-worker-3" not in found
    new = details(planned([], [], {"worker": {"count": 1, "volumes": {"data": 5}}}))
    assert [(each["before"], each["after"].splitlines()[-1]) for each in new] == [("", "volume demo-worker-0-data: 5 GiB")]
    destruction = plan_destroy(cluster_of("/nowhere", DATA), {"one": OWNER}, {"one": Listing((node(0),), (volume(0),))})
    assert [(each["after_header"], each["after"]) for each in details(destruction)] == [("demo-worker-0", "")]
    assert details(destruction)[0]["before"].splitlines() == ["cloud: one", "flavor: small", "image: debian-12"]  # its data is kept
    assert [each["before"] for each in details(destruction, data=True)][-1] == "size: 5 GiB\n"
    assert details(planned([node(0)], [], {"worker": {"count": 1}})) == []


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
    visits = {"demo-master-0": WHY, "demo-worker-1": WHY}
    assert plan_lines([], Configuration(visits, {"demo-worker-1": ["spark_worker"]}, added)) == [
        "~ demo-worker-1  remove spark_worker; add hdfs_datanode",
        "~ demo-master-0  configure: add spark_worker",
        "plan: 2 to change",
    ]


def test_nothing_to_do_is_no_plan() -> None:
    assert plan_lines([]) == []
