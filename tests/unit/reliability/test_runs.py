# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks 5, 7, 8 and 9: two runs at once, a second run, check mode, and the state machine."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from ansible_collections.sky.clusters.plugins.module_utils._engine import _lock
from ansible_collections.sky.clusters.plugins.module_utils._engine._apply import Tools
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Backoff
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Run
from ansible_collections.sky.clusters.tests.support import situations
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of, opened, run_of
from ansible_collections.sky.clusters.tests.support.machine import ClusterMachine
from ansible_collections.sky.clusters.tests.support.processes import forked
from ansible_collections.sky.clusters.tests.support.situations import CLOUDS, CONFIRMED, SITUATIONS, Stage, missing, pools, wanted
from ansible_collections.sky.clusters.tests.support.world import LOCKING, World

TRIALS, SECOND_RUNS, CHECKS, STEPS = 100, 30, 60, 10_000


# two runs at once, in real time


def quick_run(world: World, workers: int, wait: float = 0.0) -> str:
    """A run whose clouds take their time between the look for a mark and the making, as real ones do."""
    cluster = cluster_of(world.folder, {"worker": workers})
    tools = Tools(poll=0.005, backoff=Backoff(first=0.01), probe=world.probe)
    run = Run(cluster, opened(cluster, real_time=True, gap=2), tools, wait=wait)
    return "\n".join(run.present(Wishes()).faults)


def at_once(folder: Path, *works: Callable[[World], str]) -> tuple[World, list[tuple[int, str]]]:
    world = World(folder, real_time=True)
    return world, [wait() for wait in [forked(lambda work=work: work(world)) for work in works]]  # type: ignore[misc]


def test_two_runs_at_once_make_no_doubles(fast_folder: Path, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]) -> None:
    outcomes: Counter[str] = Counter()
    chance = random.Random(5)
    monkeypatch.setattr(_lock, "LOOK", 0.01)
    monkeypatch.setattr(_lock, "GRACE", 0.0)
    for trial in range(TRIALS):
        wait = 30.0 if trial % 4 < 2 else 0.0
        sizes = [4, 4] if trial % 2 else [chance.randint(1, 4), chance.randint(1, 4)]
        world, ends = at_once(fast_folder / f"two-{trial}", *(lambda world, n=n, wait=wait: quick_run(world, n, wait) for n in sizes))
        told = [said for code, said in ends if code]
        assert all("Locked: cluster demo is being changed by" in said for said in told), told
        assert len(told) <= (0 if wait else 1)
        names = world.names()
        assert len(names) == len(set(names))
        assert names in [[f"demo-worker-{index}" for index in range(size)] for size in sizes]
        outcomes["the second waited" if wait else "the second stopped" if told else "they did not meet"] += 1
        shutil.rmtree(world.folder)
    assert outcomes["the second stopped"] > TRIALS / 8  # they did meet
    figure(f"5  two runs at once, {TRIALS} trials ({dict(outcomes)}): every node exactly once")


@contextlib.contextmanager
def _no_lock(*_args: Any) -> Iterator[Callable[[], bool]]:
    yield lambda: False


def test_without_the_lock_there_would_be_doubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]) -> None:
    """What shows that the test above can fail."""
    monkeypatch.setattr(_lock, "held", _no_lock)
    doubled = 0
    for trial in range(10):
        world, _ends = at_once(tmp_path / str(trial), *[lambda world: quick_run(world, 4)] * 2)
        doubled += len(world.names()) > len(set(world.names()))
    assert doubled
    figure(f"5  the same without the lock: doubles in {doubled} of 10 trials")


# a second run, and check mode


def random_situation(stage: Stage, chance: random.Random) -> tuple[World, situations.Pools]:
    """A world in some state that nobody planned, and what is wanted of it."""
    world = stage.world(chance.choice(list(SITUATIONS)))
    for name in sorted(world.names()):
        if chance.random() < 0.3:
            world.set_node(name, state=chance.choice(["failed", "stopped", "building"]))
        elif chance.random() < 0.1:
            world.remove_node(name)
    return world, pools(worker=chance.randint(0, 5), burst=chance.randint(0, 3), size=chance.choice([9, 12]))


def test_a_second_run_writes_nothing(stage: Stage, figure: Callable[[str], None]) -> None:
    chance = random.Random(6)
    for _trial in range(SECOND_RUNS):
        world, some = random_situation(stage, chance)
        assert situations.whole_run(world, some) == ""
        assert missing(world, some) == []
        writing, locking, before = world.writing_calls(), world.calls(*LOCKING), situations.ids(world)
        total = world.calls()
        outcome = run_of(world, wanted(world, some)).present(CONFIRMED)
        assert not outcome.plan.changes
        reading = world.calls() - total
        assert situations.whole_run(world, some) == ""
        assert (world.writing_calls(), world.calls(*LOCKING)) == (writing, locking)
        assert situations.ids(world) == before
        stage.end(world)
    figure(f"7  {SECOND_RUNS} second runs: changed=0, no writing call, no lock; {reading} reading calls on {len(CLOUDS)} clouds")


def foretold(world: World, some: situations.Pools) -> Counter[tuple[str, str]]:
    outcome = run_of(world, wanted(world, some), check=True).present(CONFIRMED)
    shown = run_of(world, wanted(world, some)).look(CONFIRMED)  # by status, with the volumes that have no node now
    assert dataclasses.replace(shown, kept=outcome.kept) == outcome
    parts = outcome.plan.clouds.values()
    found = Counter(("delete", node.name) for part in parts for node in (*part.delete, *part.leave))
    found += Counter(("make", spec.name) for part in parts for spec in part.create)
    found += Counter(("keep", volume.name) for volume in outcome.kept)
    return found + Counter(("resize", f"{volume.name} {volume.size}") for part in parts for volume in part.resize)


def written(world: World, since: dict[str, int]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    attached = set()
    for cloud in CLOUDS:
        for what, kind, name, *more in world.writes(cloud)[since[cloud] :]:
            if kind == "node" and what in ("create", "start", "delete"):
                found["delete" if what == "delete" else "make", name] += 1
            elif what == "resize":
                found["resize", f"{name} {more[0]}"] += 1
            elif what == "attach":
                attached.add(name.rpartition("-")[0])
    return found + Counter(("make", name) for name in attached if not found["make", name])


def without_node(world: World, some: situations.Pools) -> list[str]:
    """The volumes whose node is gone once deleted nodes are no longer listed."""
    clouds = opened(wanted(world, some)).values()
    listings = [[cloud.listing() for _look in range(3)][-1] for cloud in clouds]
    names = {node.name for listing in listings for node in listing.nodes}
    return [volume.name for listing in listings for volume in listing.volumes if volume.mark.node_name not in names]


def test_check_mode_writes_nothing_and_foretells_what_the_run_does(stage: Stage, figure: Callable[[str], None]) -> None:
    chance = random.Random(7)
    actions = 0
    for _trial in range(CHECKS):
        world, some = random_situation(stage, chance)
        for cloud in opened(wanted(world, some)).values():
            for _look in range(3):  # what is on its way arrives: only what is certain can be foretold
                cloud.listing()
        since = {cloud: len(world.writes(cloud)) for cloud in CLOUDS}
        writing, locking = world.writing_calls(), world.calls(*LOCKING)
        told = foretold(world, some)
        assert (world.writing_calls(), world.calls(*LOCKING)) == (writing, locking)
        assert situations.whole_run(world, some) == ""
        assert told == written(world, since) + Counter(("keep", name) for name in without_node(world, some))
        actions += told.total()
        stage.end(world)
    figure(f"8  check mode in {CHECKS} situations: no writing call, and all of its {actions} foretold actions, no other, were done by the real run")


def test_check_mode_of_destroy_and_of_deletion_writes_nothing(stage: Stage) -> None:
    world = stage.world("mend")
    writing, locking = world.writing_calls(), world.calls(*LOCKING)
    run = run_of(world, wanted(world, pools()), check=True)
    planned = run.absent(data=True).plan
    assert sum(len(part.delete) for part in planned.clouds.values()) == len(world.names()) + len(world.names(cloud="two"))
    run.delete(world.names())
    assert run.set_ready(dict.fromkeys(world.names(), "other")) == sorted(world.names())
    assert (world.writing_calls(), world.calls(*LOCKING)) == (writing, locking)


# the state machine


@pytest.mark.slow
def test_ten_thousand_steps_of_the_state_machine(figure: Callable[[str], None]) -> None:
    ClusterMachine.steps.clear()
    checks = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large]
    per_run = 50
    settings = hypothesis.settings(max_examples=STEPS // per_run + 40, stateful_step_count=per_run, suppress_health_check=checks)
    run_state_machine_as_test(ClusterMachine, settings=settings)
    steps = ClusterMachine.steps
    assert steps.total() >= STEPS
    kinds = Counter({kind.split()[0]: 0 for kind in steps})
    for kind, count in steps.items():
        kinds[kind.split()[0]] += count
    figure(f"9  {steps.total()} steps of the state machine ({dict(kinds)}): plan(apply(plan(x))) is empty, nothing of others touched, no volume lost")
