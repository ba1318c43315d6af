# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""spark_daemon against real processes and real pages; systemd has its part in the molecule scenario."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._drain import DrainError, Policy, Work, drain
from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_processes import ask_to_drain, executors
from ansible_collections.sky.clusters.plugins.modules import spark_daemon
from ansible_collections.sky.clusters.plugins.modules.spark_daemon import (
    KINDS,
    Daemon,
    DaemonError,
    Outcome,
    Request,
    begin_drain,
    is_stale,
    make_room,
    remove,
    stop,
)

DROP_IN = Path(__file__).parents[3] / "roles/spark/templates/daemon.j2"
# A worker as the module sees it: a process that makes a file when it is asked to drain, and whose executors may then end.
WORKER = """
import signal, subprocess, sys, time
def drain(*_):
    open(sys.argv[1], "w").close()
    if sys.argv[2] == "obeyed":
        for child in children:
            child.kill()
            child.wait()
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
children = []
for number, how in enumerate(sys.argv[3:]):
    words = [sys.executable, "-c", open(0).read() if not number else children[0].args[2], how, "--driver-url", "spark://x"]
    words += ["org.apache.spark.executor.CoarseGrainedExecutorBackend", "--executor-id", str(number), "--app-id", "app-1"]
    children.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
    children[-1].stdout.readline()
signal.signal(signal.SIGPWR, drain)
print("ready", flush=True)
while True:
    time.sleep(0.1)
    for child in children:
        child.poll()
"""
# An executor: it ends when it is asked to drain itself, or it drains already and must be left alone, or it does not handle the signal.
EXECUTOR = """
import ctypes, signal, sys, time
if sys.argv[1] == "leaving":
    ctypes.CDLL(None).prctl(15, b"wait-for-blocks-to-migrate")
if sys.argv[1] != "deaf":
    signal.signal(signal.SIGPWR, lambda *_: sys.exit(0))
print("ready", flush=True)
time.sleep(60)
"""


class Page:
    """A daemon's page, served on a free port."""

    def __init__(self) -> None:
        self.content: dict[str, Any] = {}
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(page.current()).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing to say."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def current(self) -> dict[str, Any]:
        return self.content

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def page() -> Iterator[Page]:
    served = Page()
    yield served
    served.server.shutdown()
    served.server.server_close()


def request(disruption: str, seconds: int, slice_seconds: int = 0, check: bool = False) -> Request:
    return Request(Policy(disruption, seconds, slice_seconds, check))


class DaemonOfPid(Daemon):
    """A daemon whose process is a child of the test, where systemd is not."""

    def __init__(self, page: str, pid: int) -> None:
        super().__init__(KINDS["worker"], page)
        self.pid = pid

    def status(self) -> dict[str, str]:
        return {"MainPID": str(self.pid), "ActiveState": "active", "UnitFileState": "enabled"}

    def systemctl(self, *arguments: str) -> str:
        if arguments == ("stop",):
            os.kill(self.pid, signal.SIGTERM)
        return ""

    def tail(self) -> str:
        return "its journal is empty"


class MasterOfPid(DaemonOfPid):
    """The same of a master."""

    def __init__(self, page: str, pid: int) -> None:
        super().__init__(page, pid)
        self.kind = KINDS["master"]


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_daemon, "RUNTIME", tmp_path)


@pytest.fixture
def drained(tmp_path: Path) -> Path:
    return tmp_path / "drained"


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start_worker(drained: Path) -> Iterator[Start]:
    """Start a worker with executors, each by how it reacts."""
    started = []

    def start(*executors: str, obeyed: bool = True) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WORKER, str(drained), "obeyed" if obeyed else "ignored", *executors]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        started.append(child)
        assert child.stdin
        assert child.stdout
        child.stdin.write(EXECUTOR)
        child.stdin.close()
        assert child.stdout.readline() == "ready\n"
        return child

    yield start
    for child in started:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout:
            child.stdout.close()


@pytest.fixture
def process(start_worker: Start) -> subprocess.Popen[str]:
    """A worker with two executors that run on."""
    return start_worker("leaving", "leaving", obeyed=False)


def appears(path: Path) -> None:
    """A process that was sent a signal runs its handler when the machine has time for it."""
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} is missing"
        time.sleep(0.1)


LISTED = {"executors": [{"appid": "app-1", "id": number, "appdesc": {"name": "etl"}} for number in range(2)]}
WORK = ["app-1/0", "app-1/1"]


def test_drain_waits_for_the_executors(page: Page, start_worker: Start) -> None:
    page.content = LISTED
    daemon = DaemonOfPid(page.url, start_worker("deaf").pid)
    assert daemon.work() == [Work("app-1/0", "etl")]
    outcome = drain(daemon, 30)
    assert outcome["ended"] == []
    assert 2 <= outcome["drained_in"] < 10


def test_a_drain_has_a_time_limit_and_names_what_still_ran(page: Page, process: subprocess.Popen[str]) -> None:
    outcome = drain(DaemonOfPid(page.url, process.pid), 2)
    assert outcome["ended"] == WORK
    assert outcome["drained_in"] in (2, 3)


@pytest.mark.parametrize("content", [{}, None])
def test_what_runs_is_seen_where_the_page_shows_nothing(page: Page, process: subprocess.Popen[str], content: dict[str, Any] | None) -> None:
    """It has another address by the new settings, or is slow: the executors would be taken for drained."""
    page.content = content or {}
    daemon = DaemonOfPid(page.url if content is not None else "http://127.0.0.1:1", process.pid)
    assert daemon.work() == [Work("app-1/0", "app-1"), Work("app-1/1", "app-1")]
    with pytest.raises(DrainError, match="spark-worker must be restarted and runs app-1"):
        make_room(daemon, request("refuse", 1), Outcome())
    assert drain(daemon, 2)["ended"] == WORK


def test_an_executor_that_does_not_drain_is_asked_itself(page: Page, start_worker: Start, drained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its driver did not know it yet when the master told of the drain. One that drains, and one that is still starting, are left alone."""
    monkeypatch.setattr(spark_daemon, "AGAIN", 2)
    daemon = DaemonOfPid(page.url, start_worker("idle", "leaving", "deaf", "idle", obeyed=False).pid)
    assert drain(daemon, 600, slice_seconds=1)["draining"]["work"] == ["app-1/0", "app-1/1", "app-1/2", "app-1/3"]
    appears(drained)
    drained.unlink()
    assert drain(daemon, 600, slice_seconds=4)["draining"]["work"] == ["app-1/1", "app-1/2"]
    appears(drained)


def test_a_slice_returns_what_still_runs_and_the_next_call_continues(page: Page, process: subprocess.Popen[str], drained: Path) -> None:
    page.content = LISTED
    daemon = DaemonOfPid(page.url, process.pid)
    begun = time.monotonic()
    assert drain(daemon, 600, slice_seconds=2) == {"draining": {"work": WORK, "jobs": ["etl"]}}
    assert time.monotonic() - begun < 5
    appears(drained)
    for executor in executors(process.pid):
        os.kill(executor.pid, signal.SIGKILL)
    assert drain(daemon, 600, slice_seconds=10)["ended"] == []


def test_a_drain_without_time_left_ends_at_once(page: Page, process: subprocess.Popen[str]) -> None:
    assert drain(DaemonOfPid(page.url, process.pid), 0, slice_seconds=5) == {"drained_in": 0, "ended": WORK}


def test_a_worker_that_drains_is_not_stopped_before_its_time(page: Page, process: subprocess.Popen[str]) -> None:
    page.content = LISTED
    outcome = stop(DaemonOfPid(page.url, process.pid), request("drain", 600, slice_seconds=1))
    assert outcome.actions == ["drain"]
    assert outcome.details["draining"]["jobs"] == ["etl"]
    assert process.poll() is None


def test_a_worker_is_removed_once_it_is_drained(page: Page, process: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_daemon, "UNITS", tmp_path)
    daemon = DaemonOfPid(page.url, process.pid)
    asked = request("drain", 600, slice_seconds=1)
    assert remove(daemon, asked) == Outcome()  # it is not installed
    unit = tmp_path / "spark-worker.service"
    unit.touch()
    assert remove(daemon, asked).actions == ["drain"]
    check = request("force", 600, check=True)
    assert remove(daemon, check).actions == ["stop", "disable", "remove"]
    assert unit.exists()


def test_force_stops_a_worker_that_drains_at_once(page: Page, process: subprocess.Popen[str]) -> None:
    daemon = DaemonOfPid(page.url, process.pid)
    stop(daemon, request("drain", 600, slice_seconds=1))
    begun = time.monotonic()
    outcome = stop(daemon, request("force", 600))
    assert outcome.actions == ["stop", "disable"]
    process.wait(5)
    assert time.monotonic() - begun < 5


def test_a_drain_can_be_started_without_waiting(page: Page, process: subprocess.Popen[str], drained: Path) -> None:
    begun = time.monotonic()
    daemon = DaemonOfPid(page.url, process.pid)
    assert begin_drain(daemon, request("drain", 600, check=True)).actions == ["drain"]
    assert begin_drain(daemon, request("force", 600)).actions == []
    assert not drained.exists()
    assert begin_drain(daemon, request("drain", 600)).actions == ["drain"]
    assert time.monotonic() - begun < 2
    appears(drained)


def test_a_worker_that_began_to_drain_and_was_not_stopped_is_stale(
    page: Page, process: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UNITS", "SETTINGS", "HOME"):
        monkeypatch.setattr(spark_daemon, name, tmp_path / name)
    (tmp_path / "spark-worker").mkdir()
    (tmp_path / "spark-worker/settings").write_text(spark_daemon.fingerprint("spark-worker") + " -")
    assert not is_stale("spark-worker", str(process.pid))
    DaemonOfPid(page.url, process.pid).begin_drain()
    assert is_stale("spark-worker", str(process.pid))
    assert not is_stale("spark-worker", "1"), "another process by now"


def test_a_process_that_would_die_of_the_signal_does_not_get_it(page: Page) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        daemon = DaemonOfPid(page.url, child.pid)
        assert not ask_to_drain(child.pid)
        drain(daemon, 10)
        assert child.poll() is None
        child.kill()


def test_refuse_names_the_jobs(page: Page) -> None:
    page.content = {"activeapps": [{"id": "app-1", "name": "etl"}]}
    asked = request("refuse", 1)
    with pytest.raises(DrainError, match="spark-master must be restarted and runs etl"):
        make_room(MasterOfPid(page.url, 0), asked, Outcome())


def test_refuse_fails_where_a_master_does_not_say_what_runs() -> None:
    with pytest.raises(
        DrainError, match="spark-master must be restarted and does not say what it runs: wait until it answers, or set sky_disruption"
    ):
        make_room(MasterOfPid("http://127.0.0.1:1", 0), request("refuse", 1), Outcome())


def test_a_page_is_where_the_running_process_serves_it(page: Page) -> None:
    page.content = {"activeapps": [{"id": "app-1", "name": "etl"}]}
    host, port = page.url.removeprefix("http://").split(":")
    command = [sys.executable, "-c", "print(flush=True); input()", "--host", host, "--webui-port", port]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        assert MasterOfPid("http://127.0.0.1:1", child.pid).work() == [Work("app-1", "etl")]
        child.communicate(b"\n")


@pytest.mark.parametrize(("kind", "disruption", "expected"), [("worker", "drain", ["drain"]), ("worker", "force", []), ("master", "drain", [])])
def test_only_workers_are_drained_and_check_mode_only_says_so(page: Page, kind: str, disruption: str, expected: list[str]) -> None:
    page.content = {"activeapps": [{"id": "app-1", "name": "etl"}]}
    outcome = Outcome()
    daemon = DaemonOfPid(page.url, 0) if kind == "worker" else MasterOfPid(page.url, 0)
    make_room(daemon, request(disruption, 1, check=True), outcome)
    assert outcome.actions == expected


def test_wait_ends_when_the_worker_knows_its_master(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([{"masterurl": ""}, {"masterurl": ""}])
    monkeypatch.setattr(page, "current", lambda: next(answers, {"masterurl": "spark://10.0.0.1:7077"}))
    DaemonOfPid(page.url, 0).wait(10)


def test_wait_ends_when_a_master_has_recovered(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that recovers drops what workers tell it of their drain; that takes longer than its start where a worker is lost."""
    answers = iter([{"status": state} for state in ("STANDBY", "RECOVERING", "RECOVERING", "COMPLETING_RECOVERY")])
    monkeypatch.setattr(page, "current", lambda: next(answers, {"status": "ALIVE"}))
    MasterOfPid(page.url, 0).wait(1)
    assert next(answers, None) is None
    monkeypatch.setattr(spark_daemon, "RECOVERY", 1)
    monkeypatch.setattr(page, "current", lambda: {"status": "RECOVERING"})
    with pytest.raises(DaemonError, match="spark-master did not start within 1 seconds"):
        MasterOfPid(page.url, 0).wait(1)


def test_waiting_has_a_time_limit() -> None:
    with pytest.raises(DaemonError, match="spark-worker did not start within 1 seconds; its journal is empty"):
        DaemonOfPid("http://127.0.0.1:1", 0).wait(1)


def test_the_unit_writes_the_fingerprint_that_the_module_computes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units, settings, home, runtime = tmp_path / "units", tmp_path / "spark-daemons.conf", tmp_path / "home", tmp_path / "run"
    for folder in (units, home, runtime / "spark-worker"):
        folder.mkdir(parents=True)
    (units / "spark-worker.service").write_text("[Service]\n")
    settings.write_text("spark.authenticate true\n")
    (home / f".sha256-{'e' * 64}").touch()
    for name, value in {"UNITS": units, "SETTINGS": settings, "HOME": home, "RUNTIME": runtime}.items():
        monkeypatch.setattr(spark_daemon, name, value)
    line = next(line for line in DROP_IN.read_text().splitlines() if line.startswith("ExecStartPre="))
    places = {"/etc/systemd/system": units, "/etc/spark/spark-daemons.conf": settings, "/opt/spark": home, "%t": runtime}
    command = line.removeprefix("ExecStartPre=/bin/sh -c '").removesuffix("'").replace("%n", "spark-worker.service").replace("%N", "spark-worker")
    for there, here in places.items():
        command = command.replace(there, str(here))
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert spark_daemon.in_force("spark-worker") == spark_daemon.fingerprint("spark-worker")
    settings.write_text("spark.authenticate false\n")
    assert spark_daemon.in_force("spark-worker") != spark_daemon.fingerprint("spark-worker")
