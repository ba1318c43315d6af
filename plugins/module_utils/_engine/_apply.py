# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry a plan out: clouds side by side, nodes side by side, each stage with a deadline, each node with a result."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from .._clouds._contract import Cloud, CloudError, Event, Node, Stage, VolumeSpec
from .._cluster_file._cluster import Cluster
from ._deletion import deleted
from ._launching import Launching
from ._plan_model import CloudPlan, Plan
from ._results import Action, NodeResult, Result
from ._retry import Stopped
from ._work import Tools, Work

__all__ = ["NodeResult", "Result", "Tools", "apply"]


def apply(plan: Plan, cluster: Cluster, clouds: Mapping[str, Cloud], tools: Tools) -> Result:
    """Carry out a plan that has no refusals.

    Never raises for what a cloud does: every outcome is in the result.
    """
    result = Result()
    parts = [
        _CloudPart(clouds[name], part, cluster, tools, plan.first) for name, part in plan.clouds.items() if part.changes or part.wait or part.keep
    ]
    first = [part for part in parts if part.has_first]
    for part in parts:
        part.after = [] if part.has_first else first
    if parts:
        with ThreadPoolExecutor(max_workers=len(parts)) as pool:
            list(pool.map(_CloudPart.carry_out, parts))
    for part in parts:
        result.nodes.update(part.journal.results)
        result.faults += part.journal.faults
        result.stopped = result.stopped or part.stopped
    return result


class _CloudPart:
    """One cloud's part of a plan."""

    def __init__(self, cloud: Cloud, plan: CloudPlan, cluster: Cluster, tools: Tools, first: frozenset[str]) -> None:
        """
        Args:
            first: nodes to be there before another cloud makes any.
        """
        self._plan = plan
        self._report = tools.report
        self._first = first & {spec.name for spec in plan.create}
        self._first_is_there = threading.Event()  # or never will be
        self._work = Work.on(cloud, cluster, tools, self._reported)
        self.journal = self._work.journal
        self.after: list[_CloudPart] = []  # clouds whose first nodes are to be there before this one makes any
        self.stopped = False

    @property
    def has_first(self) -> bool:
        return bool(self._first)

    def carry_out(self) -> None:
        try:
            self._carry_out()
        finally:
            self._first_is_there.set()

    def _carry_out(self) -> None:
        for node in self._plan.keep:
            self.journal.begin(node.name, Action.KEEP, node)
        try:
            if self._plan.repair:
                self._work.calls.ask(self._work.cloud.repair, "repair")
            self._delete(self._plan.delete)
            self._resize(self._plan.resize)
            for other in self.after:
                other._first_is_there.wait()  # it ends, since everything in that cloud does
            # not those whose old node could not be deleted: their name is not free
            Launching(self._work).run([spec for spec in self._plan.create if self.journal.ok(spec.name)], self._plan.wait)
        except Stopped as error:
            self.stopped = True
            self._give_up(str(error))
        except CloudError as error:
            self.journal.faults.append(f"cloud {self._work.cloud.name}: {error}")
            self._give_up(str(error), type(error))

    def _give_up(self, reason: str, error: type[CloudError] | None = None) -> None:
        """Every node that was to be worked on has an outcome, those not reached included."""
        planned = [(node.name, Action.DELETE) for node in self._plan.delete]
        planned += [(spec.name, Action.CREATE) for spec in (*self._plan.create, *self._plan.wait)]
        for name, action in planned:
            if name not in self.journal.results:
                self.journal.begin(name, action)
            if not self.journal.ended(name):
                self.journal.note(Event(name, Stage.FAILED, f"not finished: {reason}", error=error))

    def _delete(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            self.journal.begin(node.name, Action.DELETE, node)
        for event in deleted(self._work, nodes):
            self.journal.note(event)

    def _resize(self, volumes: Sequence[VolumeSpec]) -> None:
        left = {volume.name: volume for volume in volumes}
        for event in self._work.calls.repeated(lambda: self._work.cloud.resize_volumes(list(left.values())), left, "resize volumes"):
            left.pop(event.name, None)
            self.journal.note(event)
            if event.stage is Stage.FAILED:
                self.journal.faults.append(f"volume {event.name}: {event.detail}")

    def _reported(self, cloud: str, event: Event, seconds: float) -> None:
        if event.stage is Stage.MADE and event.name in self._first:
            self._first_is_there.set()
        self._report(cloud, event, seconds)
