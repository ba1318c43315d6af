# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs and real nodes, ended from outside at a moment of the test's choice."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from ansible_collections.sky.clusters.tests.support.processes import KILLED, kill_family

PATIENCE = 2.0  # s until Ctrl-C is pressed again


def until(run: subprocess.Popen[str], pattern: str) -> str:
    """Read what a run says until a line matches; all that it said, that line included."""
    if run.stdout is None:
        raise AssertionError("the run has no output")
    said = ""
    for line in run.stdout:
        said += line
        if re.search(pattern, line):
            return said
    raise AssertionError(f"the run ended and never said {pattern!r}:\n{said[-3000:]}")


def kill_at(run: subprocess.Popen[str], pattern: str) -> None:
    """Kill a run as soon as a line of it matches: every process of it at once, as when the machine loses its power."""
    until(run, pattern)
    kill_family(run.pid)
    if run.stdout is not None:
        run.stdout.close()
    run.wait(timeout=30)
    assert run.returncode == KILLED


def ctrl_c(run: subprocess.Popen[str]) -> None:
    """What somebody does who wants a run to end: Ctrl-C, and once more if nothing comes of it.

    Ansible does not notice one that comes while it starts a process (Python drops what is raised there), and may lock itself up over a worker that
    was at its queue. It ends at once with the second.
    """
    for _press in range(3):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to all processes of the group
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(timeout=PATIENCE)
            return


class killed_at_boot:  # noqa: N801  # a context manager that reads as a word
    """Kill a node's init whenever it has one."""

    def __init__(self, nodes: Path, name: str) -> None:
        """
        Args:
            nodes: folder of the nodes of its zone.
        """
        self.nodes = nodes
        self.name = name
        self.deaths: list[int] = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self) -> list[int]:
        self.thread.start()
        return self.deaths

    def __exit__(self, *_exception: object) -> None:
        self.done.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.done.is_set():
            pid = init_of(self.nodes, self.name)
            if pid and pid not in self.deaths:
                self.deaths.append(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)


def init_of(nodes: Path, name: str) -> int:
    """The first process of a node, as this machine numbers it; 0 if it does not run."""
    said = subprocess.run(["lxc-info", "-P", str(nodes), "-n", name, "-p", "-H"], capture_output=True, text=True, check=False).stdout.strip()
    return int(said) if said.isdigit() else 0
