# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create nodes and wait for them; failed ones are cleaned up, and created again while that may help."""

from __future__ import annotations

from collections.abc import Sequence

from .._clouds._contract import Event, NodeSpec, Stage
from ._deletion import deleted
from ._results import Action, NodeResult
from ._waiting import Waiting
from ._work import Work

LAUNCHES = 3  # a node that fails is replaced at most twice


class Launching:
    """Launches the new nodes of one cloud."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._journal = work.journal

    def run(self, create: Sequence[NodeSpec], wait: Sequence[NodeSpec]) -> None:
        """Return when each node is reachable or has failed.

        Args:
            wait: nodes that an earlier run created.
        """
        for spec in create:
            self._journal.begin(spec.name, Action.CREATE)
        for spec in wait:
            self._journal.begin(spec.name, Action.WAIT).launches = 1
        batch, waiting = list(create), list(wait)
        while batch or waiting:
            self._create(batch)
            everybody = [*batch, *waiting]
            Waiting(self._work, [spec for spec in everybody if self._journal.ok(spec.name)]).run()
            failed = [spec for spec in everybody if not self._journal.ok(spec.name)]
            # after a final refusal nothing is left, by the contract; and a cloud that does not answer proves nothing against an existing node
            self._clean([spec.name for spec in failed if not self._journal.results[spec.name].final or self._is_hopeless(spec.name)])
            batch, waiting = [spec for spec in failed if _is_worth_another(self._journal.results[spec.name])], []

    def _is_hopeless(self, name: str) -> bool:
        """Whether a node was accepted and then given up for good, so that something of it exists."""
        node = self._journal.results[name].node
        return node is not None and node.hopeless

    def _create(self, batch: Sequence[NodeSpec]) -> None:
        pending = {spec.name: spec for spec in batch}
        for spec in batch:
            self._count(spec)
        longest = max((self._work.cluster.deadlines(spec.mark.pool).made for spec in batch), default=0)
        for event in self._work.calls.created(lambda: self._work.cloud.create(list(pending.values())), pending, float(longest)):
            if event.stage is not Stage.ASKED:
                pending.pop(event.name, None)
            self._journal.note(event)

    def _count(self, spec: NodeSpec) -> None:
        launches = self._journal.results[spec.name].launches + 1
        if launches > 1:
            self._journal.begin(spec.name, Action.CREATE)
            self._journal.note(Event(spec.name, Stage.ASKED, f"again, attempt {launches} of {LAUNCHES}"))
        self._journal.results[spec.name].launches = launches

    def _clean(self, names: Sequence[str]) -> None:
        """What failed nodes left goes at once, so that their names are free again; a node that was in service stays, whatever it lacks now."""
        if not names:
            return
        left = [node for node in self._work.calls.listing().nodes if node.name in names]
        for node in left:
            self._journal.results[node.name].final |= bool(node.ready)
        for event in deleted(self._work, [node for node in left if not node.ready]):
            if event.stage is Stage.FAILED:
                result = self._journal.results[event.name]
                result.reason += f"; cleaning up failed: {event.detail}"
                result.final = True


def _is_worth_another(result: NodeResult) -> bool:
    return not result.final and result.launches < LAUNCHES
