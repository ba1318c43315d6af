# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a worker process of Ansible handles the signals that end a run.

Ansible forwards them to its workers, which die of them. One that dies while it hands over a line leaves the queue locked: Ansible waits forever.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Clock

ENDS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def recorded_signals() -> Iterator[Callable[[], bool]]:
    """Record the signals instead of dying, for work that checks for them often and stops by itself.

    Yields:
        Whether one was received.
    """
    received: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: received.append(number)) for number in ENDS}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def blocked_signals() -> Iterator[None]:
    """Delay the signals until the end of the block; for a worker without threads, and a block that starts no process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def run_clock() -> Iterator[Clock]:
    """A clock that stops with the run: at a signal, or when the parent is killed, which a worker survives and must notice itself."""
    parent = os.getppid()
    with recorded_signals() as interrupted:
        yield Clock(stopped=lambda: interrupted() or os.getppid() != parent)
