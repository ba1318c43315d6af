# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes, identified across reuse of their numbers and across reboots."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .files import peek


def boot_id() -> str:
    """Changes with every boot of the machine."""
    return peek(Path("/proc/sys/kernel/random/boot_id")).strip()


@dataclass(frozen=True)
class Process:
    """One process of one boot."""

    pid: int
    started: str  # clock ticks after boot: a reused number has another
    boot: str

    @classmethod
    def of(cls, pid: int) -> Process:
        return cls(pid, start_of(pid), boot_id())

    @classmethod
    def current(cls) -> Process:
        return cls.of(os.getpid())

    def alive(self) -> bool:
        return bool(self.started) and self.boot == boot_id() and self.started == start_of(self.pid)


def start_of(pid: int) -> str:
    """When a process started; empty if there is none of that number, or it has ended and only waits to be collected."""
    fields = peek(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()  # the name before it may hold blanks
    return fields[19] if len(fields) > 19 and fields[0] not in "ZX" else ""


def listens(pid: int, port: int) -> bool:
    """Whether anything listens on a TCP port in the network of a process. Asked of the kernel: no connection, so no line in anybody's log."""
    wanted = f":{port:04X}"
    for family in ("tcp", "tcp6"):
        for line in peek(Path(f"/proc/{pid}/net/{family}")).splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[1].endswith(wanted):
                return True
    return False
