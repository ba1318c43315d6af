# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of Spark on this node: what a daemon runs and where it serves its page, also while its page is slow or its settings have changed.

Ships with the modules that run on nodes: the standard library alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
LEAVING = "wait-for-blocks"  # of the thread in which an executor that drains waits for its end; the kernel keeps 15 characters


@dataclass(frozen=True)
class Executor:
    """An executor that runs."""

    pid: int
    application: str
    number: str

    @property
    def name(self) -> str:
        return f"{self.application}/{self.number}"


def executors(worker: int) -> list[Executor]:
    """The executors that a worker has started and that have not ended.

    Args:
        worker: id of its process.
    """
    return [found for pid in _children(worker) if (found := _executor(pid))]


def page(daemon: int) -> str:
    """Where a master or worker was told to serve its page; empty if it was not."""
    words = _words(daemon)
    host, port = _after(words, "--host"), _after(words, "--webui-port")
    place = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{place}:{port}" if host and port else ""


def ask_to_drain(pid: int) -> bool:
    """Send a worker or an executor the signal to drain, if it handles it; one that is still starting, or has another setting, would die of it.

    Returns:
        Whether it handles it.
    """
    if not pid or not _handles(pid, signal.SIGPWR):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGPWR)
    return True


def is_leaving(executor: int) -> bool:
    """Whether an executor drains."""
    return any(_text(thread) == LEAVING for thread in (PROC / str(executor)).glob("task/*/comm"))


def _executor(pid: int) -> Executor | None:
    words = _words(pid)
    return Executor(pid, _after(words, "--app-id"), _after(words, "--executor-id")) if EXECUTOR in words else None


def _children(parent: int) -> Iterator[int]:
    for process in PROC.glob("[0-9]*"):
        state = _text(process / "stat").rpartition(")")[2].split()  # what precedes is the program's name, which may contain anything
        if state[1:2] == [str(parent)]:
            yield int(process.name)


def _words(pid: int) -> Sequence[str]:
    return _text(PROC / str(pid) / "cmdline").split("\0")


def _after(words: Sequence[str], option: str) -> str:
    following = words[words.index(option) + 1 :] if option in words else []
    return following[0] if following else ""


def _handles(pid: int, number: int) -> bool:
    lines = _text(PROC / str(pid) / "status").splitlines()
    caught = next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")), 0)
    return bool(caught >> (number - 1) & 1)


def _text(path: Path) -> str:
    """A file of a process; empty if it has ended."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\n")
    except OSError:
        return ""
