# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of this machine: whether one is alive, and which belong together."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One process, distinguished from a later one of the same number if the system knows when it started."""

    pid: int
    started: str = ""

    @classmethod
    def of(cls, pid: int) -> Process:
        return cls(pid, _started(pid))

    def alive(self) -> bool:
        """Whether it runs; one that has ended and only waits to be collected does not."""
        if (PROC / "self").exists():
            now = _started(self.pid)
            return bool(now) and self.started in ("", now)
        with contextlib.suppress(ProcessLookupError):
            with contextlib.suppress(PermissionError):  # it is somebody else's
                os.kill(self.pid, 0)
            return True
        return False


def machine() -> str:
    """A short name of this boot of this machine, or of this container: process numbers mean the same wherever it is the same. Empty if unknown."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii")
        numbers = os.readlink(PROC / "self/ns/pid")
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {numbers}".encode()).hexdigest()[:8]


def ancestors(pid: int) -> list[int]:
    """The process that started this one, the one that started that, and so on."""
    found = []
    while (fields := _stat(pid)) and (pid := int(fields[1])):
        found.append(pid)
    return found


def descendants(pid: int) -> set[Process]:
    """All that a process has started, and they in turn, as far as it still runs."""
    found = set()
    for child in _children(pid):
        found |= {Process.of(child)} | descendants(child)
    return found


def title(pid: int) -> str:
    """What a process is called, with its arguments."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for task in (PROC / str(pid) / "task").iterdir() for word in (task / "children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def _started(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if fields and fields[0] not in "ZX" else ""


def _stat(pid: int) -> list[str]:
    """The fields of a process after its name, which may hold blanks; empty if there is none of that number."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
