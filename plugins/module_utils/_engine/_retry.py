# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeat a call that a cloud could not answer: the only retries of the collection."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from .._clouds._contract import CloudError, Unavailable
from ._stream import Unanswered, answered

T = TypeVar("T")

CALL_SECONDS = 120.0  # for one call that makes nothing
HANGS = 2  # a call that hung so often is not repeated


class Stopped(Exception):
    """The run was interrupted: no further call is made."""


@dataclass(frozen=True)
class Clock:
    """Time as a run sees it; tests bring one of their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    stopped: Callable[[], bool] = field(default=lambda: False)  # whether the run was interrupted

    def wait(self, seconds: float) -> None:
        """Sleep, in slices, so that an interrupted run ends within a second.

        Raises:
            Stopped: the run was interrupted.
        """
        end = self.now() + seconds
        while True:
            if self.stopped():
                raise Stopped("interrupted")
            left = end - self.now()
            if left <= 0:
                return
            self.sleep(min(left, 0.5))


@dataclass(frozen=True)
class Backoff:
    """How often, and after how long, a call is made again."""

    tries: int = 6
    first: float = 1.0  # s
    longest: float = 30.0  # s
    patience: float = 300.0  # s; a cloud that asks for a longer pause is not waited for
    spread: Callable[[], float] = random.random  # 0 to 1, so that many callers do not come back together

    def pauses(self) -> Iterator[float]:
        """The pauses between the tries, in seconds."""
        for place in range(self.tries - 1):
            pause = min(self.longest, self.first * 2.0**place)
            yield pause * (0.5 + self.spread() / 2)


SHORT = Backoff(tries=4, first=0.5)  # at most 3.5 s, where somebody waits and nothing has begun that could be lost


class Tries:
    """The tries of one call."""

    def __init__(self, backoff: Backoff, hangs: int = HANGS) -> None:
        self._backoff = backoff
        self._pauses = backoff.pauses()
        self._hangs = hangs

    def pause(self, error: CloudError) -> float | None:
        """How long to wait before the call is made again; None where it is not made again."""
        if not isinstance(error, Unavailable):
            return None
        self._hangs -= isinstance(error, Unanswered)
        asked = error.retry_after or 0.0
        if self._hangs <= 0 or asked > self._backoff.patience:
            return None
        planned = next(self._pauses, None)
        return None if planned is None else max(planned, asked)


def asked_again(call: Callable[[], T], clock: Clock, backoff: Backoff, what: str = "the cloud", seconds: float = CALL_SECONDS) -> T:
    """Make a call that changes nothing, or that may be made twice, until the cloud answers it.

    Args:
        what: names the call where it hangs.
        seconds: that each try may take.

    Raises:
        CloudError: the last one.
        Stopped: the run was interrupted.
    """
    tries = Tries(backoff)
    while True:
        clock.wait(0)
        try:
            return answered(call, seconds, what, clock)
        except Unavailable as error:
            pause = tries.pause(error)
            if pause is None:
                raise
        clock.wait(pause)
