# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks 10 to 18: every fault at every call. A run ends in bounded time and with a sentence, harms nobody, and the next one converges."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Refused, Run
from ansible_collections.sky.clusters.tests.support import situations
from ansible_collections.sky.clusters.tests.support.clusters import opened, run_of
from ansible_collections.sky.clusters.tests.support.situations import (
    CLOUDS,
    CONFIRMED,
    SITUATIONS,
    Noted,
    Stage,
    absent,
    ids,
    left_over,
    missing,
    of_others,
    pools,
    present,
    wanted,
)
from ansible_collections.sky.clusters.tests.support.world import World

HOURS = 4 * 3600.0
RAISED = ("unavailable", "denied", "shortage", "invalid", "error", "lost")
PRESENT = ("identity", "listing", "shortages", "lock", "unlock", "create", "delete", "resize_volumes", "set_ready", "set_clouds", "console")
ABSENT = ("identity", "listing", "lock", "unlock", "delete", "delete_volumes", "dismantle", "leftovers")
BY_NODE = ("create", "delete", "resize_volumes", "delete_volumes", "set_ready", "set_clouds")
OF_NODES = {
    "create": ("refused", "broken", "fails", "stuck", "stops", "deaf", "hidden"),
    "delete": ("refused", "stuck", "hidden"),
    "resize_volumes": ("refused",),
    "delete_volumes": ("refused",),
    "listing": ("cut", "empty", "bare"),
}
MATRIX_SITUATION = "move"  # the one whose run makes every kind of call


@contextmanager
def cloud_of_run(run: Run) -> Iterator[None]:
    """Let hanging calls end with the test."""
    try:
        yield
    finally:
        for cloud in run.clouds.values():
            cloud.released.set()  # type: ignore[attr-defined]


def outcome_of(world: World, work: Callable[[Run], list[str]], some: situations.Pools) -> str:
    """How a run ended: nothing, or its sentences. Anything but the run's own errors is a defect."""
    run = run_of(world, wanted(world, some))
    try:
        with cloud_of_run(run):
            return "\n".join(work(run))
    except (Refused, FleetError, CloudError) as error:
        return str(error) or "an error without a sentence"


QUICK_OR_WHOLE = pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["quick", "whole"])


def cells(methods: tuple[str, ...], whole: bool) -> list[dict[str, Any]]:
    """Every call, every fault, at the whole call and at its first node; if `whole`, at each of three such calls and at its second node too."""
    found = []
    for method in methods:
        for kind in (*RAISED, *OF_NODES.get(method, ())):
            for node in (0,) if method not in BY_NODE else (0, 1, 2) if whole else (0, 1):
                found += [{"method": method, "kind": kind, "node": node, "call": call} for call in ((1, 2, 3) if whole else (1,))]
        found += [{"method": method, "kind": kind} for kind in ("hang", "lost_hang")]
    return found


def settle(world: World) -> None:
    """The fault is over, and time has passed: locks of the dead are stale, lists have caught up, what hung has moved."""
    world.heal()
    world.advance(61)
    for cloud in CLOUDS:
        world.mute(cloud=cloud)
        with world.tamper() as state:
            for node in state["clouds"][cloud]["nodes"].values():
                node.update(doom="", stuck=False)
    for lagging in opened(wanted(world, pools())).values():
        for _look in range(4):
            lagging.listing()


def doubles(world: World) -> list[str]:
    names = Counter(name for cloud in CLOUDS for name in world.names(cloud=cloud))
    return [name for name, count in names.items() if count > 1]


@QUICK_OR_WHOLE
def test_every_fault_at_every_call_of_a_run(stage: Stage, figure: Callable[[str], None], whole: bool) -> None:
    some = SITUATIONS[MATRIX_SITUATION].now
    ended: Counter[str] = Counter()
    longest = 0.0
    for cell in cells(PRESENT, whole):
        world = stage.world(MATRIX_SITUATION)
        noted, began = Noted(world, some), world.now()
        world.fault(**cell)
        said = outcome_of(world, present, some)
        longest = max(longest, world.now() - began)
        assert world.now() - began < HOURS, cell
        assert doubles(world) == [], cell
        assert noted.harm() == [], cell
        settle(world)
        again = outcome_of(world, present, some)
        assert again == "", (cell, said, again)
        assert missing(world, some) == [], (cell, said)
        assert noted.harm() == [], cell
        ended["with a sentence" if said else "done in spite of it"] += 1
        stage.end(world)
    assert min(ended.values()) > 30
    figure(
        f"10-16  {ended.total()} faults of a run, {len(PRESENT)} calls ({dict(ended)}): longest {longest:.0f} s, no doubles, the next run converged"
    )


@QUICK_OR_WHOLE
def test_every_fault_at_every_call_of_a_destroy(stage: Stage, figure: Callable[[str], None], whole: bool) -> None:
    some = SITUATIONS[MATRIX_SITUATION].now
    ended: Counter[str] = Counter()
    for cell in cells(ABSENT, whole):
        world = stage.world(MATRIX_SITUATION)
        others, began = of_others(world), world.now()
        world.fault(**cell)
        said = outcome_of(world, absent, some)
        world.heal()
        assert said or left_over(world, some) == [], cell  # it never says that all is gone where something is left
        assert world.now() - began < HOURS, cell
        assert of_others(world) == others, cell
        settle(world)
        again = outcome_of(world, absent, some)
        assert again == "", (cell, said, again)
        assert left_over(world, some) == [], cell
        assert of_others(world) == others, cell
        ended["with a sentence" if said else "done in spite of it"] += 1
        stage.end(world)
    assert min(ended.values()) > 20
    figure(f"10-16  {ended.total()} faults of a destroy, {len(ABSENT)} calls ({dict(ended)}): the next one left nothing")


@pytest.mark.parametrize("kind", ["denied", "unavailable"])
def test_a_cloud_that_is_lost_in_the_middle(stage: Stage, figure: Callable[[str], None], kind: str) -> None:
    """From the k-th call on, every call fails: credentials revoked, or the cloud gone."""
    some = SITUATIONS[MATRIX_SITUATION].now
    world = stage.world(MATRIX_SITUATION)
    before = sum(sum(cloud["calls"].values()) for cloud in world.state()["clouds"].values())
    assert outcome_of(world, present, some) == ""
    total = sum(sum(cloud["calls"].values()) for cloud in world.state()["clouds"].values()) - before
    for point in range(1, total + 1):
        world = stage.world(MATRIX_SITUATION)
        noted = Noted(world, some)
        world.fault("*", kind, call=point, times=0)
        said = outcome_of(world, present, some)
        assert said or point == total  # the last call is the unlock
        assert noted.harm() == []
        settle(world)
        assert outcome_of(world, present, some) == ""
        assert missing(world, some) == []
        stage.end(world)
    figure(f"16 every call {kind} from the k-th on, k = 1 to {total}: a sentence each time, and the next run converged")


def test_lost_answers_make_no_doubles(stage: Stage, figure: Callable[[str], None]) -> None:
    chance = random.Random(10)
    lost = 0
    for _trial in range(100):
        name = chance.choice(["first", "grow", "mend", "move"])
        world = stage.world(name)
        some = SITUATIONS[name].now
        for _fault in range(chance.randint(1, 3)):
            method = chance.choice(["create", "delete", "resize_volumes", "set_ready", "set_clouds"])
            world.fault(method, "lost", call=chance.randint(1, 3), node=chance.randint(0, 3))
            lost += 1
        noted = Noted(world, some)
        assert outcome_of(world, present, some) == ""
        assert missing(world, some) == []
        assert noted.harm() == []
        stage.end(world)
    figure(f"10 100 trials with {lost} lost answers: done in the same run, no doubles")


def test_a_busy_cloud_costs_few_calls_and_is_given_the_time_that_it_asks_for(stage: Stage, figure: Callable[[str], None]) -> None:
    some = SITUATIONS[MATRIX_SITUATION].now
    world = stage.world(MATRIX_SITUATION)
    calls, began = world.calls(), world.now()
    assert outcome_of(world, present, some) == ""
    plain, quick = world.calls() - calls, world.now() - began
    worst = 0.0
    for method in PRESENT[:-1]:
        world = stage.world(MATRIX_SITUATION)
        calls, began = world.calls(), world.now()
        world.fault(method, "unavailable", retry_after=25.0)
        assert outcome_of(world, present, some) == ""
        if method != "unlock":  # whose failure is nobody's: the lock ends by itself
            assert world.now() - began >= 25, method
        assert world.now() - began <= quick + 60, method
        worst = max(worst, (world.calls() - calls) / plain)
        world.advance(61)
        assert missing(world, some) == []
        stage.end(world)
    assert worst <= 1.5
    figure(f"11 one 503 with Retry-After at each call: at most {worst:.2f} times the {plain} calls of a run without")


@pytest.mark.parametrize("kind", ["empty", "cut", "bare"])
@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_list_that_lies_deletes_nothing(stage: Stage, kind: str, call: int) -> None:
    """For ever from the k-th list of one cloud on."""
    world = stage.world("shrink")
    some = SITUATIONS["shrink"].before
    assert some is not None
    before = ids(world)
    world.fault("listing", kind, call=call, times=0, cloud="one")
    outcome_of(world, present, some)
    assert ids(world) == before
    world.fault("listing", kind, call=call, times=0, cloud="two")
    outcome_of(world, present, pools(worker=5, burst=4))
    now = ids(world)
    assert {name: now.get(name) for name in before} == before  # it may have grown
    assert doubles(world) == []
    settle(world)
    assert outcome_of(world, present, some) == ""
    assert missing(world, some) == []
    stage.end(world)


@pytest.mark.parametrize("kind", ["empty", "cut", "bare", "unavailable", "denied"])
def test_a_destroy_does_not_believe_an_empty_list(stage: Stage, kind: str) -> None:
    world = stage.world("shrink")
    some = SITUATIONS["shrink"].now
    world.fault("listing", kind, times=0, cloud="two")
    said = outcome_of(world, absent, some)
    assert said
    if kind in ("empty", "bare"):
        assert "cloud two" in said
    assert len(world.names(cloud="two")) == 3
    stage.end(world)


def test_a_pool_that_can_never_start_stops_after_bounded_tries_and_the_others_go_on(world: World, figure: Callable[[str], None]) -> None:
    figures = []
    for number, kind in enumerate(("fails", "stuck", "deaf", "stops", "broken")):
        place = World(world.folder / str(number))
        some = {"master": 1, "burst": {"count": 3, "cloud": "two"}}
        place.fault("create", kind, cloud="two", times=0)
        run = run_of(place, wanted(place, some))
        outcome = run.present(CONFIRMED)
        assert sorted(outcome.members) == ["demo-master-0"]
        assert outcome.faults == ["pools.burst: 0 node(s) where at least 3 are needed"]
        assert [result.launches for result in outcome.result.failed] == [3, 3, 3]
        assert all(result.reason for result in outcome.result.failed)
        assert place.names(cloud="two") == []
        assert place.cloud("two")["calls"]["create"] == 3
        figures.append(f"{kind} {place.now():.0f} s")
    figure(f"18 a pool whose every node fails: 3 launches each, then told ({', '.join(figures)})")
