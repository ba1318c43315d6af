# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's lock: taken on all clouds, renewed, released, lost."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Denied, Lease, Locked, Scope, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._engine import _lock
from ansible_collections.sky.clusters.plugins.module_utils._engine._lock import Holder, Terms
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Backoff, Clock, Stopped
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions
from ansible_collections.sky.clusters.tests.support.world import World

QUICK = Backoff(spread=lambda: 0.5)
WAIT = 90.0
ME, OTHER = "ada@here (process 1)", "bob@there (process 2)"


def two(world: World) -> dict[str, MemoryCloud]:
    return {name: MemoryCloud(name, MemoryOptions(str(world.folder)), Scope("demo")) for name in ("beta", "alpha")}


def silent(_sentence: str) -> None:
    """Nothing is to be told."""
    raise AssertionError(_sentence)


def terms(clock: Clock, tell: Callable[[str], None], wait: float = 0.0) -> Terms:
    """How ada asks for the lock."""
    return Terms(Holder(ME), clock, QUICK, wait, tell)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("it did not come")
        time.sleep(0.005)


def holders(world: World) -> dict[str, str]:
    return {name: cloud["locks"]["demo"]["holder"] for name, cloud in world.state()["clouds"].items() if "demo" in cloud["locks"]}


def test_it_is_held_on_all_clouds_and_released(world: World) -> None:
    with _lock.held(two(world), terms(world.clock(), silent)) as lost:
        assert holders(world) == {"alpha": ME, "beta": ME}
        assert not lost()
    assert holders(world) == {}
    assert world.calls("lock", "unlock") == 4


def test_it_is_released_where_the_run_fails(world: World) -> None:
    with pytest.raises(ZeroDivisionError), _lock.held(two(world), terms(world.clock(), silent)):
        raise ZeroDivisionError
    assert holders(world) == {}


def test_where_one_cloud_is_locked_the_others_are_let_go(world: World) -> None:
    clouds = two(world)
    lease = clouds["beta"].lock(OTHER, 3600)
    told: list[str] = []
    with pytest.raises(Locked, match="bob@there"), _lock.held(two(world), terms(world.clock(), told.append, WAIT)):
        raise AssertionError("the lock was not needed")
    assert holders(world) == {"beta": OTHER}
    assert told == [f"cluster demo: {OTHER} since 0 is running; waiting up to 90 s for it to finish"]
    assert 90 <= world.now() < 95
    clouds["beta"].renew(lease, 60)


def test_clouds_are_locked_in_the_order_of_their_names(world: World) -> None:
    clouds = two(world)
    clouds["alpha"].lock(OTHER, 3600)
    with pytest.raises(Locked), _lock.held(clouds, terms(world.clock(), list[str]().append)):
        raise AssertionError("the lock was not needed")
    assert "lock" not in world.cloud("beta")["calls"]


def test_another_run_is_waited_for(world: World) -> None:
    other = two(world)["alpha"]
    lease = other.lock(OTHER, 3600)

    def sleep(seconds: float) -> None:
        world.advance(seconds)
        if world.now() > 20:
            other.unlock(lease)

    told: list[str] = []
    with _lock.held(two(world), terms(Clock(now=world.now, sleep=sleep), told.append, WAIT)) as lost:
        assert holders(world) == {"alpha": ME, "beta": ME}
        assert not lost()
    assert len(told) == 1
    assert 20 < world.now() < 25


def test_a_run_that_was_killed_is_waited_for_until_its_lock_is_stale(world: World) -> None:
    two(world)["alpha"].lock(OTHER, 60)
    told: list[str] = []
    with _lock.held(two(world), terms(world.clock(), told.append, WAIT)):
        assert holders(world) == {"alpha": ME, "beta": ME}
    assert told[1:] == [f"cloud alpha: the lock of {OTHER} was stale and has been removed"]
    assert 60 <= world.now() < 65


def test_without_a_wait_another_run_is_refused_at_once_with_who_it_is_and_what_to_do(world: World) -> None:
    two(world)["alpha"].lock(OTHER, 3600)
    with pytest.raises(Locked) as refused, _lock.held(two(world), terms(world.clock(), silent)):
        raise AssertionError("the lock was not needed")
    assert str(refused.value) == (
        f"cluster demo is being changed by {OTHER} since 0 (cloud alpha): run again when it has finished, or wait for it with -e sky_wait=600 "
        "(seconds); the lock of a killed run expires within 60 s"
    )
    assert _lock.GRACE <= world.now() < 2 * _lock.GRACE


def test_a_run_that_has_just_ended_is_given_the_time_to_release_it(world: World) -> None:
    other = two(world)["alpha"]
    lease = other.lock(OTHER, 3600)

    def sleep(seconds: float) -> None:
        world.advance(seconds)
        if world.now() > 1:
            other.unlock(lease)

    with _lock.held(two(world), terms(Clock(now=world.now, sleep=sleep), silent)) as lost:
        assert not lost()


# a cloud whose calls may stall for long


class Slow(MemoryCloud):
    """Its leases last longer than others, and a stale lock is watched for as long before it is broken."""

    lock_seconds: ClassVar[float] = 180.0

    def lock(self, holder: str, seconds: float) -> Lease:
        self.world.advance(seconds + 1)
        time.sleep(0.3)  # so that who waits looks at the time
        return super().lock(holder, seconds)


def slow(world: World, kind: type[MemoryCloud] = Slow) -> dict[str, MemoryCloud]:
    return two(world) | {"gamma": kind("gamma", MemoryOptions(str(world.folder)), Scope("demo"))}


def test_a_lease_lasts_as_long_as_its_cloud_says_and_may_be_waited_for_as_long(world: World) -> None:
    with _lock.held(slow(world), terms(world.clock(), silent)):
        left = {name: cloud["locks"]["demo"]["until"] - world.now() for name, cloud in world.state()["clouds"].items()}
    assert left == {"alpha": 60 - 181, "beta": 60 - 181, "gamma": 180}


def test_the_refusal_says_how_long_a_lease_of_this_cloud_lasts(world: World) -> None:
    clouds = slow(world)
    clouds["gamma"].lock(OTHER, 3600)
    with pytest.raises(Locked, match=r"\(cloud gamma\).* expires within 180 s$"), _lock.held(clouds, terms(world.clock(), silent)):
        raise AssertionError("the lock was not needed")


# who holds it, on this machine


def ended() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_what_a_killed_run_of_this_machine_holds_is_broken_at_once_and_reported(world: World) -> None:
    dead = replace(Holder.me(), shown="bob@here (process 7)", run=ended(), keeper=ended())
    two(world)["beta"].lock(str(dead), 3600)
    told: list[str] = []
    with _lock.held(two(world), terms(world.clock(), told.append)):
        assert holders(world) == {"alpha": ME, "beta": ME}
    assert told == ["cloud beta: the lock of bob@here (process 7) was stale and has been removed"]
    assert world.now() < _lock.GRACE


@pytest.mark.parametrize("more", [{"run": os.getpid()}, {"machine": "0badcafe"}, {"machine": ""}])
def test_what_may_be_alive_keeps_others_out(world: World, more: dict[str, Any]) -> None:
    """Its run lives, or its numbers are those of another machine."""
    holder = replace(Holder.me(), shown="bob", run=ended(), keeper=ended())
    two(world)["beta"].lock(str(replace(holder, **more)), 3600)
    with pytest.raises(Locked, match=r"being changed by bob since"), _lock.held(two(world), terms(world.clock(), silent)):
        raise AssertionError("the lock was not needed")


def test_what_an_ended_run_left_behind_is_waited_for_as_long_as_a_lease(world: World) -> None:
    holder = replace(Holder.me(), shown="bob", run=ended(), keeper=os.getpid())
    two(world)["beta"].lock(str(holder), 3600)
    told: list[str] = []
    with pytest.raises(Locked, match=r"being changed by bob since"), _lock.held(two(world), terms(world.clock(), told.append)):
        raise AssertionError("the lock was not needed")
    assert world.now() >= _lock.SECONDS
    assert ["has ended, but something that it started still runs" in sentence for sentence in told] == [True]


def test_what_is_held_for_our_run_is_not_taken_again_and_is_lost_with_its_keeper(world: World) -> None:
    keeper = subprocess.Popen(["sleep", "60"])
    ours = replace(Holder.me(), run=os.getppid(), keeper=keeper.pid)
    for cloud in two(world).values():
        cloud.lock(str(ours), 3600)
    with _lock.held(two(world), terms(world.clock(), silent)) as lost:
        assert not lost()
        keeper.kill()
        keeper.wait()
        assert lost()
    assert holders(world) == {"alpha": str(ours), "beta": str(ours)}


def test_two_tasks_of_one_run_keep_each_other_out(world: World) -> None:
    """What a task holds for itself is not held for the whole run."""
    task = replace(Holder.me(), run=os.getppid(), keeper=os.getppid())
    two(world)["beta"].lock(str(task), 3600)
    with pytest.raises(Locked), _lock.held(two(world), terms(world.clock(), silent)):
        raise AssertionError("the lock was not needed")


def test_a_run_that_is_interrupted_waits_no_longer(world: World) -> None:
    two(world)["beta"].lock(OTHER, 3600)
    clock = world.clock(stopped=lambda: world.now() > 10)
    with pytest.raises(Stopped), _lock.held(two(world), terms(clock, list[str]().append, WAIT)):
        raise AssertionError("the lock was not needed")
    assert holders(world) == {"beta": OTHER}


def test_a_stale_lock_is_broken_and_reported(world: World) -> None:
    two(world)["beta"].lock(OTHER, 60)
    world.advance(61)
    told: list[str] = []
    with _lock.held(two(world), terms(world.clock(), told.append)):
        assert holders(world) == {"alpha": ME, "beta": ME}
    assert told == [f"cloud beta: the lock of {OTHER} was stale and has been removed"]


def test_it_is_asked_for_again_where_the_cloud_does_not_answer(world: World) -> None:
    world.fault("lock", "unavailable", times=2, retry_after=7.0)
    with _lock.held(two(world), terms(world.clock(), silent)):
        assert holders(world) == {"alpha": ME, "beta": ME}
    assert world.now() >= 14


def test_an_answer_that_was_lost_does_not_lock_us_out(world: World) -> None:
    world.fault("lock", "lost")
    with _lock.held(two(world), terms(world.clock(), silent)):
        assert holders(world) == {"alpha": ME, "beta": ME}
    assert holders(world) == {}


def test_a_cloud_that_hangs_does_not_hang_the_run(world: World) -> None:
    world.fault("lock", "hang", times=0, cloud="beta")
    clouds = two(world)
    with pytest.raises(Unavailable, match="cloud beta: lock: no answer within"), _lock.held(clouds, terms(world.clock(), silent)):
        raise AssertionError("the lock was not needed")
    assert holders(world) == {}
    clouds["beta"].released.set()


def test_an_unlock_that_hangs_or_is_refused_is_no_fault_of_the_run(world: World) -> None:
    world.fault("unlock", "hang", cloud="alpha")
    world.fault("unlock", "denied", cloud="beta")
    clouds = two(world)
    with _lock.held(clouds, terms(world.clock(), silent)):
        pass
    assert holders(world) == {"alpha": ME, "beta": ME}  # they end by themselves
    clouds["alpha"].released.set()


def test_a_run_that_was_interrupted_still_releases_it(world: World) -> None:
    told = threading.Event()
    clock = Clock(now=world.now, sleep=world.advance, stopped=told.is_set)
    with _lock.held(two(world), terms(clock, silent)):
        told.set()
    assert holders(world) == {}
    with pytest.raises(Stopped), _lock.held(two(world), terms(clock, silent)):
        raise AssertionError("the lock was not needed")


# renewal, in real time


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, world: World) -> World:
    """Leases of a third of a second of real time, for tests in which they end."""
    monkeypatch.setattr(_lock, "SECONDS", 0.3)
    return World(world.folder, real_time=True)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch, world: World) -> World:
    """Long leases, renewed many times a second: a machine that is held up for seconds loses none of them."""
    monkeypatch.setattr(_lock, "SECONDS", 30.0)
    monkeypatch.setattr(_lock, "RENEWALS", 600)
    return World(world.folder, real_time=True)


def real(world: World) -> dict[str, MemoryCloud]:
    return {"one": MemoryCloud("one", MemoryOptions(str(world.folder), real_time=True), Scope("demo"))}


def test_it_is_renewed_for_as_long_as_the_run_takes(often: World) -> None:
    with _lock.held(real(often), terms(Clock(), silent)) as lost:
        until(lambda: often.calls("renew") >= 3)
        assert not lost()
        with pytest.raises(Locked):
            real(often)["one"].lock(OTHER, 60)


def test_what_is_held_is_renewed_while_another_cloud_is_waited_for(monkeypatch: pytest.MonkeyPatch, often: World) -> None:
    monkeypatch.setattr(_lock, "LOOK", 0.05)
    clouds = {name: MemoryCloud(name, MemoryOptions(str(often.folder), real_time=True), Scope("demo")) for name in ("alpha", "beta")}
    clouds["beta"].lock(OTHER, 1.0)
    with _lock.held(clouds, terms(Clock(), list[str]().append, WAIT)) as lost:
        assert not lost()
        assert often.calls("renew") >= 3
        assert often.cloud("alpha")["locks"]["demo"]["until"] > often.now()


def test_a_renewal_that_fails_now_and_then_does_not_lose_it(often: World) -> None:
    often.fault("renew", "unavailable", call=2)
    with _lock.held(real(often), terms(Clock(), silent)) as lost:
        until(lambda: often.calls("renew") >= 5)
        assert not lost()


def test_a_renewal_that_hangs_takes_no_time_from_the_next(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """It takes a third of the lease; with a pause after it, the lease would be over before the next."""
    monkeypatch.setattr(_lock, "SECONDS", 3.0)
    often = World(world.folder, real_time=True)
    often.fault("renew", "hang", call=1)
    clouds = real(often)
    with _lock.held(clouds, terms(Clock(), silent)) as lost:
        until(lambda: often.calls("renew") >= 3)
        assert not lost()
    clouds["one"].released.set()


class Longer(MemoryCloud):
    lock_seconds: ClassVar[float] = 2.4


def test_a_cloud_with_longer_leases_may_be_silent_for_longer(short: World) -> None:
    short.fault("renew", "unavailable", call=1)
    cloud = Longer("one", MemoryOptions(str(short.folder), real_time=True), Scope("demo"))
    began = time.monotonic()
    with _lock.held({"one": cloud}, terms(Clock(), silent)) as lost:
        until(lambda: lost() or short.calls("renew") >= 2)
        assert not lost()
    assert time.monotonic() - began > 1.6


def test_a_cloud_with_longer_leases_does_not_keep_the_others_waiting(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(_lock, "SECONDS", 1.5)
    hanging = World(world.folder, real_time=True)
    hanging.fault("renew", "hang", times=0, cloud="longer")
    monkeypatch.setattr(Longer, "lock_seconds", 60.0)
    longer = Longer("longer", MemoryOptions(str(world.folder), real_time=True), Scope("demo"))
    with _lock.held(real(hanging) | {"longer": longer}, terms(Clock(), silent)) as lost:
        until(lambda: lost() or hanging.cloud("one")["calls"].get("renew", 0) >= 4)
        assert not lost()
    longer.released.set()


def test_who_loses_it_is_reported(short: World) -> None:
    with _lock.held(real(short), terms(Clock(), silent)) as lost:
        with short.tamper() as state:
            state["clouds"]["one"]["locks"]["demo"] |= {"holder": OTHER, "token": "theirs"}
        until(lost)
    assert holders(short) == {"one": OTHER}  # not released by us


@pytest.mark.parametrize("kind", ["unavailable", "hang", "denied"])
def test_who_cannot_renew_it_in_time_has_lost_it(short: World, kind: str) -> None:
    short.fault("renew", kind, times=0)
    clouds = real(short)
    with _lock.held(clouds, terms(Clock(), silent)) as lost:
        until(lost)
    clouds["one"].released.set()


def test_a_refused_lock_is_final(world: World) -> None:
    world.fault("lock", "denied")
    with pytest.raises(Denied), _lock.held(two(world), terms(world.clock(), silent)):
        raise AssertionError("the lock was not needed")
    assert world.calls("lock") == 1
