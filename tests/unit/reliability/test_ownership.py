# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks 20 to 24: whose things are whose, and what was changed from outside."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Refused
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of, opened, planned, run_of, settled
from ansible_collections.sky.clusters.tests.support.processes import run_forked
from ansible_collections.sky.clusters.tests.support.world import World

POOLS = {"master": 1, "worker": {"count": 2, "volumes": {"data": 5}}}
PREFIXES = ("a", "a1", "a-b", "a-b-c", "ab")


def things(world: World) -> dict[str, dict[str, object]]:
    """Everything in the cloud by id, but for how often it was looked at."""
    held = world.cloud("one")
    found = {**held["nodes"], **held["volumes"], **{f"group {name}": {"name": name} for name in held["parts"]}}
    return {key: {name: value for name, value in thing.items() if name != "looks"} for key, thing in found.items()}


def of(world: World, cluster: str) -> dict[str, dict[str, object]]:
    return {key: thing for key, thing in things(world).items() if thing.get("name") == cluster or f" {cluster} " in str(thing.get("mark"))}


@pytest.mark.parametrize("victim", PREFIXES)
def test_destroying_one_cluster_touches_nothing_of_those_with_names_like_its_own(world: World, victim: str) -> None:
    for name in PREFIXES:
        settled(world, cluster_of(world.folder, POOLS, name))
    before = {name: of(world, name) for name in PREFIXES}
    assert all(len(found) == 6 for found in before.values())  # 3 nodes, 2 volumes, a group
    assert run_of(world, cluster_of(world.folder, POOLS, victim)).absent(data=True).faults == []
    assert {name: of(world, name) for name in PREFIXES} == before | {victim: {}}
    for name in PREFIXES:
        if name != victim:
            cluster = cluster_of(world.folder, POOLS, name)
            assert not planned(cluster, opened(cluster)).changes


def test_a_cluster_of_the_same_name_with_another_owner_is_refused_with_the_way_on(world: World) -> None:
    settled(world, cluster_of(world.folder, POOLS))
    before = things(world)
    mine = cluster_of(world.folder, POOLS, owner="bob")
    for act in (partial(run_of(world, mine).present, Wishes()), partial(run_of(world, mine).absent, data=True)):
        with pytest.raises(Refused, match=r"belongs to tester, but you are bob; .* put 'owner: tester' in the cluster file"):
            act()
    assert things(world) == before
    ours = cluster_of(world.folder, POOLS, owner="tester")  # as the sentence says
    assert not planned(ours, opened(ours)).changes


def test_what_has_a_name_or_a_mark_like_ours_but_not_both_is_never_touched(world: World) -> None:
    settled(world, cluster_of(world.folder, POOLS))
    odd = [
        world.add_node("evil", "sky/1 tester demo worker 0"),  # a copied mark
        world.add_node("demo-worker-1", ""),  # a name like ours, in use
        world.add_node("demo-worker-5", "sky/1 tester other worker 5"),  # a name like ours, with the mark of another cluster
        world.add_node("demo-worker-x", "sky/1 tester demo worker 7"),
    ]
    before = {key: thing for key, thing in things(world).items() if key in odd}
    for size in (0, 2, 4):
        settled(world, cluster_of(world.folder, {"master": 1, "worker": {"count": size, "volumes": {"data": 5}}}))
        assert {key: thing for key, thing in things(world).items() if key in odd} == before
    outcome = run_of(world, cluster_of(world.folder, POOLS)).present(Wishes())
    assert sum("is left alone" in note for note in outcome.plan.notes) == 4
    assert run_of(world, cluster_of(world.folder, POOLS)).absent(data=True).faults == []
    assert {key: thing for key, thing in things(world).items() if key in odd} == before


def test_a_whole_copy_of_a_node_stops_the_run(world: World) -> None:
    settled(world, cluster_of(world.folder, POOLS))
    copy = world.add_node("demo-worker-1", "sky/1 tester demo worker 1")
    before = things(world)
    with pytest.raises(Refused, match=f"node demo-worker-1 exists twice .*id {copy}.*delete the wrong one by hand"):
        run_of(world, cluster_of(world.folder, POOLS)).present(Wishes())
    assert things(world) == before


@pytest.mark.parametrize("kind", ["node", "volume", "node and volume", "group"])
def test_what_was_deleted_from_outside_is_recreated_and_the_rest_left(world: World, kind: str) -> None:
    cluster = cluster_of(world.folder, POOLS)
    settled(world, cluster)
    before = {thing["name"]: key for key, thing in things(world).items()}
    if "node" in kind:
        world.remove_node("demo-worker-1")
    if "volume" in kind:
        world.remove_volume("demo-worker-1-data")
    if kind == "group":
        with world.tamper() as state:
            state["clouds"]["one"]["parts"] = {}
        world.remove_node("demo-worker-1")  # what is made next needs the group again
    settled(world, cluster)
    after = {thing["name"]: key for key, thing in things(world).items()}
    assert after.keys() == before.keys()
    gone = {"node": {"demo-worker-1"}, "volume": {"demo-worker-1-data"}, "node and volume": {"demo-worker-1", "demo-worker-1-data"}}
    changed = gone.get(kind, {"demo-worker-1"})
    assert {name for name in before if after[name] != before[name]} == changed
    assert world.volumes()["demo-worker-1-data"]["attached"] == "demo-worker-1"
    assert not planned(cluster, opened(cluster)).changes


def test_all_marks_taken_off_one_node(world: World) -> None:
    cluster = cluster_of(world.folder, POOLS)
    settled(world, cluster)
    before = set(things(world))
    world.set_node("demo-worker-0", mark="")
    outcome = run_of(world, cluster).present(Wishes())
    assert outcome.plan.notes == ("node demo-worker-0 in cloud one is left alone: it has no mark of this cluster",)
    assert set(things(world)) == before  # not doubled, not deleted
    assert outcome.faults == ["pools.worker: 1 node(s) where at least 2 are needed"]


def test_a_newer_mark_stops_every_run(world: World) -> None:
    cluster = cluster_of(world.folder, POOLS)
    settled(world, cluster)
    world.set_node("demo-worker-0", mark="sky/2 tester demo worker 0 more")
    before = things(world)
    for act in (partial(run_of(world, cluster).present, Wishes()), partial(run_of(world, cluster).absent, data=True)):
        with pytest.raises(Exception, match="written by a newer version"):
            act()
    assert things(world) == before


def test_from_a_fresh_machine_with_the_file_and_the_credentials_alone(world: World, tmp_path: Path, figure: Callable[[str], None]) -> None:
    cluster = cluster_of(world.folder, POOLS)
    settled(world, cluster)
    here = repr(planned(cluster, opened(cluster)))

    def elsewhere() -> str:
        fresh = cluster_of(world.folder, POOLS)
        return repr(planned(fresh, opened(fresh)))

    assert run_forked(elsewhere) == (0, here)
    writing = world.writing_calls()
    assert run_forked(lambda: str(run_of(world, cluster_of(world.folder, POOLS)).present(Wishes()).plan.changes)) == (0, "False")
    assert world.writing_calls() == writing
    assert list(tmp_path.iterdir()) == [world.folder]  # no state anywhere but in the cloud
    figure(f"20-24  clusters {', '.join(PREFIXES)} side by side, each destroyed; other owners, copied marks, tampering, a fresh machine")
