# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check 17: a cloud that is dropped from the file while it holds something stops the run, even after a killed one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Refused
from ansible_collections.sky.clusters.tests.support import situations
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of, opened, planned, run_of, settled
from ansible_collections.sky.clusters.tests.support.processes import KILLED, run_forked
from ansible_collections.sky.clusters.tests.support.situations import CLOUDS, CONFIRMED, SITUATIONS, Stage, ids, left_over, pools
from ansible_collections.sky.clusters.tests.support.world import World

MASTER = {"count": 1, "roles": ["spark_master"]}
SENTENCE = "cloud two is not in the file but is in use by cluster demo"


def without_two(world: World) -> Cluster:
    """The file of the situations, with cloud two and its pool taken out."""
    kept = {name: spec for name, spec in pools().items() if name != "burst"}
    return cluster_of(world.folder, kept)


def unnamed(world: World) -> set[str]:
    """Clouds besides that of the servers that hold something and that no node names."""
    held = {cloud for cloud in CLOUDS if world.names(cloud=cloud) or world.volumes(cloud=cloud)}
    named = {name for cloud in CLOUDS for node in world.cloud(cloud)["nodes"].values() if " demo " in node["mark"] for name in node["clouds"]}
    return held - named - {"one"}


def test_a_dropped_cloud_is_refused_until_it_is_empty_or_forgotten(world: World) -> None:
    situations.whole_run(world, pools())
    before = ids(world)
    dropped = without_two(world)
    with pytest.raises(Refused, match=f"{SENTENCE}.*put it back with the count of its pools set to 0.*sky_confirm=demo"):
        run_of(world, dropped).present(Wishes())
    with pytest.raises(Refused, match=f"{SENTENCE}.*put it back so that it is emptied too"):
        run_of(world, dropped).absent(data=True)
    assert ids(world) == before
    assert situations.whole_run(world, pools(burst=0)) == ""  # as the sentence says
    assert world.names(cloud="two") == []
    settled(world, dropped)
    assert not planned(dropped, opened(dropped)).changes


def test_a_cloud_is_forgotten_by_the_explicit_word_and_what_it_holds_stays(world: World) -> None:
    situations.whole_run(world, pools())
    dropped = without_two(world)
    outcome = run_of(world, dropped).present(CONFIRMED)
    assert outcome.faults == []
    assert [note for note in outcome.plan.notes if "cloud two is not in the file and is no longer managed" in note]
    assert not planned(dropped, opened(dropped)).changes  # once is enough
    assert len(world.names(cloud="two")) == 2
    assert situations.whole_run(world, pools()) == ""  # back in the file, it is in use again
    assert run_of(world, dropped).absent(data=True, confirm="demo").faults == []
    assert len(world.names(cloud="two")) == 2
    assert [left for left in left_over(world, pools()) if "burst" not in left] == ["group demo"]  # that of cloud two


def test_a_cluster_that_an_older_version_made_is_taken_over(world: World) -> None:
    situations.whole_run(world, pools())
    world.set_node("demo-master-0", clouds=[])
    before = ids(world)
    assert situations.whole_run(world, pools()) == ""
    assert world.node("demo-master-0")["clouds"] == ["one", "two"]
    assert ids(world) == before


def test_whatever_comes_first_a_cloud_is_named_before_it_holds_anything(world: World) -> None:
    """The master is slow to be made, and the other cloud waits for it."""
    many = {"worker": 3, "master": MASTER, "burst": {"count": 2, "cloud": "two"}}
    cluster = cluster_of(world.folder, many, clouds={"one": {"gap": 20}, "two": {}})
    seen: list[bool] = []

    def report(cloud: str, event: Any, _seconds: float) -> None:
        if cloud == "two" and event.stage.value == "made":
            seen.append("demo-master-0" in world.names())

    run = run_of(world, cluster)
    assert dataclasses.replace(run, tools=dataclasses.replace(run.tools, report=report)).present(Wishes()).faults == []
    assert seen == [True, True]


def test_the_others_go_on_where_the_server_cannot_be_made(world: World) -> None:
    cluster = cluster_of(world.folder, {"master": MASTER, "burst": {"count": 2, "cloud": "two"}}, clouds={"one": {}, "two": {}})
    world.fault("create", "refused", cloud="one", times=0)
    outcome = run_of(world, cluster).present(Wishes())
    assert outcome.faults == ["pools.master: 0 node(s) where at least 1 are needed"]
    assert world.names(cloud="two") == ["demo-burst-0", "demo-burst-1"]
    world.heal()
    settled(world, cluster)
    assert world.node("demo-master-0")["clouds"] == ["one", "two"]


def test_a_killed_run_leaves_no_cloud_unnamed(stage: Stage, figure: Callable[[str], None]) -> None:
    """At every step of growth from nothing, growth into a cloud, and retreat from it."""
    killed = 0
    ways = {"first": pools(), "grow": SITUATIONS["grow"].now, "shrink": pools(worker=1, burst=0), "move": SITUATIONS["move"].now}
    for name, some in ways.items():
        point, ended = 0, False
        while not ended:
            point += 1
            world = stage.world(name)
            world.kill_at(point)
            code, _said = run_forked(partial(situations.whole_run, world, some))
            ended = code != KILLED
            killed += not ended
            assert unnamed(world) == set(), (name, point)
            stage.end(world)
    figure(f"17 a cloud dropped from the file is refused; {killed} kills, at every step of {len(ways)} runs: no cloud in use is unnamed after any")
