# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a creation are undone in reverse order, whatever the cloud refuses on the way; a refusal becomes an event."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._common._events import event_of
from ansible_collections.sky.clusters.plugins.module_utils._clouds._common._undo import Undo
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, Denied, Event, Stage, Unavailable


def raising(error: Exception) -> Event:
    raise error


def test_steps_are_undone_in_reverse_order_and_once() -> None:
    undone: list[str] = []

    def refused() -> None:
        undone.append("refused")
        raise CloudError("no")

    undo = Undo()
    undo.add(lambda: undone.append("first"))
    undo.add(refused)
    undo.add(lambda: undone.append("last"))
    undo.run()
    undo.run()
    assert undone == ["last", "refused", "first"]


def test_an_error_of_our_own_is_not_hidden() -> None:
    undo = Undo()
    undo.add(lambda: raising(IndexError()))
    with pytest.raises(IndexError):
        undo.run()


@pytest.mark.parametrize(("error", "final"), [(Denied("no"), True), (CloudError("no"), False)])
def test_a_refusal_is_a_failure_as_final_as_its_error(error: CloudError, final: bool) -> None:
    assert event_of("x", lambda: raising(error)) == Event("x", Stage.FAILED, "no", final=final, error=type(error))


def test_a_cloud_that_does_not_answer_has_failed_nothing() -> None:
    with pytest.raises(Unavailable):
        event_of("x", lambda: raising(Unavailable("busy")))
