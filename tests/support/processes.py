# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes: work in one of its own, which can be killed, and all those that one has started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

KILLED = -signal.SIGKILL


def forked(work: Callable[[], str]) -> Callable[[], tuple[int, str]]:
    """Start work in a process of its own.

    Returns:
        What waits for its end, and gives its code (negative: the signal that ended it) and what the work said.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            os.write(writer, work().encode())
            code = 0
        except BaseException as error:  # noqa: BLE001  # told to the parent
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(code)
    os.close(writer)

    def wait() -> tuple[int, str]:
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said

    return wait


def run_forked(work: Callable[[], str]) -> tuple[int, str]:
    """Do work in a process of its own, to its end."""
    return forked(work)()


def children(pid: int) -> list[int]:
    """The processes that this one started and that are still its own; none where it is gone."""
    try:
        return [int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in (task / "children").read_text(encoding="ascii").split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def family(pid: int) -> list[int]:
    """A process and all that it started, and they in turn."""
    return [pid, *(each for child in children(pid) for each in family(child))]


def kill_family(pid: int) -> None:
    """Kill a process and all that it started, in whatever session: Ansible's workers have their own."""
    for each in family(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def listing(pid: int) -> str:
    """A process and all that it started, as ps shows them, with what each waits for."""
    named = ",".join(map(str, family(pid)))
    shown = subprocess.run(["ps", "-o", "pid,ppid,etimes,stat,wchan:24,args", "-p", named], capture_output=True, text=True, check=False)
    return shown.stdout
