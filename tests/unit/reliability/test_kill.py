# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks 1, 2, 3, 6 and 25: SIGKILL of a run at any step of any call, and run again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial

from ansible_collections.sky.clusters.tests.support.processes import KILLED, run_forked
from ansible_collections.sky.clusters.tests.support.situations import (
    SITUATIONS,
    Noted,
    Stage,
    left_over,
    missing,
    most,
    of_others,
    pools,
    whole_destroy,
    whole_run,
)
from ansible_collections.sky.clusters.tests.support.world import World

RUNS, DESTROYS, DOUBLE_KILLS, ROUNDS = 200, 100, 40, 100


def steps(stage: Stage, name: str, work: Callable[[World], str]) -> int:
    """How many steps the clouds take for this work where nobody is killed."""
    world = stage.world(name)
    before = world.state()["points"]
    assert work(world) == ""
    taken = world.state()["points"] - before
    stage.end(world)
    return int(taken)


def killed(world: World, point: int, work: Callable[[World], str]) -> bool:
    """Do work in a process that is killed at this step; whether it came so far."""
    world.kill_at(point)
    code, said = run_forked(lambda: work(world))
    world.kill_at(0)
    world.advance(61)  # its lock is stale
    assert code in (0, KILLED), said
    return code == KILLED


def points(chance: random.Random, most_steps: int, wanted: int) -> list[int]:
    """Every step once, before any is taken twice."""
    found: list[int] = []
    while len(found) < wanted:
        found += chance.sample(range(1, most_steps + 1), most_steps)
    return found[:wanted]


def test_a_run_that_is_killed_anywhere_is_continued_by_the_next(stage: Stage, figure: Callable[[str], None]) -> None:
    chance = random.Random(1)
    tried: Counter[str] = Counter()
    distinct = 0
    for name, situation in SITUATIONS.items():
        work = partial(whole_run, some=situation.now)
        taken = steps(stage, name, work)
        chosen = points(chance, taken, RUNS // len(SITUATIONS))
        distinct += len(set(chosen))
        for point in chosen:
            world = stage.world(name)
            noted = Noted(world, situation.now)
            assert killed(world, point, work), f"{name}: no step {point} of {taken}"
            assert work(world) == ""
            assert missing(world, situation.now) == [], f"{name}, killed at step {point} of {taken}"
            assert noted.harm() == []
            stage.end(world)
            tried[name] += 1
    figure(f"1  a run killed at {tried.total()} points ({distinct} distinct; {dict(tried)}) and run again: all converged, nothing twice or orphaned")


def test_the_most_nodes_at_any_time_are_those_wanted(stage: Stage, figure: Callable[[str], None]) -> None:
    found = {}
    for name, situation in SITUATIONS.items():
        world = stage.world(name)
        noted = Noted(world, situation.now)
        assert whole_run(world, situation.now) == ""
        found[name] = f"{most(world)} of {noted.limit}"
        assert noted.harm() == []
        stage.end(world)
    figure(f"6  the most nodes at any time, and what was allowed: {found}")


def test_a_destroy_that_is_killed_anywhere_is_continued_by_the_next(stage: Stage, figure: Callable[[str], None]) -> None:
    chance = random.Random(2)
    tried = 0
    for name, situation in SITUATIONS.items():
        destroy, half_built = partial(whole_destroy, some=situation.now), partial(whole_run, some=situation.now)
        half = steps(stage, name, half_built)
        for trial in range(DESTROYS // len(SITUATIONS)):
            world = stage.world(name)
            others = of_others(world)
            if trial % 2:
                killed(world, chance.randint(1, half), half_built)
            killed(world, chance.randint(1, 60), destroy)
            assert destroy(world) == ""
            assert left_over(world, situation.now) == []
            assert of_others(world) == others
            stage.end(world)
            tried += 1
    figure(f"2  a destroy killed at {tried} points, of whole and half-built clusters, and run again: nothing of it left, nothing of others touched")


def test_a_destroy_keeps_the_volumes_unless_asked(stage: Stage) -> None:
    world = stage.world("mend")
    kept = world.volumes()
    assert whole_destroy(world, SITUATIONS["mend"].now, data=False) == ""
    assert {name: volume["attached"] for name, volume in world.volumes().items()} == dict.fromkeys(kept, "")
    assert all(left.startswith("volume ") for left in left_over(world, SITUATIONS["mend"].now))


def test_two_kills_in_a_row_and_then_another_size(stage: Stage, figure: Callable[[str], None]) -> None:
    chance = random.Random(3)
    names = list(SITUATIONS)
    kills = 0
    for trial in range(DOUBLE_KILLS):
        name = names[trial % len(names)]
        world = stage.world(name)
        sizes = [pools(worker=chance.randint(0, 4), burst=chance.randint(0, 3), size=10) for _time in range(3)]
        for size in sizes[:2]:
            kills += killed(world, chance.randint(1, 40), partial(whole_run, some=size))
        assert whole_run(world, sizes[2]) == ""
        assert missing(world, sizes[2]) == [], (name, sizes)
        stage.end(world)
    assert kills > DOUBLE_KILLS
    figure(f"3  {DOUBLE_KILLS} times two runs ({kills} killed) and then another size: the last size was reached each time")


def test_data_outlives_everything(stage: Stage, figure: Callable[[str], None]) -> None:
    """100 rounds of kill, replacement, growth, shrinking, destroy and rebuild on one cluster."""
    chance = random.Random(4)
    world = stage.world("first")
    assert whole_run(world, pools(worker=4)) == ""
    data = {}
    for name in world.volumes():
        data[name] = f"contents of {name}"
        world.set_volume(name, data=data[name])
    done: Counter[str] = Counter()
    for _round in range(ROUNDS):
        what = chance.choice(["kill", "replace", "size", "destroy", "kill destroy"])
        done[what] += 1
        size = pools(worker=chance.randint(0, 4), burst=chance.randint(0, 2))
        if what == "replace":
            names = [name for name in world.names() if "worker" in name]
            if names:
                world.set_node(chance.choice(names), state="failed")
        elif what == "kill":
            killed(world, chance.randint(1, 40), partial(whole_run, some=size))
        elif what == "destroy":
            assert whole_destroy(world, size, data=False) == ""
        elif what == "kill destroy":
            killed(world, chance.randint(1, 30), partial(whole_destroy, some=size, data=False))
        if what == "size" or chance.random() < 0.5:
            assert whole_run(world, size) == ""
            assert missing(world, size) == []
        assert {name: volume["data"] for name, volume in world.volumes().items() if name in data} == data
    figure(f"25 {ROUNDS} rounds on one cluster ({dict(done)}): every kept volume's contents unchanged")
