# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command in full view, and one that takes too long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.proof.bounded import Counts, Ended, run

# Starts one that it leaves behind in a session of its own, whose parent ends at once; then waits for ever.
LEAVING = """
import subprocess, sys, time
orphan = "import os, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
start = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import sys; ' + {orphan!r}, sys.argv[1]], start_new_session=True)"
subprocess.run([sys.executable, "-c", start, sys.argv[1]])
print("waits", flush=True)
subprocess.run(["sleep", "600"])
"""


def python(script: str, *words: str, seconds: float = 30) -> tuple[Ended, str]:
    counts = Counts()
    return run([sys.executable, "-c", script, *words], seconds, dict(os.environ), counts), str(counts)


def is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_its_code_is_told_and_its_output_is_shown(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    ended, _counts = python("import sys; print('said'); sys.exit(3)")
    assert ended == Ended(3)
    assert not ended.passed
    assert capfdbinary.readouterr().out == b"said\n"


def test_what_is_over_time_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    ended, _counts = python(LEAVING, str(tmp_path / "pid"), seconds=3)
    assert ended == Ended(-signal.SIGKILL, overdue=True)
    assert not ended.passed
    assert time.monotonic() - began < 10
    assert not is_alive(int((tmp_path / "pid").read_text(encoding="ascii")))


def test_one_that_left_something_behind_has_ended(tmp_path: Path) -> None:
    """It holds the output open; nobody waits for it, and it is left alone."""
    began = time.monotonic()
    ended, _counts = python(LEAVING.replace('subprocess.run(["sleep", "600"])', ""), str(tmp_path / "pid"), seconds=60)
    assert ended.passed
    assert time.monotonic() - began < 30
    left = subprocess.run(["pgrep", "-f", str(tmp_path / "pid")], capture_output=True, text=True, check=True).stdout.split()
    for pid in left:
        os.kill(int(pid), signal.SIGKILL)


CLEANING = """
import time
try:
    print("begun", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)
    print("cleaned up", flush=True)
"""
INTERRUPTED = """
import os, sys
from ansible_collections.sky.clusters.tests.proof.bounded import Counts, run
try:
    run([sys.executable, "-c", sys.argv[1]], 60, dict(os.environ), Counts())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_lets_a_command_clean_up() -> None:
    """As from a terminal: all processes of the group get it."""
    command = ["env", "--default-signal=INT", sys.executable, "-c", INTERRUPTED, CLEANING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as outer:
        assert outer.stdout is not None
        assert outer.stdout.readline() == "begun\n"
        os.killpg(outer.pid, signal.SIGINT)
        assert outer.stdout.read() == "cleaned up\ninterrupted\n"
    assert outer.returncode == 0


def test_a_command_that_is_not_there_has_failed() -> None:
    assert run(["/no/such/command"], 5, {}, Counts()) == Ended(127)


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ("===== 210 passed, 300 deselected in 12.34s =====", "210 tests"),
        ("\x1b[32m== 210 passed in 12.34s (0:00:12) ==\x1b[0m", "210 tests"),
        ("210 passed in 12.34s", "210 tests"),
        ("=== 1 failed, 209 passed, 2 warnings in 9.1s ===", "209 tests"),
        ("figure: mutants caught 40 of 40", "40 mutants"),
        ("figure: mutants caught 39 of 40", "-"),
        ("checks passed: 11 of 11", "11 checks"),
        ("the 3 passed in 2 s", "-"),
    ],
)
def test_counts(line: str, counted: str) -> None:
    counts = Counts()
    half = len(line) // 2
    counts.feed(line[:half].encode())
    counts.feed(f"{line[half:]}\n".encode())
    assert str(counts) == counted


def test_counts_of_several_runs_are_added() -> None:
    counts = Counts()
    counts.feed(b"== 2 passed in 1.0s ==\nnoise\n== 3 passed in 1.0s ==\n")
    assert str(counts) == "5 tests"
