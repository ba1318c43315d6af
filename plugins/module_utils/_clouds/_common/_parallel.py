# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on many things side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TypeVar

from .._contract import Unavailable

T = TypeVar("T")
R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")

AT_ONCE = 10  # calls on their way: what an HTTP session keeps open


def together(*calls: Callable[[], T]) -> list[T]:
    """The answers of a few like calls, made at the same time; the first error of any of them is raised."""
    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """The answers of two unlike calls, made at the same time."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        one, other = pool.submit(first), pool.submit(second)
        return one.result(), other.result()


def each(work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """The outcomes of work on each item, as they come.

    Once a cloud cannot answer, or the caller stops reading, nothing further is started.

    Raises:
        Unavailable: with the longest pause that was asked for, after what was on its way has ended.
    """
    if not items:
        return
    pool = ThreadPoolExecutor(max_workers=min(AT_ONCE, len(items)))
    silent: list[Unavailable] = []
    try:
        futures = [pool.submit(work, item) for item in items]
        for future in as_completed(futures):
            if future.cancelled():
                continue
            try:
                yield future.result()
            except Unavailable as error:
                silent.append(error)
                _cancel(futures)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    if silent:
        raise max(silent, key=lambda error: error.retry_after or 0.0)


def _cancel(futures: Sequence[Future[R]]) -> None:
    for future in futures:
        future.cancel()
