# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draining, for a service of any system."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._drain import DrainError, Policy, Work, clear, drain, is_draining

PROCESS = 7


@dataclass
class Queue:
    """A service whose work ends at given times (s) after the drain began."""

    ends: dict[str, float]
    drains: bool = True
    alive: bool = True
    name: str = "queue"
    asked: list[float] = field(default_factory=list)

    def work(self) -> list[Work]:
        passed = time.monotonic() - self.asked[0] if self.asked else 0
        return [Work(name, f"job of {name}") for name, end in self.ends.items() if end > passed]

    def begin_drain(self) -> int:
        self.asked.append(time.monotonic())
        return PROCESS

    def check_drain(self, process: int) -> None:
        if process != PROCESS or not self.alive:
            raise DrainError("queue died")


def test_work_that_ends_in_time_is_waited_for() -> None:
    details = drain(Queue({"a": 0.5}), 30)
    assert details["ended"] == []
    assert 1 < details["drained_in"] < 10


def test_what_is_left_after_the_time_is_named() -> None:
    assert drain(Queue({"a": 60, "b": 0}), 1) == {"drained_in": 1, "ended": ["a"]}


def test_a_call_returns_after_its_slice_and_the_service_drains_on() -> None:
    details = drain(Queue({"a": 60}), 600, slice_seconds=1)
    assert is_draining(details)
    assert details == {"draining": {"work": ["a"], "jobs": ["job of a"]}}


def test_a_service_that_dies_is_reported() -> None:
    with pytest.raises(DrainError, match="queue died"):
        drain(Queue({"a": 60}, alive=False), 600)


@pytest.mark.parametrize(
    ("policy", "drains", "actions"),
    [
        (Policy("drain", 600, check=True), True, ["drain"]),
        (Policy("drain", 600, check=True), False, []),
        (Policy("force", 600), True, []),
    ],
)
def test_a_service_is_drained_only_if_it_can_and_may_be(policy: Policy, drains: bool, actions: list[str]) -> None:
    queue = Queue({"a": 60}, drains=drains)
    assert clear(queue, policy) == (actions, {})
    assert queue.asked == []


def test_refuse_fails_only_while_work_runs() -> None:
    with pytest.raises(DrainError, match=r"^queue must be restarted and runs job of a: wait until it has ended, or set sky_disruption"):
        clear(Queue({"a": 60}), Policy("refuse", 600))
    assert clear(Queue({}), Policy("refuse", 600)) == ([], {})
