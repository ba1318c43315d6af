# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals that end a run are recorded, or delayed to the end of a block."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._signals import ENDS, blocked_signals, recorded_signals


@pytest.fixture
def died() -> Iterator[list[int]]:
    """The signals that a worker would have died of."""
    found: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: found.append(number)) for number in ENDS}
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDS)
def test_a_recorded_signal_does_not_end_the_process(died: list[int], number: signal.Signals) -> None:
    with recorded_signals() as received:
        assert not received()
        os.kill(os.getpid(), number)
        assert received()
    assert died == []
    os.kill(os.getpid(), number)
    assert died == [number]


@pytest.mark.parametrize("number", ENDS)
def test_a_blocked_signal_arrives_after_the_block(died: list[int], number: signal.Signals) -> None:
    with blocked_signals():
        signal.raise_signal(number)  # to this thread: of a process with more than one, as the tests', another may take what is sent to all of it
        assert died == []
    assert died == [number]
