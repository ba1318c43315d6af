# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command that runs in full view, for so many seconds at most; what it counted is read from what it prints."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..support.processes import kill_family

TOKEN = "SKY_PROOF_FAMILY"  # variable of every process of a command, by which those are found that left the family
POLL = 0.2
COUNTED = {
    "tests": re.compile(r"^(?:=+ )?(?:\d+ \w+, )*?(\d+) passed\b.* in [\d.]+s"),
    "mutants": re.compile(r"^figure: mutants caught (\d+) of \1$"),
    "checks": re.compile(r"^checks passed: (\d+) of \1$"),
}
COLORS = re.compile(r"\x1b\[[\d;]*m")


@dataclass
class Counts:
    """How many tests, mutants and checks passed, as lines of output say."""

    found: Counter[str] = field(default_factory=Counter)
    rest: bytes = b""

    def feed(self, chunk: bytes) -> None:
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        for line in lines:
            text = COLORS.sub("", line.decode("utf-8", "replace")).strip()
            for what, pattern in COUNTED.items():
                if match := pattern.match(text):
                    self.found[what] += int(match[1])

    def __str__(self) -> str:
        return ", ".join(f"{number} {what}" for what, number in self.found.items()) or "-"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    overdue: bool = False

    @property
    def passed(self) -> bool:
        return self.code == 0 and not self.overdue


def run(command: Sequence[str], seconds: float, environment: Mapping[str, str], counts: Counts) -> Ended:
    """Run a command to its end. What is over time is killed, with all that it started."""
    token = uuid.uuid4().hex
    end = time.monotonic() + seconds
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**environment, TOKEN: token}
        )
    except OSError as error:
        show(f"{command[0]}: {error.strerror}\n".encode())
        return Ended(127)
    try:
        for chunk in _output(process, end):
            counts.feed(chunk)
            show(chunk)
        return Ended(process.wait(max(0.0, end - time.monotonic())))
    except subprocess.TimeoutExpired:
        return Ended(-signal.SIGKILL, overdue=True)
    except KeyboardInterrupt:
        _let_end(process)
        raise
    finally:
        if process.poll() is None:
            kill_all(process.pid, token)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _output(process: subprocess.Popen[bytes], end: float) -> Iterator[bytes]:
    """What a command prints, until it has ended. A process that it left behind may hold the pipe for longer."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            ended = process.poll() is not None  # before the look: what it printed last is read in any case
            if selector.select(POLL if not ended else 0):
                chunk = os.read(process.stdout.fileno(), 65536)
                if not chunk:
                    return
                yield chunk
            elif ended:
                return
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(process.args, 0)


def _let_end(process: subprocess.Popen[bytes]) -> None:
    """After Ctrl-C, which the command got as well: it may clean up, until Ctrl-C comes again."""
    with contextlib.suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
        for chunk in _output(process, time.monotonic() + 300):
            show(chunk)


def kill_all(pid: int, token: str) -> None:
    """Kill a process, all that it started, and what these left to other parents."""
    kill_family(pid)
    while left := bearers(token):
        for each in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        time.sleep(0.05)


def bearers(token: str) -> list[int]:
    """Processes, zombies excepted, with this token in their environment."""
    word = f"{TOKEN}={token}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if word in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def show(output: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(output)
    sys.stdout.buffer.flush()
