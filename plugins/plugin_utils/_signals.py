# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a worker of Ansible meets the signals that end a run.

Ansible passes them on to its workers, which die of them: one that was handing over a line then leaves the queue locked, and Ansible waits for ever.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

ENDS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def recorded_signals() -> Iterator[Callable[[], bool]]:
    """Note the signals instead of dying of them, for work that looks at it often and ends by itself.

    Yields:
        Whether one came.
    """
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in ENDS}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def blocked_signals() -> Iterator[None]:
    """Have the signals wait until the block is through; for a worker without threads, and a block that starts no process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
