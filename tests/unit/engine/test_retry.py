# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only retries: how often, after how long, and when not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, Denied, Invalid, Shortage, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import SHORT, Backoff, Clock, Stopped, asked_again
from ansible_collections.sky.clusters.plugins.module_utils._engine._stream import Unanswered


class Time:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slices: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slices.append(seconds)
        self.passed += seconds

    def clock(self, **more: object) -> Clock:
        return Clock(now=lambda: self.passed, sleep=self.sleep, **more)  # type: ignore[arg-type]


class Flaky:
    """A call that fails so often."""

    def __init__(self, *errors: CloudError) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


EVEN = Backoff(spread=lambda: 1.0)


def test_a_call_that_is_answered_is_made_once() -> None:
    time, call = Time(), Flaky()
    assert asked_again(call, time.clock(), EVEN) == "answer"
    assert (call.calls, time.passed) == (1, 0.0)


def test_the_pauses_double() -> None:
    time, call = Time(), Flaky(*[Unavailable("503")] * 5)
    assert asked_again(call, time.clock(), EVEN) == "answer"
    assert (call.calls, time.passed) == (6, 1 + 2 + 4 + 8 + 16)


def test_after_six_tries_it_gives_up_with_the_last_error() -> None:
    time, call = Time(), Flaky(*[Unavailable(f"503 number {n}") for n in range(1, 20)])
    with pytest.raises(Unavailable, match="number 6"):
        asked_again(call, time.clock(), EVEN)
    assert call.calls == 6


@pytest.mark.parametrize("error", [Denied("no"), Shortage("no"), Invalid("no"), CloudError("no")])
def test_what_is_final_is_not_asked_again(error: CloudError) -> None:
    time, call = Time(), Flaky(error)
    with pytest.raises(type(error)):
        asked_again(call, time.clock(), EVEN)
    assert (call.calls, time.passed) == (1, 0.0)


def test_where_somebody_waits_it_gives_up_within_seconds() -> None:
    time, call = Time(), Flaky(*[Unavailable("503")] * 9)
    with pytest.raises(Unavailable):
        asked_again(call, time.clock(), replace(SHORT, spread=lambda: 1.0))
    assert (call.calls, time.passed) == (4, 3.5)


def test_a_longer_pause_that_the_cloud_asks_for_is_kept() -> None:
    time, call = Time(), Flaky(Unavailable("429", 17.0), Unavailable("429", 0.1))
    assert asked_again(call, time.clock(), EVEN) == "answer"
    assert (call.calls, time.passed) == (3, 17.0 + 2.0)


def test_a_cloud_that_asks_for_too_long_a_pause_is_not_waited_for() -> None:
    time, call = Time(), Flaky(Unavailable("maintenance until tomorrow", 86400.0))
    with pytest.raises(Unavailable, match="until tomorrow"):
        asked_again(call, time.clock(), EVEN)
    assert (call.calls, time.passed) == (1, 0.0)


def test_a_call_that_hangs_is_made_twice_at_most() -> None:
    time, call = Time(), Flaky(*[Unanswered("no answer")] * 9)
    with pytest.raises(Unanswered):
        asked_again(call, time.clock(), EVEN)
    assert call.calls == 2


def test_a_run_that_was_interrupted_makes_no_call() -> None:
    call = Flaky()
    with pytest.raises(Stopped):
        asked_again(call, Time().clock(stopped=lambda: True), EVEN)
    assert call.calls == 0


def test_a_run_that_is_interrupted_while_it_waits_makes_no_further_call() -> None:
    time, call = Time(), Flaky(*[Unavailable("503", 100.0)] * 3)
    with pytest.raises(Stopped):
        asked_again(call, time.clock(stopped=lambda: time.passed > 3), EVEN)
    assert call.calls == 1
    assert 3 < time.passed < 4


@given(st.integers(1, 20), st.floats(0.01, 10), st.floats(0.01, 60), st.floats(0, 1))
def test_pauses_are_as_many_as_tries_and_between_half_and_whole(tries: int, first: float, longest: float, spread: float) -> None:
    pauses = list(Backoff(tries=tries, first=first, longest=longest, spread=lambda: spread).pauses())
    assert len(pauses) == tries - 1
    for place, pause in enumerate(pauses):
        whole = min(longest, first * 2**place)
        assert whole / 2 <= pause <= whole


@given(st.floats(0, 1000))
def test_waiting_takes_as_long_as_it_says_in_short_slices(seconds: float) -> None:
    time = Time()
    time.clock().wait(seconds)
    assert time.passed == pytest.approx(seconds)
    assert all(each <= 0.5 for each in time.slices)
