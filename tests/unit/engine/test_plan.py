# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner and a run, on examples and on whatever a state machine does to a cluster."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    Definition,
    Listing,
    Mark,
    Node,
    State,
    Stray,
    Volume,
    VolumeSpec,
)
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster
from ansible_collections.sky.clusters.plugins.module_utils._engine._draft import node_spec
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan import plan, plan_destroy
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import DRIFT, CloudPlan, Plan, Wishes
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of
from ansible_collections.sky.clusters.tests.support.machine import ClusterMachine

OWNER = "ada"


def cluster(pools: Mapping[str, Any] | None = None, **more: Any) -> Cluster:
    return cluster_of("/nowhere", pools or {"worker": 3}, **more)


def node(index: int, state: State = State.RUNNING, pool: str = "worker", **more: Any) -> Node:
    mark = Mark(more.pop("owner", OWNER), "demo", pool, index)
    values: dict[str, Any] = {
        "name": mark.node_name,
        "id": f"id-{pool}-{index}",
        "mark": mark,
        "state": state,
        "flavor": "small",
        "image": "debian-12",
    }
    return Node(**(values | more))


def volume(index: int, name: str = "data", size: int = 5, pool: str = "worker", attached: bool = True) -> Volume:
    mark = Mark(OWNER, "demo", pool, index)
    return Volume(mark.volume_name(name), f"v-{index}-{name}", mark, size, attached=mark.node_name if attached else "")


def listed(*nodes: Node, volumes: tuple[Volume, ...] = (), strays: tuple[Stray, ...] = ()) -> Listing:
    return Listing(nodes, volumes, strays)


def made(listing: Listing, wishes: Wishes | None = None, pools: Mapping[str, Any] | None = None) -> Plan:
    return plan(cluster(pools), {"one": OWNER}, {"one": listing}, wishes)


def names(part: CloudPlan) -> dict[str, list[str]]:
    """The names in every part that is not empty."""
    parts = {field.name: [getattr(item, "name", item) for item in getattr(part, field.name)] for field in dataclasses.fields(part)}
    return {name: found for name, found in parts.items() if found}


def one(made_plan: Plan) -> dict[str, list[str]]:
    assert made_plan.refusals == ()
    return names(made_plan.clouds["one"])


ALL = ["demo-worker-0", "demo-worker-1", "demo-worker-2"]


def test_nothing_is_there() -> None:
    found = made(listed())
    assert one(found) == {"create": ALL}
    assert found.changes


def test_all_is_there() -> None:
    found = made(listed(*map(node, range(3))))
    assert one(found) == {"keep": ALL}
    assert not found.changes


def test_what_the_node_is_to_be() -> None:
    data = {
        "worker": {"count": 1, "volumes": {"data": {"size": 7, "type": "fast"}}, "flavor": "large", "public_ip": True, "extra": {"b": 2}},
    }
    wanted = cluster(data, clouds={"one": {"extra": {"a": 1, "b": 1}, "ssh_user": "debian"}}, admin_cidrs=["192.0.2.0/24"])
    (spec,) = plan(wanted, {"one": OWNER}, {"one": listed()}, Wishes(ssh_keys=("key",))).clouds["one"].create
    assert spec == dataclasses.replace(node_spec(wanted, OWNER, "worker", 0, ("key",)), number=1)
    assert (spec.mark, spec.image, spec.flavor, spec.public_ip) == (Mark(OWNER, "demo", "worker", 0), "debian-12", "large", True)
    assert spec.volumes == (VolumeSpec("demo-worker-0-data", 7, "fast"),)
    assert (spec.ssh_keys, spec.ssh_user, spec.extra) == (("key",), "debian", {"a": 1, "b": 2})


def test_a_node_that_this_run_replaces_keeps_its_name() -> None:
    found = made(listed(node(0), node(2)), Wishes(replaced=frozenset({"demo-worker-4", "demo-other-1"})), {"worker": 3})
    assert one(found)["create"] == ["demo-worker-4"]


def test_a_node_that_this_run_replaces_is_created_again_although_its_pool_shrinks() -> None:
    found = made(listed(node(1), node(2), node(3)), Wishes(replaced=frozenset({"demo-worker-0"})), {"worker": 3})
    assert one(found) == {"create": ["demo-worker-0"], "keep": ["demo-worker-1", "demo-worker-2"], "leave": ["demo-worker-3"]}


def test_a_new_node_takes_an_index_whose_data_volume_exists() -> None:
    """As after a run that was killed between the deletion of a node and its creation: the data would stay behind."""
    found = made(listed(node(0), volumes=(volume(0), volume(2, attached=False))), pools={"worker": {"count": 2, "volumes": {"data": 5}}})
    assert one(found)["create"] == ["demo-worker-2"]


def test_growth_takes_the_lowest_free_indices() -> None:
    assert one(made(listed(node(1), node(4)), pools={"worker": 5})) == {
        "create": ["demo-worker-0", "demo-worker-2", "demo-worker-3"],
        "keep": ["demo-worker-1", "demo-worker-4"],
    }


def test_a_failed_node_is_replaced_under_its_own_name() -> None:
    found = made(listed(node(0), node(1, State.FAILED), node(2)))
    assert one(found) == {"delete": ["demo-worker-1"], "create": ["demo-worker-1"], "keep": ["demo-worker-0", "demo-worker-2"]}


def test_a_stopped_node_is_started() -> None:
    assert one(made(listed(node(0), node(1, State.STOPPED), node(2)))) == {
        "create": ["demo-worker-1"],
        "keep": ["demo-worker-0", "demo-worker-2"],
        "existing": ["demo-worker-1"],
    }


def test_a_building_node_is_waited_for_and_is_no_change() -> None:
    found = made(listed(node(0), node(1, State.BUILDING), node(2)))
    assert one(found) == {"wait": ["demo-worker-1"], "keep": ["demo-worker-0", "demo-worker-2"]}
    assert not found.changes


def test_a_half_deleted_node_is_deleted_and_recreated() -> None:
    found = made(listed(node(0), node(1, State.DELETING), node(2)))
    assert one(found) == {"delete": ["demo-worker-1"], "create": ["demo-worker-1"], "keep": ["demo-worker-0", "demo-worker-2"]}


# who leaves


@pytest.mark.parametrize(
    ("count", "wishes", "leave", "delete"),
    [
        (4, Wishes(), [], [2]),  # the failed one first, and it has nothing to drain
        (3, Wishes(), [4], [2]),  # then the highest
        (3, Wishes(idle=frozenset({"demo-worker-1"})), [1], [2]),  # then the idle
        (2, Wishes(idle=frozenset({"demo-worker-1"})), [1, 4], [2]),
        (4, Wishes(remove=frozenset({"demo-worker-0"})), [0], []),  # the named before all; the failed one is then replaced
        (3, Wishes(remove=frozenset({"demo-worker-0"}), idle=frozenset({"demo-worker-3"})), [0], [2]),
        (2, Wishes(remove=frozenset({"demo-worker-0"}), idle=frozenset({"demo-worker-3"})), [0, 3], [2]),
        (0, Wishes(), [0, 1, 3, 4], [2]),
    ],
)
def test_who_leaves(count: int, wishes: Wishes, leave: list[int], delete: list[int]) -> None:
    nodes = [node(index, State.FAILED if index == 2 else State.RUNNING) for index in range(5)]
    found = made(listed(*nodes), wishes, {"worker": count})
    part = found.clouds["one"]
    assert sorted(n.mark.index for n in part.leave) == leave
    replaced = {spec.name for spec in part.create}
    assert [n.mark.index for n in part.delete if n.name not in replaced] == delete
    assert len(part.keep) + len(part.create) == count


@pytest.mark.parametrize("state", [State.FAILED, State.STOPPED, State.BUILDING])
def test_what_does_not_run_has_nothing_to_drain(state: State) -> None:
    found = made(listed(node(0), node(1, state)), pools={"worker": 1})
    assert one(found) == {"delete": ["demo-worker-1"], "keep": ["demo-worker-0"]}


def test_a_name_to_remove_that_does_not_exist_must_not_cost_another_node() -> None:
    found = made(listed(*map(node, range(4))), Wishes(remove=frozenset({"demo-worker-9"})))
    assert found.refusals == ("sky_remove: no node demo-worker-9 in this cluster, and demo-worker-3 would be removed instead",)
    assert names(found.clouds["one"]) == {}


def test_a_name_to_remove_that_is_gone_is_done_already() -> None:
    remove = Wishes(remove=frozenset({"demo-worker-1"}))
    found = made(listed(node(0), node(2)), remove, {"worker": 2})
    assert one(found) == {"keep": ["demo-worker-0", "demo-worker-2"]}
    assert found.notes == ("sky_remove: no node demo-worker-1 in this cluster (any more)",)
    two = Wishes(remove=frozenset({"demo-worker-1", "demo-worker-2"}))  # the run was killed between the two
    assert one(made(listed(node(0), node(2)), two, {"worker": 1})) == {"keep": ["demo-worker-0"], "leave": ["demo-worker-2"]}


def test_a_name_to_remove_does_not_lower_the_count() -> None:
    found = made(listed(*map(node, range(3))), Wishes(remove=frozenset({"demo-worker-1"})))
    assert one(found) == {"keep": ALL}
    assert "demo-worker-1 is kept" in found.notes[0]


# who is sick


FULL = "its root disk is full"


def spark(count: int = 3, role: str = "spark_worker", **more: Any) -> dict[str, Any]:
    return {"worker": {"count": count, "roles": [role], **more}}


def sick(*indices: int, **more: Any) -> Wishes:
    return Wishes(sick={f"demo-worker-{index}": FULL for index in indices}, **more)


def test_a_sick_worker_is_replaced_under_its_own_name_with_its_volumes() -> None:
    found = made(listed(node(0), node(1), node(2), volumes=tuple(map(volume, range(3)))), sick(1), spark(volumes={"data": 5}))
    assert one(found) == {"delete": ["demo-worker-1"], "create": ["demo-worker-1"], "keep": ["demo-worker-0", "demo-worker-2"]}
    assert found.notes == ("demo-worker-1 is replaced: its root disk is full",)
    assert found.clouds["one"].create[0].volumes == (VolumeSpec("demo-worker-1-data", 5),)


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_a_sick_name_that_does_not_run_goes_its_own_way(state: State) -> None:
    listing = listed(node(0), node(1, state), node(2))
    assert made(listing, sick(1, 7), spark()) == made(listing, None, spark())


@pytest.mark.parametrize(
    "pools", [spark(role="spark_master"), {"worker": {"count": 3, "roles": ["spark_worker", "spark_master"]}}, spark() | {"worker": 3}]
)
def test_a_sick_node_that_holds_something_is_left_and_reported(pools: Mapping[str, Any]) -> None:
    nodes = [node(index, clouds=("one",)) for index in range(3)]
    found = made(listed(*nodes), sick(1), pools)
    assert names(found.clouds["one"])["keep"] == ALL
    assert "delete" not in names(found.clouds["one"])
    assert found.notes == ("demo-worker-1: its root disk is full; not replaced: it holds data that a new node would lack",)


def test_sick_nodes_leave_first_and_without_a_drain() -> None:
    found = made(listed(*map(node, range(5))), sick(1, idle=frozenset({"demo-worker-0"})), spark(3))
    assert one(found) == {"delete": ["demo-worker-1"], "leave": ["demo-worker-0"], "keep": ["demo-worker-2", "demo-worker-3", "demo-worker-4"]}
    assert found.notes == ("demo-worker-1 is deleted without being drained: its root disk is full",)
    named = made(listed(*map(node, range(3))), sick(1, remove=frozenset({"demo-worker-0"})), spark(2))
    assert one(named) == {"delete": ["demo-worker-1"], "create": ["demo-worker-1"], "leave": ["demo-worker-0"], "keep": ["demo-worker-2"]}


def test_a_sick_node_of_a_dropped_pool_is_drained_since_nobody_knows_what_it_does() -> None:
    found = made(listed(*map(node, range(3)), node(0, pool="old")), Wishes(sick={"demo-old-0": FULL}, confirm="demo"))
    assert one(found) == {"keep": ALL, "leave": ["demo-old-0"]}


@pytest.mark.parametrize(("failed", "ill", "refused"), [(0, 2, False), (0, 3, True), (1, 1, False), (2, 1, True)])
def test_sick_nodes_count_among_those_that_have_failed(failed: int, ill: int, refused: bool) -> None:
    nodes = [node(index, State.FAILED if index < failed else State.RUNNING) for index in range(5)]
    found = made(listed(*nodes), sick(*range(failed, failed + ill)), spark(5))
    assert bool(found.refusals) == refused
    assert all(f"{failed + ill} of 5 nodes have failed" in sentence for sentence in found.refusals)
    assert len(one(made(listed(*nodes), sick(*range(failed, failed + ill), confirm="demo"), spark(5)))["delete"]) == failed + ill


# differences between the file and nodes, and their replacement


def defined(**parts: str) -> Mapping[str, Definition]:
    return {"worker": Definition(parts=parts, fixed={"network": "all nodes share it"})}


def test_every_known_difference_is_drift_and_what_is_not_known_is_none() -> None:
    nodes = (node(0, made={"memory": "512", "extra": "none"}), node(1, made={"memory": "768"}), node(2))
    found = plan(cluster(), {"one": OWNER}, {"one": listed(*nodes)}, None, defined(memory="768", extra="a: 1"))
    assert [str(drift) for drift in found.drift] == [
        "demo-worker-0: memory is 512, the file says 768; replace the node to change it (-e sky_replace=drift)",
        "demo-worker-0: extra is none, the file says a: 1; replace the node to change it (-e sky_replace=drift)",
    ]
    assert not found.changes


def test_a_volume_of_another_type_is_drift_that_no_new_node_ends() -> None:
    pools = {"worker": {"count": 1, "volumes": {"data": {"size": 5, "type": "fast"}}}}
    found = made(listed(node(0), volumes=(volume(0),)), Wishes(replace=frozenset({DRIFT})), pools)
    (drift,) = found.drift
    assert str(drift).startswith(
        "demo-worker-0: type of volume demo-worker-0-data is the cloud's default, the file says fast; a volume keeps its type"
    )
    assert not found.changes
    assert found.notes == (f"demo-worker-0 is not replaced: {drift.fixed}",)


def replacing(count: int, *names: str, pools: Mapping[str, Any] | None = None, **more: Any) -> Plan:
    """So many nodes that all have too little memory; those named are to be replaced."""
    pools = pools or spark(count, volumes={"data": 5})
    nodes = [node(index, made={"memory": "512"}) for index in range(count)]
    there = listed(*nodes, volumes=tuple(volume(index) for index in range(count)) if "volumes" in pools["worker"] else ())
    return plan(cluster(pools), {"one": OWNER}, {"one": there}, Wishes(replace=frozenset(names), **more), defined(memory="768"))


def replaced(found: Plan) -> list[str]:
    assert found.refusals == ()
    part = found.clouds["one"]
    assert {spec.name for spec in part.replace} <= {node.name for node in part.keep}  # until they are drained they are what they are
    return [spec.name for spec in part.replace]


@pytest.mark.parametrize(("count", "at_once"), [(1, 1), (3, 1), (8, 2), (11, 2), (40, 10)])
def test_a_quarter_of_a_pool_is_replaced_at_once_and_at_least_one(count: int, at_once: int) -> None:
    found = replacing(count, DRIFT)
    assert replaced(found) == [f"demo-worker-{index}" for index in range(at_once)]
    assert any(note.startswith(f"{count - at_once} node(s) remain to be replaced") for note in found.notes) == (count > at_once)
    assert found.changes


def test_idle_nodes_are_replaced_first_and_each_only_once_a_run() -> None:
    assert replaced(replacing(3, DRIFT, idle=frozenset({"demo-worker-2"}))) == ["demo-worker-2"]
    found = replacing(3, DRIFT, replaced=frozenset({"demo-worker-3"}))
    assert (replaced(found), len(found.notes)) == ([], 1)


def test_nodes_may_be_named_and_a_wrong_name_is_refused() -> None:
    assert replaced(replacing(4, "demo-worker-2")) == ["demo-worker-2"]
    (refusal,) = replacing(2, "demo-worker-7").refusals
    assert refusal.startswith("sky_replace: no node demo-worker-7 in this cluster")


@pytest.mark.parametrize(
    "pools", [{"worker": {"count": 2}}, spark(2, role="spark_master"), {"worker": {"count": 2, "roles": ["spark_master", "spark_worker"]}}]
)
def test_a_node_that_may_hold_something_is_replaced_only_by_name(pools: Mapping[str, Any]) -> None:
    found = replacing(2, DRIFT, pools=pools)
    assert replaced(found) == []
    assert [note.split(":")[0] for note in found.notes] == ["demo-worker-0 is not replaced", "demo-worker-1 is not replaced"]
    assert replaced(replacing(2, "demo-worker-1", pools=pools)) == ["demo-worker-1"]
    data = {"worker": {**pools["worker"], "volumes": {"data": 5}}}
    assert replaced(replacing(2, DRIFT, pools=data)) == ["demo-worker-0"]


def test_a_head_is_replaced_once_no_member_is_left_to_replace() -> None:
    wanted = cluster({"master": MASTER | {"volumes": {"data": 5}}, "worker": spark(2)["worker"]})
    old = {"memory": "512"}
    for there, expected in (((old, old), ["demo-worker-0"]), (({}, {}), ["demo-master-0"])):
        nodes = (node(0, pool="master", made=old, clouds=("one",)), *(node(index, made=made) for index, made in enumerate(there)))
        existing = {"one": listed(*nodes, volumes=(volume(0, pool="master"),))}
        definition = Definition(parts={"memory": "768"})
        found = plan(wanted, {"one": OWNER}, existing, Wishes(replace=frozenset({DRIFT})), {"master": definition, "worker": definition})
        assert replaced(found) == expected


def test_unfinished_nodes_leave_before_finished_ones() -> None:
    done = [node(0, ready="h"), node(1), node(2, ready="h"), node(3, State.BUILDING)]
    assert one(made(listed(*done), pools={"worker": 2})) == {
        "delete": ["demo-worker-3"],
        "leave": ["demo-worker-1"],
        "keep": ["demo-worker-0", "demo-worker-2"],
    }
    idle = made(listed(*done), Wishes(idle=frozenset({"demo-worker-0"})), {"worker": 3})
    assert one(idle)["delete"] == ["demo-worker-3"]


# the clouds in use


TWO: Mapping[str, Any] = {"one": {}, "two": {}}
MASTER = {"count": 1, "roles": ["spark_master"]}


def master(clouds: str, **more: Any) -> Node:
    return node(0, pool="master", clouds=tuple(clouds.split()), **more)


def on_two(burst: int, *there: Node, two: Listing | None = None, wishes: Wishes | None = None) -> Plan:
    """A master on cloud one, and so many nodes on cloud two."""
    wanted = cluster({"master": MASTER, "burst": {"count": burst, "cloud": "two"}}, clouds=TWO)
    return plan(wanted, {"one": OWNER, "two": OWNER}, {"one": listed(*there), "two": two or listed()}, wishes)


def test_a_new_server_names_the_clouds_from_its_birth_on_and_comes_first() -> None:
    found = on_two(2)
    (spec,) = found.clouds["one"].create
    assert spec.clouds == ("one", "two")
    assert [spec.clouds for spec in found.clouds["two"].create] == [(), ()]  # it serves nobody
    assert (found.in_use.meanwhile, found.in_use.after, found.first) == (("one", "two"), ("one", "two"), frozenset({"demo-master-0"}))
    again = on_two(2, master("one two", state=State.FAILED))
    assert (again.clouds["one"].create[0].clouds, again.first) == (("one", "two"), frozenset({"demo-master-0"}))


@pytest.mark.parametrize(
    ("named", "burst", "there", "meanwhile", "after"),
    [
        ("", 0, 0, "one", "one"),  # made by an older version
        ("one", 2, 0, "one two", "one two"),  # grows into a cloud
        ("one two", 0, 2, "one two", "one two"),  # nodes that leave are there until they are drained
        ("one two", 0, 0, "one two", "one"),  # they are gone
    ],
)
def test_an_existing_server_is_to_name_the_clouds(named: str, burst: int, there: int, meanwhile: str, after: str) -> None:
    found = on_two(burst, master(named), two=listed(*(node(index, pool="burst") for index in range(there))))
    assert (" ".join(found.in_use.meanwhile), " ".join(found.in_use.after), found.first) == (meanwhile, after, frozenset())
    differs = named != after
    assert [server.name for server in found.clouds["one"].record] == ["demo-master-0"] * differs
    assert found.changes == (differs or burst != there)


def test_a_kept_volume_keeps_its_cloud_in_use() -> None:
    kept = volume(0, pool="burst", attached=False)
    assert not on_two(0, master("one two"), two=listed(volumes=(kept,))).changes


def test_a_cloud_in_use_that_is_dropped_from_the_file_is_refused_with_the_way_on() -> None:
    existing = {"one": listed(master("one two"))}
    wanted = cluster({"master": MASTER})
    found = plan(wanted, {"one": OWNER}, existing)
    (sentence,) = found.refusals
    assert sentence == (
        "cloud two is not in the file but is in use by cluster demo: put it back with the count of its pools set to 0 and run to empty it, "
        "or set -e sky_confirm=demo to stop managing it; its resources stay, untracked"
    )
    assert not found.changes
    confirmed = plan(wanted, {"one": OWNER}, existing, Wishes(confirm="demo"))
    assert one(confirmed) == {"keep": ["demo-master-0"], "record": ["demo-master-0"]}
    assert confirmed.in_use.meanwhile == confirmed.in_use.after == ("one",)
    assert confirmed.notes == ("cloud two is not in the file and is no longer managed: its resources stay, untracked",)
    destroyed = plan_destroy(wanted, {"one": OWNER}, existing)
    assert "put it back so that it is emptied too, or set -e sky_confirm=demo" in destroyed.refusals[0]
    assert names(destroyed.clouds["one"]) == {}
    assert one(plan_destroy(wanted, {"one": OWNER}, existing, "demo")) == {"delete": ["demo-master-0"]}


def test_a_dropped_cloud_is_missed_even_where_the_file_has_no_server_any_more() -> None:
    found = plan(cluster({"worker": 1}), {"one": OWNER}, {"one": listed(master("one two"))}, None)
    assert any(sentence.startswith("cloud two is not in the file") for sentence in found.refusals)


# pools and clouds that the file no longer has


def test_a_dropped_pool_needs_the_word() -> None:
    listing = listed(*map(node, range(3)), node(0, pool="old"), node(1, State.FAILED, "old"))
    found = made(listing)
    assert found.refusals == ("pools.old: is not in the file but has 2 node(s); put it back, or set -e sky_confirm=demo to drain and delete them",)
    assert not found.changes
    assert made(listing, Wishes(confirm="dem")).refusals
    assert one(made(listing, Wishes(confirm="demo"))) == {"keep": ALL, "leave": ["demo-old-0"], "delete": ["demo-old-1"]}


def test_a_node_on_another_cloud_than_its_pool_s_is_drift() -> None:
    wanted = cluster({"worker": {"count": 1, "cloud": "two"}}, clouds={"one": {}, "two": {}})
    found = plan(wanted, {"one": OWNER, "two": OWNER}, {"one": listed(node(0)), "two": listed()})
    assert [str(drift) for drift in found.drift] == [
        "demo-worker-0: cloud is one, the file says two; replace the node to change it (-e sky_replace=drift)"
    ]
    assert not found.changes


# what is somebody else's


BOBS_VOLUME = dataclasses.replace(volume(0), mark=Mark("bob", "demo", "worker", 0))


@pytest.mark.parametrize("listing", [listed(node(0, owner="bob")), listed(volumes=(BOBS_VOLUME,))])
def test_another_owner_s_cluster_is_refused_with_the_way_on(listing: Listing) -> None:
    found = made(listing)
    (refusal,) = found.refusals
    assert refusal.startswith("cluster demo in cloud one belongs to bob, but you are ada; to manage it together, put 'owner: bob' in the")
    assert names(found.clouds["one"]) == {}
    destroyed = plan_destroy(cluster(), {"one": OWNER}, {"one": listing})
    assert destroyed.refusals == found.refusals
    assert names(destroyed.clouds["one"]) == {}


def stray(index: int, kind: str = "node") -> Stray:
    return Stray(kind, f"demo-worker-{index}" + ("-data" if kind == "volume" else ""), "x", "it has no mark")


def test_a_node_whose_marks_were_taken_off_is_not_doubled_and_is_reported() -> None:
    found = made(listed(node(0), node(2), strays=(stray(1),)))
    assert one(found) == {"keep": ["demo-worker-0", "demo-worker-2"]}
    assert found.notes == ("node demo-worker-1 in cloud one is left alone: it has no mark",)


def test_a_stray_s_name_is_not_used() -> None:
    assert one(made(listed(node(0), strays=(stray(1),)), pools={"worker": 4}))["create"] == ["demo-worker-2", "demo-worker-3"]


def test_a_stray_beside_a_full_pool_makes_nobody_leave() -> None:
    for index in (0, 7):
        assert one(made(listed(*map(node, range(3)), strays=(stray(index),)))) == {"keep": ALL}


def test_a_replaced_node_beside_a_stray_is_created_again() -> None:
    found = made(listed(strays=(stray(0),)), Wishes(replaced=frozenset({"demo-worker-1"})), {"worker": 1})
    assert one(found) == {"create": ["demo-worker-1"]}


def test_strays_elsewhere_do_not_count() -> None:
    odd = [Stray("node", name, "x", "r") for name in ("demo-other-0", "demo-worker-00", "demox-worker-0")]
    assert one(made(listed(strays=(stray(0, "volume"), *odd)))) == {"create": ALL}


def test_a_node_that_exists_twice_is_refused() -> None:
    both = made(listed(node(0), node(0, id="other"), node(1)))
    assert both.refusals == ("node demo-worker-0 exists twice (cloud one and cloud one, id other): delete the wrong one by hand",)
    clouds = cluster(clouds={"one": {}, "two": {}})
    apart = plan(clouds, {"one": OWNER, "two": OWNER}, {"one": listed(node(0)), "two": listed(node(0))})
    assert len(apart.refusals) == 1
    assert not both.changes
    assert not apart.changes


# health


@pytest.mark.parametrize(("failed", "total", "refused"), [(1, 1, False), (1, 2, False), (2, 5, False), (3, 5, True), (2, 4, True), (5, 5, True)])
def test_too_large_a_share_of_failed_nodes_needs_the_word(failed: int, total: int, refused: bool) -> None:
    nodes = [node(index, State.FAILED if index < failed else State.RUNNING) for index in range(total)]
    found = made(listed(*nodes), pools={"worker": total})
    assert bool(found.refusals) == refused
    if refused:
        assert f"{failed} of {total} nodes have failed" in found.refusals[0]
        assert "sky_confirm=demo" in found.refusals[0]
    confirmed = made(listed(*nodes), Wishes(confirm="demo"), {"worker": total})
    assert len(one(confirmed)["delete"]) == failed


# volumes


WITH_DATA = {"worker": {"count": 1, "volumes": {"data": 5}}}


def test_a_larger_volume_is_extended_and_an_equal_one_left() -> None:
    listing = listed(node(0), volumes=(volume(0),))
    assert one(made(listing, pools=WITH_DATA)) == {"keep": ["demo-worker-0"]}
    found = made(listing, pools={"worker": {"count": 1, "volumes": {"data": 8}}})
    assert one(found) == {"keep": ["demo-worker-0"], "resize": ["demo-worker-0-data"]}
    assert found.clouds["one"].resize == (VolumeSpec("demo-worker-0-data", 8),)


def test_a_smaller_volume_is_refused() -> None:
    found = made(listed(node(0), volumes=(volume(0),)), pools={"worker": {"count": 1, "volumes": {"data": 4}}})
    assert found.refusals == ("pools.worker.volumes.data: a volume cannot shrink; the file says 4 GiB, demo-worker-0-data has 5 GiB",)
    assert names(found.clouds["one"]) == {}


def test_kept_volumes_of_nodes_that_are_not_wanted_are_reported_and_left() -> None:
    found = made(listed(node(0), volumes=(volume(0), volume(3, attached=False))), pools=WITH_DATA)
    assert one(found) == {"keep": ["demo-worker-0"]}
    assert [v.name for v in found.kept_volumes["one"]] == ["demo-worker-3-data"]
    grown = made(listed(node(0), volumes=(volume(0), volume(3, size=2, attached=False))), pools={"worker": {"count": 1, "volumes": {"data": 5}}})
    assert "resize" not in one(grown)


def test_a_kept_volume_grows_when_its_node_comes_back() -> None:
    found = made(listed(volumes=(volume(0, size=2, attached=False),)), pools=WITH_DATA)
    assert one(found) == {"create": ["demo-worker-0"], "resize": ["demo-worker-0-data"]}


@pytest.mark.parametrize("volumes", [(), (volume(0, attached=False),), (volume(0, "logs"),)])
@pytest.mark.parametrize("state", [State.RUNNING, State.BUILDING])
def test_a_node_that_lacks_a_volume_is_given_it(volumes: tuple[Volume, ...], state: State) -> None:
    found = made(listed(node(0, state), volumes=volumes), pools=WITH_DATA)
    assert one(found) == {"create": ["demo-worker-0"], "existing": ["demo-worker-0"]}
    assert found.notes == ("demo-worker-0 lacks volume demo-worker-0-data: it is attached, and created first if it does not exist",)


def test_a_volume_that_the_file_no_longer_has_is_left() -> None:
    assert one(made(listed(node(0), volumes=(volume(0),)), pools={"worker": 1})) == {"keep": ["demo-worker-0"]}


# drift


def test_another_image_or_flavor_is_shown_and_not_made() -> None:
    found = made(listed(node(0, image="debian-11"), node(1, flavor="large"), node(2, image="", flavor="")))
    assert [str(drift) for drift in found.drift] == [
        "demo-worker-0: image is debian-11, the file says debian-12; replace the node to change it (-e sky_replace=drift)",
        "demo-worker-1: flavor is large, the file says small; replace the node to change it (-e sky_replace=drift)",
    ]
    assert not found.changes


# destroy


def test_destroy_takes_every_node_and_names_the_volumes() -> None:
    listing = listed(node(0), node(1, State.FAILED), node(0, pool="old"), volumes=(volume(0),), strays=(stray(5),))
    found = plan_destroy(cluster(), {"one": OWNER}, {"one": listing})
    assert one(found) == {"delete": ["demo-worker-0", "demo-worker-1", "demo-old-0"]}
    assert [v.name for v in found.kept_volumes["one"]] == ["demo-worker-0-data"]
    assert found.notes == ("node demo-worker-5 in cloud one is left alone: it has no mark",)


# whatever there is


STATES = st.sampled_from(list(State))


@given(st.dictionaries(st.integers(0, 12), STATES, max_size=10), st.integers(0, 12), st.sets(st.integers(0, 12), max_size=3), st.data())
def test_any_pool(found: dict[int, State], count: int, strays: set[int], data: st.DataObject) -> None:
    idle = frozenset(f"demo-worker-{i}" for i in data.draw(st.sets(st.integers(0, 12), max_size=4)))
    ill = {f"demo-worker-{i}": FULL for i in data.draw(st.sets(st.integers(0, 12), max_size=4))}
    listing = listed(*(node(index, state) for index, state in found.items()), strays=tuple(stray(index) for index in strays))
    wishes = Wishes(idle=idle, sick=ill, confirm="demo")
    result = made(listing, wishes, spark(count))
    assert result.refusals == ()
    part = result.clouds["one"]
    existing = {n.id for n in listing.nodes}
    removed = {n.id for n in (*part.delete, *part.leave)}
    assert removed <= existing
    after = {n.mark.index for n in part.keep} | {s.mark.index for s in (*part.create, *part.wait)}
    assert len(after) == len(part.keep) + len(part.create) + len(part.wait)  # nothing is there twice
    assert not {s.mark.index for s in part.create} & strays - {n.mark.index for n in listing.nodes}
    assert len(after) <= count
    standing = {index for index, state in found.items() if state is not State.DELETING}
    assert len(after) == min(count, len(standing) + max(0, count - len(standing | strays)))
    assert not {n.name for n in (*part.leave, *part.keep)} & ill.keys()
    assert result == made(listing, wishes, spark(count))  # no chance in it


TestMachine = ClusterMachine.TestCase
TestMachine.settings = hypothesis.settings(max_examples=15, stateful_step_count=30)
