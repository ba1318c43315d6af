# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals that end a run: noted, or met after what must be whole."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._signals import ENDS, blocked_signals, recorded_signals


@pytest.fixture
def died() -> Iterator[list[int]]:
    """What a worker would have died of."""
    found: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: found.append(number)) for number in ENDS}
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDS)
def test_who_looks_is_told_and_does_not_die(died: list[int], number: signal.Signals) -> None:
    with recorded_signals() as told:
        assert not told()
        os.kill(os.getpid(), number)
        assert told()
    assert died == []
    os.kill(os.getpid(), number)
    assert died == [number]


@pytest.mark.parametrize("number", ENDS)
def test_it_comes_after_what_must_be_whole(died: list[int], number: signal.Signals) -> None:
    with blocked_signals():
        signal.raise_signal(number)  # to this thread: of a process with more than one, as the tests', another may take what is sent to all of it
        assert died == []
    assert died == [number]
