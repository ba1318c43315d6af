# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service reads what was changed for it, also if it could not at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes import _pending
from ansible_collections.sky.clusters.plugins.module_utils._nodes._pending import Pending


class Service:
    """What it answers, and how often it has read its files."""

    def __init__(self) -> None:
        self.state = "active"
        self.is_there = True
        self.fails = False
        self.reads = 0

    def answers(self) -> bool:
        return self.is_there

    def read(self) -> None:
        self.reads += 1
        if self.fails:
            raise OSError("it is busy")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    made = Service()
    monkeypatch.setattr(_pending, "query", lambda *_arguments: f"{made.state}\n")
    return made


@pytest.fixture
def pending(tmp_path: Path) -> Pending:
    return Pending(tmp_path / "list.pending", "acme")


def settled(pending: Pending, service: Service) -> tuple[bool, bool]:
    """Whether it has read its files now, and whether it has yet to."""
    return pending.settle(service.answers, service.read), pending.mark.exists()


def test_it_reads_what_was_changed_once(pending: Pending, service: Service) -> None:
    assert settled(pending, service) == (False, False)
    pending.note()
    assert settled(pending, service) == (True, False)
    assert settled(pending, service) == (False, False)
    assert service.reads == 1


def test_what_failed_is_done_again(pending: Pending, service: Service) -> None:
    pending.note()
    service.fails = True
    with pytest.raises(OSError, match="busy"):
        settled(pending, service)
    service.fails = False
    assert settled(pending, service) == (True, False)


@pytest.mark.parametrize(("state", "left"), [("active", True), ("activating", True), ("", True), ("inactive", False), ("failed", False)])
def test_one_that_is_about_to_answer_has_yet_to_read_and_one_that_does_not_run_has_not(
    pending: Pending, service: Service, state: str, left: bool
) -> None:
    pending.note()
    service.state, service.is_there = state, False
    assert settled(pending, service) == (False, left)
    assert service.reads == 0
