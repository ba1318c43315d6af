# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run does to the nodes of a cluster: look, plan, lock, plan again, carry out, look again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from .._clouds._contract import Cloud, Node
from .._cluster_file._cluster import Cluster
from . import _lock
from ._apply import Tools, apply
from ._fleet import Fleet
from ._look import Look
from ._outcome import UNTOUCHED, Outcome, Refused
from ._plan import by_node
from ._plan_model import CloudPlan, Plan, Wishes
from ._record import Record
from ._removal import Removal

__all__ = ["UNTOUCHED", "Outcome", "Refused", "Run"]


@dataclass(frozen=True)
class Run:
    """A run on one cluster."""

    cluster: Cluster
    clouds: Mapping[str, Cloud]
    tools: Tools = Tools()
    tell: Callable[[str], None] = field(default=lambda _sentence: None)
    check: bool = False
    wait: float = 0.0  # s to wait for another run
    hold: Callable[[], None] = field(default=lambda: None)  # keeps the lock beyond the calls of this object

    def look(self, wishes: Wishes) -> Outcome:
        """What a run with these wishes would do, or why it would refuse (``plan.refusals``). Changes nothing; every run begins with it.

        Raises:
            FleetError, CloudError: a cloud could not be asked.
        """
        outcome = self._look.outcome(wishes)
        return replace(outcome, plan=outcome.plan.prepared(self._look.missing(outcome)), coming=self._look.coming(outcome))

    def survey(self, wishes: Wishes) -> Outcome:
        """What a run would do to nodes, and what they will be; the clouds are asked for nothing else.

        Raises:
            Refused: the plan may not be carried out.
            FleetError: a cloud could not be asked.
        """
        outcome = self._look.accepted(wishes)
        return replace(outcome, coming=self._look.coming(outcome))

    def present(self, wishes: Wishes) -> Outcome:
        """Make the clouds hold what the file describes, except for the nodes that leave: they are named, and stay until :meth:`delete`.

        Raises:
            Refused: the plan may not be carried out.
            FleetError, Locked: a cloud could not be asked, or another run holds the lock.
        """
        outcome = self._look.accepted(wishes)
        missing = self._look.missing(outcome)
        if self.check:
            return replace(outcome, plan=outcome.plan.prepared(missing), kept=outcome.foretold, coming=self._look.coming(outcome))
        if not outcome.writes:
            outcome.faults = outcome.shortfalls(self.cluster)  # something that is not ours may be in the place of a node
            return outcome
        with self._locked() as tools:
            outcome = self._look.accepted(wishes)  # another run may have changed something before the lock was ours
            outcome.plan = outcome.plan.prepared(missing)
            self._record.before(outcome.plan)
            outcome.result = apply(_without_leaving(outcome.plan), self.cluster, self.clouds, tools)
            if not outcome.result.stopped:  # else no further call
                outcome.listings = self._fleet.listed()
                outcome.kept = outcome.homeless
                outcome.faults = self._record.after(outcome)
        outcome.faults = outcome.shortfalls(self.cluster) + outcome.faults
        return outcome

    def replacements(self, wishes: Wishes) -> Outcome:
        """The nodes that this run recreates, in ``leaving``: drained and deleted first, so that :meth:`present` creates them like missing ones.

        Raises:
            Refused: the run that follows would refuse.
        """
        outcome = self._look.accepted(wishes)
        names = [spec.name for part in outcome.plan.clouds.values() for spec in part.replace]
        return replace(outcome, leaving=sorted(names))

    def delete(self, names: Iterable[str]) -> Outcome:
        """Delete exactly these nodes of the cluster; deleting a missing one succeeds."""
        wanted = set(names)
        listings = self._fleet.listed()
        parts = {cloud: CloudPlan(delete=tuple(n for n in listing.nodes if n.name in wanted)) for cloud, listing in listings.items()}
        outcome = Outcome(Plan(parts, volumes=by_node(listings)), listings=listings)
        outcome.kept = outcome.foretold
        if self.check or not outcome.plan.changes:
            return outcome
        with self._locked() as tools:
            outcome.result = apply(outcome.plan, self.cluster, self.clouds, tools)
            unrecorded = [] if outcome.result.stopped else self._record.after_deletion(outcome)
        outcome.faults = outcome.undeleted + unrecorded
        outcome.kept = outcome.deleted
        return outcome

    def absent(self, data: bool = False, confirm: str = "") -> Outcome:
        """Remove the whole cluster, and prove it by a list of what is left.

        Args:
            data: whether its data volumes are deleted too.
            confirm: the cluster's name, as the confirmation that a cloud which is no longer in the file need not be emptied.
        """
        outcome = self._look.destruction(confirm)
        existing = self._look.existing()
        outcome.plan = outcome.plan.dismantled(existing)
        if self.check or not self._removal.is_due(outcome, data):
            return outcome
        with self._locked() as tools:
            outcome = self._look.destruction(confirm)  # another run may have changed something before the lock was ours
            outcome.plan = outcome.plan.dismantled(existing)
            outcome.result = apply(outcome.plan, self.cluster, self.clouds, tools)
            outcome.faults = outcome.undeleted
            if data:
                outcome.faults += self._removal.delete_volumes(outcome.result)
            if not outcome.faults:
                outcome.faults += self._removal.dismantle()
        outcome.faults += [] if outcome.faults else self._removal.remains(data)
        outcome.listings = self._fleet.listed()
        outcome.kept = [volume for listing in outcome.listings.values() for volume in listing.volumes]
        return outcome

    def set_ready(self, hashes: Mapping[str, str]) -> list[str]:
        """Write the ready hash of these nodes; the names of those where it changed."""
        changed: list[str] = []
        for cloud, listing in self._fleet.listed().items():
            by_hash: dict[str, list[Node]] = {}
            for node in listing.nodes:
                if hashes.get(node.name, node.ready) != node.ready:
                    by_hash.setdefault(hashes[node.name], []).append(node)
            for value, nodes in by_hash.items():
                if not self.check:
                    self._fleet.ask(cloud, partial(self.clouds[cloud].set_ready, nodes, value), "set ready")
                changed += [node.name for node in nodes]
        return sorted(changed)

    @property
    def _fleet(self) -> Fleet:
        return Fleet(self.clouds, self.tools.clock, self.tools.backoff)

    @property
    def _look(self) -> Look:
        return Look(self.cluster, self._fleet)

    @property
    def _record(self) -> Record:
        return Record(self.cluster, self._fleet)

    @property
    def _removal(self) -> Removal:
        return Removal(self._fleet, self.tools.report, self.tell)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[Tools]:
        """Hold the lock; what is done with the tools that this gives stops when the lock is lost."""
        clock = self.tools.clock
        self.hold()
        with _lock.held(self.clouds, _lock.Terms(_lock.Holder.me(), clock, self.tools.backoff, self.wait, self.tell)) as lost:
            try:
                yield replace(self.tools, clock=replace(clock, stopped=lambda: clock.stopped() or lost()))
            finally:
                if lost():
                    self.tell("the lock could not be renewed in time, and another run may hold it: this run stops")


def _without_leaving(made: Plan) -> Plan:
    """Leaving nodes are drained by their roles first, and deleted by a call of its own."""
    return replace(made, clouds={cloud: replace(part, leave=()) for cloud, part in made.clouds.items()})
