# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a stream whose next item may never arrive."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .._clouds._contract import Unavailable

T = TypeVar("T")

SLICE = 0.2  # s of real time between two checks whether the run was interrupted


class Unanswered(Unavailable):
    """A call hangs; what it still creates is found by its mark."""


class Watch(Protocol):
    """What is needed of a run's clock."""

    @property
    def now(self) -> Callable[[], float]: ...

    def wait(self, seconds: float) -> None:
        """Raises if the run was interrupted."""


@dataclass(frozen=True)
class _Item(Generic[T]):
    came: float
    value: T | None = None
    error: BaseException | None = None
    end: bool = False


def bounded(stream: Callable[[], Iterable[T]], seconds: float, what: str, clock: Watch) -> Iterator[T]:
    """The items of a stream; each may take `seconds` at most.

    The stream is read in a thread of its own, because a call that hangs cannot be cancelled: the thread is left behind. If it wakes up later, it
    ends with the item that it is at, so that it does not run on beside the call that replaced it.

    Raises:
        Unanswered: an item did not come in time. `what` names the call.
    """
    items: queue.SimpleQueue[_Item[T]] = queue.SimpleQueue()
    left_behind = threading.Event()

    def read() -> None:
        try:
            for value in stream():
                items.put(_Item(clock.now(), value))
                if left_behind.is_set():
                    break
        except BaseException as error:  # noqa: BLE001  # handed over, raised again where the stream is read
            items.put(_Item(clock.now(), error=error))
        items.put(_Item(clock.now(), end=True))

    since = clock.now()
    threading.Thread(target=read, name=what, daemon=True).start()
    try:
        while True:
            item = _next(items, since + seconds, clock)
            if item is None:
                raise Unanswered(f"{what}: no answer within {seconds:.0f} s")
            if item.error is not None:
                raise item.error
            if item.end:
                return
            since = item.came  # not when it was taken: who reads slowly must not give a stream more time
            yield item.value  # type: ignore[misc]
    finally:
        left_behind.set()


def answered(call: Callable[[], T], seconds: float, what: str, clock: Watch) -> T:
    """The answer of a call that may take `seconds` at most.

    Raises:
        Unanswered: it did not come in time. `what` names the call.
    """
    return next(bounded(lambda: [call()], seconds, what, clock))


def _next(items: queue.SimpleQueue[_Item[T]], end: float, clock: Watch) -> _Item[T] | None:
    """The next item; None if there is none by then."""
    while True:
        try:
            return items.get(timeout=min(SLICE, max(0.0, end - clock.now())))
        except queue.Empty:
            clock.wait(0)
            if clock.now() >= end:
                return None
