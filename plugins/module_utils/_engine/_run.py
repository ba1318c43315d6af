# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run does to the nodes of a cluster: look, plan, lock, plan again, carry out, look again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from .._clouds._contract import Cloud, CloudError, Definition, Denied, Listing, Node, NodeSpec, Stage, State, Volume, VolumeSpec
from .._cluster_file._cluster import Cluster
from . import _lock
from ._apply import Result, Tools, apply
from ._fleet import list_all, owners
from ._in_use import recorded, server_nodes
from ._plan import CloudPlan, Plan, Wishes, node_spec, plan, plan_destroy
from ._retry import asked_again

T = TypeVar("T")
UNTOUCHED = "nothing was changed: fix this and run the same command again"


class Refused(Exception):
    """The run may not do what was asked; one sentence a reason. Nothing was touched."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = list(reasons)
        super().__init__("\n".join(self.reasons))


@dataclass
class Outcome:
    """What a run did, or in check mode would do, and what stands now."""

    plan: Plan
    result: Result = field(default_factory=Result)
    listings: Mapping[str, Listing] = field(default_factory=dict)
    leaving: list[str] = field(default_factory=list)  # names of nodes to drain, then delete
    faults: list[str] = field(default_factory=list)  # with one of these the run has failed
    kept: list[Volume] = field(default_factory=list)  # volumes without a node

    @property
    def writes(self) -> bool:
        """Whether anything is to be done now; what leaves is deleted later, after its drain."""
        parts = self.plan.clouds.values()
        return any(part.delete or part.resize or part.create or part.wait or part.repair or part.record for part in parts)

    @property
    def members(self) -> dict[str, tuple[str, Node]]:
        """By name, the cloud and the node of all that are in the cluster, run, and stay."""
        bad = {result.name for result in self.result.failed}
        return {
            node.name: (cloud, node)
            for cloud, listing in self.listings.items()
            for node in listing.nodes
            if node.state is State.RUNNING and node.name not in bad and node.name not in self.leaving
        }


@dataclass(frozen=True)
class Run:
    """A run on one cluster."""

    cluster: Cluster
    clouds: Mapping[str, Cloud]
    tools: Tools = Tools()
    tell: Callable[[str], None] = field(default=lambda _sentence: None)
    check: bool = False
    wait: float = 0.0  # s to wait for another run
    hold: Callable[[], None] = field(default=lambda: None)  # lets the lock be held for longer than this object is at work

    def present(self, wishes: Wishes) -> Outcome:
        """Make the clouds hold what the file describes, but for the nodes that leave: these are named and stay until :meth:`delete`.

        Raises:
            Refused: the plan may not be carried out.
            FleetError, Locked: a cloud could not be asked, or another run is at work.
        """
        outcome = self._planned(wishes)
        if self.check:
            return outcome
        if not outcome.writes:
            outcome.faults = self._faults(outcome)  # something that is not ours may stand in the place of a node
            return outcome
        with self._locked() as tools:
            outcome = self._planned(wishes)  # what another run did until the lock was ours
            self._record_meanwhile(outcome.plan)
            outcome.result = apply(_without_leaving(outcome.plan), self.cluster, self.clouds, tools)
            if not outcome.result.stopped:  # else no further call
                outcome.listings = self._listed()
                outcome.faults = self._record_after(outcome)
        outcome.faults = self._faults(outcome) + outcome.faults
        return outcome

    def look(self, wishes: Wishes) -> Outcome:
        """What a run with these wishes would do, or why it would refuse (``plan.refusals``). Changes nothing, and is what every run begins with.

        Raises:
            FleetError, CloudError: a cloud could not be asked.
        """
        listings = self._listed()
        owned = owners(self.clouds, self.tools.clock, self.tools.backoff)
        definitions = self._definitions(owned, listings)
        made = plan(self.cluster, owned, listings, wishes, definitions)
        kept = [volume for volumes in made.kept_volumes.values() for volume in volumes]
        lacks = [f"cloud {self.cluster.pools[pool].cloud}: {sentence}" for pool, found in definitions.items() for sentence in found.unknown]
        if not made.refusals:
            lacks += self._shortages(made, listings)
        if made.refusals or lacks:
            return Outcome(made.refused(dict.fromkeys(lacks)), listings=listings, kept=kept)
        gaps = self._of_each(self._gaps, [cloud for cloud, listing in listings.items() if listing.nodes])
        made = replace(made, clouds={cloud: replace(part, repair=gaps.get(cloud, ())) for cloud, part in made.clouds.items()})
        leaving = [node.name for part in made.clouds.values() for node in part.leave]
        return Outcome(made, listings=listings, leaving=sorted(leaving), kept=kept)

    def replacements(self, wishes: Wishes) -> Outcome:
        """The nodes that this run is to make anew, in ``leaving``: drained and deleted first, so that :meth:`present` makes them like all that lack.

        Raises:
            Refused: the run that follows would refuse.
        """
        outcome = self._planned(wishes)
        names = [spec.name for part in outcome.plan.clouds.values() for spec in part.replace]
        return replace(outcome, leaving=sorted(names))

    def delete(self, names: Iterable[str]) -> Outcome:
        """Delete exactly these nodes of the cluster; one that is not there any more is done already."""
        wanted = set(names)
        listings = self._listed()
        parts = {cloud: CloudPlan(delete=tuple(n for n in listing.nodes if n.name in wanted)) for cloud, listing in listings.items()}
        outcome = Outcome(Plan(parts), listings=listings)
        if self.check or not outcome.plan.changes:
            return outcome
        with self._locked() as tools:
            outcome.result = apply(outcome.plan, self.cluster, self.clouds, tools)
            noted = [] if outcome.result.stopped else self._record_without_emptied(outcome)
        outcome.faults = outcome.result.faults + [f"{r.name} could not be deleted: {r.reason}" for r in outcome.result.failed] + noted
        return outcome

    def absent(self, data: bool = False, confirm: str = "") -> Outcome:
        """Take the whole cluster away, and prove it by a list of what is left.

        Args:
            data: whether its data volumes are deleted too.
            confirm: the cluster's name, as the word that a cloud which the file no longer has may be forgotten.
        """
        outcome = self._destruction(self._listed(), confirm)
        if self.check or not self._is_to_be_destroyed(outcome, data):
            return outcome
        with self._locked() as tools:
            outcome = self._destruction(self._listed(), confirm)  # what another run did until the lock was ours
            outcome.result = apply(outcome.plan, self.cluster, self.clouds, tools)
            outcome.faults = outcome.result.faults + [f"{r.name} could not be deleted: {r.reason}" for r in outcome.result.failed]
            if data:
                outcome.faults += self._delete_volumes(outcome.result)
            if not outcome.faults:
                outcome.faults += self._dismantle()
        outcome.faults += [] if outcome.faults else self._proof_of_absence(data)
        outcome.listings = self._listed()
        outcome.kept = [volume for listing in outcome.listings.values() for volume in listing.volumes]
        return outcome

    def set_ready(self, hashes: Mapping[str, str]) -> list[str]:
        """Write the ready hash of these nodes; the names of those where it changed."""
        changed: list[str] = []
        for cloud, listing in self._listed().items():
            by_hash: dict[str, list[Node]] = {}
            for node in listing.nodes:
                if hashes.get(node.name, node.ready) != node.ready:
                    by_hash.setdefault(hashes[node.name], []).append(node)
            for value, nodes in by_hash.items():
                if not self.check:
                    self._asked(partial(self.clouds[cloud].set_ready, nodes, value), f"cloud {cloud}: set ready")
                changed += [node.name for node in nodes]
        return sorted(changed)

    def _planned(self, wishes: Wishes) -> Outcome:
        outcome = self.look(wishes)
        if outcome.plan.refusals:
            raise Refused([*outcome.plan.refusals, *([] if wishes.replaced else [UNTOUCHED])])
        return outcome

    def _definitions(self, owned: Mapping[str, str], listings: Mapping[str, Listing]) -> dict[str, Definition]:
        """What a node of each pool that has nodes would be made from now."""

        def ask(name: str) -> list[tuple[str, Definition]]:
            standing = {node.mark.pool for listing in listings.values() for node in listing.nodes}
            pools = [pool for pool in self.cluster.pools_of(name) if pool in standing and self.cluster.pools[pool].count]
            specs = [node_spec(self.cluster, owned[name], pool, 0) for pool in pools]
            found = self._asked(partial(self.clouds[name].definitions, specs), f"cloud {name}: definitions") if specs else []
            return list(zip(pools, found, strict=True))

        return dict(pair for found in self._of_each(ask, self.clouds).values() for pair in found)

    def _of_each(self, ask: Callable[[str], T], names: Iterable[str]) -> dict[str, T]:
        """The answers of clouds that are asked side by side, by name."""
        every = list(names)
        with ThreadPoolExecutor(max_workers=max(1, len(every))) as pool:
            return dict(zip(every, pool.map(ask, every), strict=True))

    def _gaps(self, cloud: str) -> tuple[str, ...]:
        """What nodes of a cloud need besides themselves, and somebody took away."""
        return tuple(self._asked(self.clouds[cloud].gaps, f"cloud {cloud}: gaps"))

    def _shortages(self, made: Plan, listings: Mapping[str, Listing]) -> list[str]:
        """All that the clouds lack for this plan, before anything is made."""

        def ask(cloud: str) -> list[str]:
            specs = _new_nodes(made.clouds[cloud], listings[cloud])
            volumes = _new_volumes(specs, listings[cloud])
            if not specs and not volumes:
                return []
            try:
                found = self._asked(partial(self.clouds[cloud].shortages, specs, volumes), f"cloud {cloud}: shortages")
            except Denied as error:
                found = [str(error)]
            return [f"cloud {cloud}: {sentence}" for sentence in found]

        return [sentence for found in self._of_each(ask, made.clouds).values() for sentence in found]

    def _destruction(self, listings: Mapping[str, Listing], confirm: str) -> Outcome:
        made = plan_destroy(self.cluster, owners(self.clouds, self.tools.clock, self.tools.backoff), listings, confirm)
        if made.refusals:
            raise Refused([*made.refusals, UNTOUCHED])
        return Outcome(made, listings=listings, kept=[volume for volumes in made.kept_volumes.values() for volume in volumes])

    def _record_meanwhile(self, made: Plan) -> None:
        """Before anything is made in a cloud, the server nodes name it; what they name already stays for as long as it may hold something."""
        wanted = made.in_use.meanwhile
        for cloud, part in made.clouds.items():
            self._set_clouds(cloud, [node for node in part.record if not set(wanted) <= set(node.clouds)], wanted)

    def _record_after(self, outcome: Outcome) -> list[str]:
        """The server nodes name the clouds that are in use now: those that the plan said, and those that something could not be deleted from."""
        held = {cloud for cloud, listing in outcome.listings.items() if listing.nodes or listing.volumes}
        return self._record(outcome.listings, held.union(outcome.plan.in_use.after))

    def _record_without_emptied(self, outcome: Outcome) -> list[str]:
        """A cloud that a deletion left with neither node nor volume is named no more."""
        gone = {result.name for result in outcome.result.nodes.values() if result.ok}
        left = {cloud: replace(listing, nodes=tuple(n for n in listing.nodes if n.name not in gone)) for cloud, listing in outcome.listings.items()}
        touched = {cloud for cloud, part in outcome.plan.clouds.items() if part.delete}
        emptied = {cloud for cloud in touched if not left[cloud].nodes and not left[cloud].volumes}
        return self._record(left, recorded(left) - emptied) if emptied else []

    def _record(self, listings: Mapping[str, Listing], wanted: Collection[str]) -> list[str]:
        faults = []
        for cloud, listing in listings.items():
            try:
                self._set_clouds(cloud, [node for node in server_nodes(self.cluster, listing) if set(node.clouds) != set(wanted)], wanted)
            except CloudError as error:
                faults.append(f"cloud {cloud}: the clouds in use could not be recorded: {error}")
        return faults

    def _set_clouds(self, cloud: str, nodes: Sequence[Node], wanted: Collection[str]) -> None:
        if nodes:
            self._asked(partial(self.clouds[cloud].set_clouds, nodes, tuple(sorted(wanted))), f"cloud {cloud}: set clouds")

    def _is_to_be_destroyed(self, outcome: Outcome, data: bool) -> bool:
        """Whether anything is there that a destroy takes away."""
        kept = set() if data else {f"volume {volume.name}" for volume in outcome.kept}
        return outcome.plan.changes or any(self._shown(name, kept) for name in self.clouds)

    def _delete_volumes(self, result: Result) -> list[str]:
        faults: list[str] = []
        for cloud, listing in self._listed().items():
            if not listing.volumes:
                continue
            delete = partial(self.clouds[cloud].delete_volumes, listing.volumes)
            for event in self._asked(lambda call=delete: list(call()), f"cloud {cloud}: delete volumes"):  # type: ignore[misc]
                self.tools.report(cloud, event, 0.0)
                if event.stage is Stage.FAILED:
                    faults.append(f"volume {event.name} could not be deleted: {event.detail}")
                else:
                    result.volumes.append(event.name)
        return faults

    def _dismantle(self) -> list[str]:
        faults = []
        for name, cloud in self.clouds.items():
            try:
                self._asked(cloud.dismantle, f"cloud {name}: dismantle")
            except CloudError as error:
                faults.append(f"cloud {name}: {error}")
        return faults

    def _proof_of_absence(self, data: bool) -> list[str]:
        kept = set() if data else {f"volume {volume.name}" for listing in self._listed().values() for volume in listing.volumes}
        return [f"cloud {name} still holds {left}" for name in self.clouds for left in self._leftovers(name, kept)]

    def _leftovers(self, name: str, kept: Collection[str]) -> list[str]:
        """What a cloud shows of the cluster; one whose lists lag is given the time to forget what was deleted."""
        cloud, clock = self.clouds[name], self.tools.clock
        end = clock.now() + cloud.lag_seconds
        left = self._shown(name, kept)
        if left and cloud.lag_seconds:
            self.tell(f"cloud {name} still lists {_named(left)}; waiting up to {cloud.lag_seconds:.0f} s until its lists are up to date")
        while left and clock.now() < end:
            clock.wait(cloud.poll_seconds)
            left = self._shown(name, kept)
        # the lock of this run went with the cluster, so that another may have begun to make it anew
        return left if left and self._asked(cloud.locked_by, f"cloud {name}: look at the lock") is None else []

    def _shown(self, name: str, kept: Collection[str]) -> list[str]:
        return [part for part in self._asked(self.clouds[name].leftovers, f"cloud {name}: leftovers") if part not in kept]

    def _faults(self, outcome: Outcome) -> list[str]:
        """Pools that have fewer nodes than they need."""
        members = [node.mark.pool for _cloud, node in outcome.members.values()]
        short = [
            f"pools.{name}: {members.count(name)} node(s) where at least {pool.least} are needed"
            for name, pool in self.cluster.pools.items()
            if members.count(name) < pool.least
        ]
        return outcome.result.faults + short + (["interrupted; run it again to continue"] if outcome.result.stopped else [])

    def _asked(self, call: Callable[[], T], what: str) -> T:
        return asked_again(call, self.tools.clock, self.tools.backoff, what)

    def _listed(self) -> dict[str, Listing]:
        return list_all(self.clouds, self.tools.clock, self.tools.backoff)

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


def _named(things: Sequence[str]) -> str:
    """The first of some things, and how many there are besides."""
    return things[0] + (f" and {len(things) - 1} more" if len(things) > 1 else "")


def _without_leaving(made: Plan) -> Plan:
    """Leaving nodes are drained by their roles first, and deleted by a call of its own."""
    return replace(made, clouds={cloud: replace(part, leave=()) for cloud, part in made.clouds.items()})


def _new_nodes(part: CloudPlan, listing: Listing) -> list[NodeSpec]:
    """Those that are to be made; in the place of others too, which are there until these are asked for."""
    standing = {node.name for node in listing.nodes} - {node.name for node in part.delete}
    return [*(spec for spec in part.create if spec.name not in standing), *part.replace]


def _new_volumes(specs: Iterable[NodeSpec], listing: Listing) -> list[VolumeSpec]:
    known = {volume.name for volume in listing.volumes}
    return [volume for spec in specs for volume in spec.volumes if volume.name not in known]
