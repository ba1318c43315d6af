# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work side by side: who fails, and what is begun afterwards."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._common._parallel import AT_ONCE, both, each, together
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Denied, Unavailable


def test_outcomes_come_as_they_are_ready() -> None:
    slow = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            slow.wait(30)
        return item

    found = each(work, range(5))
    first = [next(found) for _item in range(4)]
    slow.set()
    assert sorted(first) == [1, 2, 3, 4]
    assert list(found) == [0]


def test_no_more_than_a_session_keeps_open_are_on_their_way() -> None:
    full = threading.Barrier(AT_ONCE)
    running: set[int] = set()
    most: list[int] = []

    def work(item: int) -> None:
        running.add(item)
        full.wait(30)  # which nobody passes before so many have come
        most.append(len(running))
        running.discard(item)

    list(each(work, range(AT_ONCE * 3)))
    assert max(most) == AT_ONCE


def test_once_a_cloud_cannot_answer_nothing_further_is_begun() -> None:
    begun: list[int] = []
    go = threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item == 1:
            threading.Timer(0.5, go.set).start()  # until then who listens has heard of it
            raise Unavailable("busy", 7.0)
        go.wait(30)
        if item == 2:
            raise Unavailable("busier", 30.0)
        return item

    found: list[int] = []
    with pytest.raises(Unavailable, match=r"^busier$") as raised:
        found.extend(each(work, range(1000)))
    assert raised.value.retry_after == 30.0
    assert len(begun) <= AT_ONCE + 1
    assert set(found) == set(begun) - {1, 2}  # what was on its way has ended, and is told


def test_an_error_that_is_no_silence_is_raised() -> None:
    def work(_item: int) -> None:
        raise Denied("no")

    with pytest.raises(Denied):
        list(each(work, [1]))
    assert list(each(work, [])) == []


def test_who_listens_no_more_begins_no_more() -> None:
    begun: list[int] = []
    gate = threading.Semaphore(0)

    def work(item: int) -> int:
        begun.append(item)
        gate.acquire(timeout=30)
        return item

    found = each(work, range(100))
    gate.release()
    next(found)
    found.close()  # type: ignore[attr-defined]
    gate.release(100)
    assert len(begun) <= AT_ONCE + 1


def test_like_and_unlike_calls() -> None:
    meet = threading.Barrier(3)
    assert together(*[lambda number=number: (meet.wait(30), number)[1] for number in (1, 2, 3)]) == [1, 2, 3]
    two = threading.Barrier(2)
    assert both(lambda: (two.wait(30), "a")[1], lambda: (two.wait(30), 1)[1]) == ("a", 1)
    with pytest.raises(ZeroDivisionError):
        both(lambda: 1, lambda: 1 // 0)
