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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._drain import DrainError, Policy, Work, drain
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
# A worker as the module sees it: a process that removes its executors from its page when it is asked to drain.
WORKER = """
import signal, sys, time
signal.signal(signal.SIGPWR, lambda *_: open(sys.argv[1], "w").close())
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


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_daemon, "RUNTIME", tmp_path)


@pytest.fixture
def drained(tmp_path: Path) -> Path:
    return tmp_path / "drained"


@pytest.fixture
def process(drained: Path) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen([sys.executable, "-c", WORKER, str(drained)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def appears(path: Path) -> None:
    """A process that was sent a signal runs its handler when the machine has time for it."""
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} is missing"
        time.sleep(0.1)


EXECUTOR = {"appid": "app-1", "id": 0, "appdesc": {"name": "etl"}}


def test_drain_waits_for_the_executors(page: Page, process: subprocess.Popen[str], drained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "current", lambda: {"executors": [] if drained.exists() else [EXECUTOR]})
    daemon = DaemonOfPid(page.url, process.pid)
    assert daemon.work() == [Work("app-1/0", "etl")]
    outcome = drain(daemon, 30)
    assert outcome["ended"] == []
    assert 2 <= outcome["drained_in"] < 10


def test_a_drain_has_a_time_limit_and_names_what_still_ran(page: Page, process: subprocess.Popen[str]) -> None:
    page.content = {"executors": [EXECUTOR]}
    outcome = drain(DaemonOfPid(page.url, process.pid), 2)
    assert outcome["ended"] == ["app-1/0"]
    assert outcome["drained_in"] in (2, 3)


def test_a_slice_returns_what_still_runs_and_the_next_call_continues(page: Page, process: subprocess.Popen[str], drained: Path) -> None:
    page.content = {"executors": [EXECUTOR, EXECUTOR | {"id": 1}]}
    daemon = DaemonOfPid(page.url, process.pid)
    begun = time.monotonic()
    assert drain(daemon, 600, slice_seconds=2) == {"draining": {"work": ["app-1/0", "app-1/1"], "jobs": ["etl"]}}
    assert time.monotonic() - begun < 5
    appears(drained)
    page.content = {"executors": []}
    assert drain(daemon, 600, slice_seconds=10)["ended"] == []


def test_a_drain_without_time_left_ends_at_once(page: Page, process: subprocess.Popen[str]) -> None:
    page.content = {"executors": [EXECUTOR]}
    assert drain(DaemonOfPid(page.url, process.pid), 0, slice_seconds=5) == {"drained_in": 0, "ended": ["app-1/0"]}


def test_a_worker_that_drains_is_not_stopped_before_its_time(page: Page, process: subprocess.Popen[str]) -> None:
    page.content = {"executors": [EXECUTOR]}
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
    page.content = {"executors": [EXECUTOR]}
    assert remove(daemon, asked).actions == ["drain"]
    check = request("force", 600, check=True)
    assert remove(daemon, check).actions == ["stop", "disable", "remove"]
    assert unit.exists()


def test_force_stops_a_worker_that_drains_at_once(page: Page, process: subprocess.Popen[str]) -> None:
    page.content = {"executors": [EXECUTOR]}
    daemon = DaemonOfPid(page.url, process.pid)
    stop(daemon, request("drain", 600, slice_seconds=1))
    begun = time.monotonic()
    outcome = stop(daemon, request("force", 600))
    assert outcome.actions == ["stop", "disable"]
    process.wait(5)
    assert time.monotonic() - begun < 5


def test_a_drain_can_be_started_without_waiting(page: Page, process: subprocess.Popen[str], drained: Path) -> None:
    page.content = {"executors": [EXECUTOR]}
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
    page.content = {"executors": []}
    with subprocess.Popen(["sleep", "60"]) as child:
        daemon = DaemonOfPid(page.url, child.pid)
        assert not daemon.can_drain(child.pid)
        drain(daemon, 10)
        assert child.poll() is None
        child.kill()


def test_refuse_names_the_jobs(page: Page) -> None:
    page.content = {"activeapps": [{"id": "app-1", "name": "etl"}]}
    asked = request("refuse", 1)
    with pytest.raises(DrainError, match="spark-master must be restarted and runs etl"):
        make_room(Daemon(KINDS["master"], page.url), asked, Outcome())


@pytest.mark.parametrize(("kind", "disruption", "expected"), [("worker", "drain", ["drain"]), ("worker", "force", []), ("master", "drain", [])])
def test_only_workers_are_drained_and_check_mode_only_says_so(page: Page, kind: str, disruption: str, expected: list[str]) -> None:
    page.content = {"executors": [EXECUTOR], "activeapps": [{"name": "etl"}]}
    outcome = Outcome()
    make_room(Daemon(KINDS[kind], page.url), request(disruption, 1, check=True), outcome)
    assert outcome.actions == expected


def test_wait_ends_when_the_worker_knows_its_master(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([{"masterurl": ""}, {"masterurl": ""}])
    monkeypatch.setattr(page, "current", lambda: next(answers, {"masterurl": "spark://10.0.0.1:7077"}))
    DaemonOfPid(page.url, 0).wait(10)


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
