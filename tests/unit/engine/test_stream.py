# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream whose next item may never come."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Denied
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Clock, Stopped
from ansible_collections.sky.clusters.plugins.module_utils._engine._stream import Unanswered, answered, bounded


def test_items_come_in_order_and_as_they_are_made() -> None:
    went_on = threading.Event()

    def stream() -> Iterator[int]:
        yield 1
        went_on.wait(5)
        yield 2

    items = bounded(stream, 5, "numbers", Clock())
    assert next(items) == 1
    went_on.set()
    assert list(items) == [2]


def test_an_empty_stream_ends() -> None:
    assert list(bounded(list, 5, "nothing", Clock())) == []


def test_an_error_comes_after_the_items_before_it() -> None:
    def stream() -> Iterator[int]:
        yield 1
        raise Denied("401")

    items = bounded(stream, 5, "numbers", Clock())
    assert next(items) == 1
    with pytest.raises(Denied, match="401"):
        next(items)


def test_an_error_before_the_first_item() -> None:
    def stream() -> list[int]:
        raise Denied("401")

    with pytest.raises(Denied):
        list(bounded(stream, 5, "numbers", Clock()))


def test_a_stream_that_hangs_is_left_behind() -> None:
    end = threading.Event()

    def stream() -> Iterator[int]:
        yield 1
        end.wait()
        yield 2

    items = bounded(stream, 0.1, "cloud one: create", Clock())
    assert next(items) == 1
    began = time.monotonic()
    with pytest.raises(Unanswered, match="cloud one: create: no answer within 0 s"):
        next(items)
    assert time.monotonic() - began < 2
    end.set()


def test_each_item_has_its_own_time() -> None:
    def stream() -> Iterator[int]:
        for number in range(4):
            time.sleep(0.15)
            yield number

    assert list(bounded(stream, 0.4, "slow", Clock())) == [0, 1, 2, 3]


def test_one_that_wakes_up_after_it_was_left_behind_begins_nothing_more() -> None:
    end, woke = threading.Event(), threading.Event()
    begun: list[int] = []

    def stream() -> Iterator[int]:
        try:
            for number in range(3):
                begun.append(number)
                if number == 1:
                    end.wait()
                yield number
        finally:
            woke.set()

    with pytest.raises(Unanswered):
        list(bounded(stream, 0.1, "create", Clock()))
    end.set()
    assert woke.wait(5)
    assert begun == [0, 1]


def test_one_that_nobody_reads_to_its_end_begins_nothing_more() -> None:
    begun: list[int] = []
    go_on, ended = threading.Event(), threading.Event()

    def stream() -> Iterator[int]:
        try:
            for number in range(100):
                begun.append(number)
                yield number
                go_on.wait(5)
        finally:
            ended.set()

    items = bounded(stream, 5, "create", Clock())
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    go_on.set()
    assert ended.wait(5)
    assert len(begun) <= 2


def test_a_run_that_is_interrupted_does_not_wait_for_an_answer() -> None:
    end, told = threading.Event(), threading.Event()
    threading.Timer(0.1, told.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        list(bounded(lambda: [end.wait()], 60, "create", Clock(stopped=told.is_set)))
    assert time.monotonic() - began < 2
    end.set()


def test_the_time_is_the_run_s_own() -> None:
    passed = 0.0
    end = threading.Event()

    def hang() -> list[bool]:
        nonlocal passed
        passed = 1000.0
        return [end.wait()]

    with pytest.raises(Unanswered, match="no answer within 900 s"):
        list(bounded(hang, 900, "create", Clock(now=lambda: passed)))
    end.set()


def test_one_answer() -> None:
    assert answered(lambda: 5, 5, "five", Clock()) == 5
    end = threading.Event()
    with pytest.raises(Unanswered, match="list: no answer"):
        answered(end.wait, 0.1, "list", Clock())
    end.set()
