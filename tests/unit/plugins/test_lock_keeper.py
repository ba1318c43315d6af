# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keeper of a run's lock, with real processes: a run, its worker that asks for the lock, and the keeper that holds it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._base import _processes
from ansible_collections.sky.clusters.plugins.module_utils._base._processes import Process
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, Scope
from ansible_collections.sky.clusters.plugins.module_utils._engine import _lock
from ansible_collections.sky.clusters.plugins.module_utils._engine._lock import Holder
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Clock, Stopped
from ansible_collections.sky.clusters.plugins.plugin_utils import _lock_keeper
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions
from ansible_collections.sky.clusters.tests.support.world import World

HELD = ["held"]


class Runs:
    """Runs on one cluster, in processes of their own; all are gone after the test."""

    def __init__(self, world: World) -> None:
        self.world = World(world.folder, real_time=True)
        self.pids: list[int] = []

    def clouds(self) -> dict[str, MemoryCloud]:
        return {name: MemoryCloud(name, MemoryOptions(str(self.world.folder), real_time=True), Scope("demo")) for name in ("one", "two")}

    def begin(self, wait: float = 0.0, times: int = 1, stays: float = 0.0) -> tuple[int, list[str]]:
        """Start a run that asks for the lock and then lives until it is ended.

        Args:
            times: how often it asks, each time in another worker.
            stays: seconds that the last worker lives on.

        Returns:
            Its process, and what the last worker heard, "held" or a fault last.
        """
        reader, writer = os.pipe()
        run = os.fork()
        if run == 0:
            try:
                for _time in range(times - 1):
                    self._fork_worker(wait, os.open(os.devnull, os.O_WRONLY), 0)
                self._fork_worker(wait, writer, stays)
                while True:
                    signal.pause()
            finally:
                os._exit(1)
        self.pids.append(run)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            return run, json.loads(pipe.readline())

    def _fork_worker(self, wait: float, writer: int, stays: float) -> None:
        worker = os.fork()
        if worker:
            if not stays:
                os.waitpid(worker, 0)
            return
        heard: list[str] = []
        try:
            _lock_keeper.hold(self.clouds, wait, Clock(), heard.append)
            heard.append("held")
        except CloudError as error:
            heard.append(str(error))
        finally:
            os.write(writer, json.dumps(heard).encode() + b"\n")
            time.sleep(stays)
            os._exit(0)

    def end(self, run: int, how: int = signal.SIGTERM) -> None:
        os.kill(run, how)
        os.waitpid(run, 0)
        self.pids.remove(run)

    def holders(self) -> dict[str, Holder]:
        return {name: Holder.read(cloud["locks"]["demo"]["holder"]) for name, cloud in self.world.state()["clouds"].items() if cloud["locks"]}


@pytest.fixture
def runs(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    monkeypatch.setattr(_lock, "LOOK", 0.05)
    monkeypatch.setattr(_lock, "GRACE", 0.3)
    monkeypatch.setattr(_lock_keeper, "LOOK", 0.05)
    made = Runs(world)
    yield made
    for run in [*made.pids]:
        with contextlib.suppress(ProcessLookupError):
            made.end(run, signal.SIGKILL)
    until(lambda: not any(Process.of(holder.keeper).alive() for holder in made.holders().values()))


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("it did not come")
        time.sleep(0.01)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_lock_is_held_until_the_run_ends_in_any_way(runs: Runs, how: int) -> None:
    run, heard = runs.begin()
    assert heard == HELD
    assert {name: holder.run for name, holder in runs.holders().items()} == {"one": run, "two": run}
    _second, refused = runs.begin()
    assert len(refused) == 1
    assert f"(process {run}) since" in refused[0]
    assert "sky_wait=600" in refused[0]
    runs.end(run, how)
    until(lambda: runs.holders() == {})
    assert runs.begin()[1] == HELD


def test_the_lock_is_renewed_during_the_whole_run(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lock, "SECONDS", 0.9)
    run, _heard = runs.begin()
    time.sleep(2)
    assert runs.holders()["one"].run == run
    assert "is being changed by" in runs.begin()[1][0]


def test_the_next_run_is_not_refused_while_the_last_keeper_releases_the_lock(runs: Runs) -> None:
    for _time in range(5):
        run, heard = runs.begin()
        assert heard == HELD
        runs.end(run)


def test_waiting_for_another_run_is_reported(runs: Runs) -> None:
    first, _heard = runs.begin()
    waiting = os.fork()
    if waiting == 0:
        time.sleep(1)
        os.kill(first, signal.SIGTERM)
        os._exit(0)
    _second, heard = runs.begin(wait=20)
    os.waitpid(waiting, 0)
    assert [heard[0].partition("cluster demo: ")[2].partition(" (process")[0] != "", heard[-1]] == [True, "held"]
    assert "waiting up to 20 s" in heard[0]


def test_processes_that_the_run_left_behind_are_waited_for(runs: Runs) -> None:
    run, _heard = runs.begin(stays=1.5)
    began = time.monotonic()
    time.sleep(0.3)  # the keeper sees the worker
    runs.end(run, signal.SIGKILL)
    time.sleep(0.5)
    assert runs.holders()["one"].run == run
    until(lambda: runs.holders() == {})
    assert time.monotonic() - began > 1.2


def test_the_next_run_waits_for_what_an_ended_run_left_behind(runs: Runs) -> None:
    run, _heard = runs.begin(stays=2)
    time.sleep(0.3)  # the keeper sees the worker
    runs.end(run, signal.SIGKILL)
    (waited, held) = runs.begin()[1]
    assert f"(process {run})" in waited
    assert "has ended, but something that it started still runs; waiting up to" in waited
    assert held == "held"


@pytest.mark.parametrize(
    ("command", "at_work"),
    [
        (["ssh: /root/.ansible/cp/a [mux]", "-c", "sleep 30; :"], False),
        (["ssh", "-c", "sleep 30; :", "-W", "[10.0.0.5]:22", "debian@192.0.2.7"], False),
        (["/usr/bin/ssh", "-c", "sleep 30; :", "-W", "[10.0.0.5]:22"], False),
        (["/usr/bin/ssh", "-c", "sleep 30; :", "debian@192.0.2.7", "/bin/sh"], True),
        (["sh", "-c", "sleep 30; :", "-W"], True),
    ],
)
def test_connections_that_stay_open_are_no_work(command: list[str], at_work: bool) -> None:
    """Those to nodes behind a gateway kept the lock for a minute after the run, and the next run was refused."""
    with subprocess.Popen(command, executable="/bin/sh") as process:
        until(lambda: _processes.title(process.pid).startswith(command[0]))
        assert _lock_keeper._at_work(Process.of(process.pid)) is at_work
        process.kill()
    assert not _lock_keeper._at_work(Process.of(process.pid))


def test_a_run_that_was_killed_with_its_keeper_does_not_lock_out_its_machine(runs: Runs) -> None:
    run, _heard = runs.begin()
    os.kill(runs.holders()["one"].keeper, signal.SIGKILL)
    runs.end(run, signal.SIGKILL)
    heard = runs.begin()[1]
    assert heard[-1] == "held"
    assert all("was stale and has been removed" in line for line in heard[:-1])


def test_a_run_that_locks_repeatedly_has_one_keeper(runs: Runs) -> None:
    run, heard = runs.begin(times=3)
    assert heard == HELD
    assert len({holder.keeper for holder in runs.holders().values()}) == 1
    assert runs.world.state()["clouds"]["one"]["calls"]["lock"] == 1
    runs.end(run)
    until(lambda: runs.holders() == {})


def test_a_run_whose_lock_is_lost_is_stopped(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lock, "SECONDS", 0.9)
    run, _heard = runs.begin()
    with runs.world.tamper() as state:
        state["clouds"]["one"]["locks"]["demo"] |= {"token": "theirs", "holder": "bob", "until": time.time() + 60}
    until(lambda: not Process.of(run).alive())
    assert os.waitstatus_to_exitcode(os.waitpid(run, 0)[1]) == -signal.SIGTERM
    runs.pids.remove(run)
    assert runs.holders()["one"].shown == "bob"


def test_a_run_whose_lock_cannot_be_renewed_is_stopped_even_if_the_cloud_hangs(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lock, "SECONDS", 0.9)
    run, _heard = runs.begin()
    runs.world.fault("renew", "hang", times=0, cloud="one")
    runs.world.fault("locked_by", "hang", times=0, cloud="one")
    until(lambda: not Process.of(run).alive())
    assert os.waitstatus_to_exitcode(os.waitpid(run, 0)[1]) == -signal.SIGTERM
    runs.pids.remove(run)


def test_a_run_that_has_destroyed_its_cluster_and_the_lock_continues(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lock, "SECONDS", 0.9)
    run, _heard = runs.begin()
    keeper = runs.holders()["one"].keeper
    with runs.world.tamper() as state:
        for cloud in state["clouds"].values():
            cloud["locks"].clear()
    time.sleep(1.2)
    assert os.waitpid(run, os.WNOHANG) == (0, 0)
    assert Process.of(keeper).alive()


def test_the_keeper_keeps_no_resource_of_the_run_open(runs: Runs) -> None:
    """Who reads a run's output through a pipe sees its end when the run ends."""
    runs.begin()
    keeper = Path("/proc") / str(runs.holders()["one"].keeper)

    def opened() -> set[str]:
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            return {os.readlink(each) for each in (keeper / "fd").iterdir()}
        return set()

    until(lambda: {name for name in opened() if "pidfd" not in name} == {"/dev/null"})
    assert os.getsid(int(keeper.name)) != os.getsid(0)


def test_an_interrupted_run_stops_waiting_and_so_does_its_keeper(runs: Runs) -> None:
    first, _heard = runs.begin()
    interrupted = time.monotonic() + 0.5
    with pytest.raises(Stopped):
        _lock_keeper.hold(runs.clouds, 60, Clock(stopped=lambda: time.monotonic() > interrupted), lambda _sentence: None)
    runs.end(first)
    until(lambda: runs.holders() == {})
    assert runs.begin()[1] == HELD
