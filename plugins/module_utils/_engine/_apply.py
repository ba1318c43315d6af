# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry a plan out: clouds side by side, nodes side by side, each stage with a deadline, each node with a result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from .._clouds._contract import Cloud, CloudError, Event, Listing, Node, NodeSpec, Shortage, Stage, State, Unavailable, VolumeSpec
from .._cluster_file._cluster import DEADLINES, Cluster
from ._gateway import behind, gateway
from ._plan import CloudPlan, Plan
from ._probe import Probe, ssh_answers
from ._retry import CALL_SECONDS, HANGS, Backoff, Clock, Stopped, Tries, asked_again
from ._stream import Unanswered, answered, bounded

LAUNCHES = 3  # a node that fails is replaced at most twice
KEYS = 60.0  # s that a cloud may take to show the host keys of a node that answers by ssh
PAUSE = 10.0  # s between two looks at most, however long one takes

Report = Callable[[str, Event, float], None]  # cloud, event, seconds since the node was asked for


@dataclass
class NodeResult:
    """What a run did to one node, and how it ended."""

    name: str
    cloud: str
    action: str  # keep, create, wait, delete
    stage: Stage | None = None  # the last one seen
    reason: str = ""  # why it failed
    log: str = ""  # tail of its console
    final: bool = False  # making it again cannot mend it
    error: type[CloudError] | None = None  # which error of the contract it was, where known
    late: str = ""  # the deadline that it did not keep, as `timeouts` calls it
    launches: int = 0
    seconds: dict[str, float] = field(default_factory=dict)  # since it was asked for, by stage
    node: Node | None = None

    @property
    def ok(self) -> bool:
        return self.stage is not Stage.FAILED


@dataclass
class Result:
    """What a run did."""

    nodes: dict[str, NodeResult] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)  # of a whole cloud, or of a volume
    volumes: list[str] = field(default_factory=list)  # data volumes that were deleted
    stopped: bool = False  # told to end before it was through

    @property
    def failed(self) -> list[NodeResult]:
        return [result for result in self.nodes.values() if not result.ok]


@dataclass(frozen=True)
class Tools:
    """What carrying out needs from outside."""

    report: Report = field(default=lambda _cloud, _event, _seconds: None)
    clock: Clock = Clock()
    backoff: Backoff = Backoff()
    probe: Probe = ssh_answers
    poll: float | None = None  # seconds between two looks; the cloud's own if None


def apply(plan: Plan, cluster: Cluster, clouds: Mapping[str, Cloud], tools: Tools) -> Result:
    """Carry out a plan that has no refusals.

    Never raises for what a cloud does: every outcome is in the result.
    """
    result = Result()
    at_work = {name: part for name, part in plan.clouds.items() if part.changes or part.wait or part.keep}
    runs = [_CloudRun(clouds[name], part, cluster, tools, plan.first) for name, part in at_work.items()]
    for run in runs:
        run.others = [other for other in runs if other.first and not run.first]
    if runs:
        with ThreadPoolExecutor(max_workers=len(runs)) as pool:
            list(pool.map(_CloudRun.carry_out, runs))
    for run in runs:
        result.nodes.update(run.results)
        result.faults += run.faults
        result.stopped = result.stopped or run.stopped
    return result


class _CloudRun:
    """One cloud's part of a plan on its way."""

    def __init__(self, cloud: Cloud, part: CloudPlan, cluster: Cluster, tools: Tools, first: frozenset[str] = frozenset()) -> None:
        self.cloud = cloud
        self.part = part
        self.cluster = cluster
        self.tools = tools
        self.clock = tools.clock
        self.poll = cloud.poll_seconds if tools.poll is None else tools.poll
        self.faults: list[str] = []
        self.stopped = False
        self.results: dict[str, NodeResult] = {}
        self.began: dict[str, float] = {}
        self.first = first & {spec.name for spec in part.create}
        self.others: list[_CloudRun] = []  # clouds whose first nodes are to be there before this one makes any
        self._first_is_there = threading.Event()  # or never will be

    def carry_out(self) -> None:
        try:
            self._carry_out()
        finally:
            self._first_is_there.set()

    def _carry_out(self) -> None:
        for node in self.part.keep:
            self.results[node.name] = NodeResult(node.name, self.cloud.name, "keep", node=node)
        try:
            if self.part.repair:
                asked_again(self.cloud.repair, self.clock, self.tools.backoff, f"cloud {self.cloud.name}: repair")
            self._delete(self.part.delete)
            self._resize(self.part.resize)
            for other in self.others:
                other._first_is_there.wait()  # it ends, since everything in that cloud does
            # not those whose old node could not be deleted: their name is not free
            self._grow([spec for spec in self.part.create if self._ok(spec)], self.part.wait)
        except Stopped as error:
            self.stopped = True
            self._give_up(str(error))
        except CloudError as error:
            self.faults.append(f"cloud {self.cloud.name}: {error}")
            self._give_up(str(error), type(error))

    def _give_up(self, reason: str, error: type[CloudError] | None = None) -> None:
        """Every node that was to be worked on has an outcome, those not reached included."""
        for name, action in [(n.name, "delete") for n in self.part.delete] + [(s.name, "create") for s in (*self.part.create, *self.part.wait)]:
            result = self.results.get(name) or self._begin(name, action)
            if result.stage not in (Stage.REACHABLE, Stage.DELETED, Stage.FAILED):
                self._tell(Event(name, Stage.FAILED, f"not finished: {reason}", error=error))

    # deletion

    def _delete(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            self._begin(node.name, "delete").node = node
        for event in self._gone(nodes):
            self._tell(event)

    def _gone(self, nodes: Sequence[Node]) -> Iterator[Event]:
        """Delete nodes and see them gone: one DELETED or FAILED each."""
        left = {node.name: node for node in nodes}
        for event in self._repeated(lambda: self.cloud.delete(list(left.values())), left, "delete"):
            if event.stage is Stage.FAILED and event.name in left:
                del left[event.name]
                yield event
        began = self.clock.now()
        while left:
            listed = {node.id for node in self._listing().nodes}
            for name, node in list(left.items()):
                limit = self._deleted_within(node)
                if node.id not in listed:
                    yield Event(left.pop(name).name, Stage.DELETED)
                elif self.clock.now() - began > limit:
                    yield Event(left.pop(name).name, Stage.FAILED, f"still there {limit} s after it was deleted (id {node.id})", node=node)
            if left:
                self.clock.wait(self.poll)

    def _deleted_within(self, node: Node) -> int:
        known = self.cluster.pools.get(node.mark.pool)  # the file may no longer have it
        return (self.cluster.deadlines(node.mark.pool) if known else DEADLINES).deleted

    # volumes

    def _resize(self, volumes: Sequence[VolumeSpec]) -> None:
        left = {volume.name: volume for volume in volumes}
        for event in self._repeated(lambda: self.cloud.resize_volumes(list(left.values())), left, "resize volumes"):
            left.pop(event.name, None)
            self.tools.report(self.cloud.name, event, 0.0)
            if event.stage is Stage.FAILED:
                self.faults.append(f"volume {event.name}: {event.detail}")

    # growth

    def _grow(self, create: Sequence[NodeSpec], wait: Sequence[NodeSpec]) -> None:
        """Make nodes and follow them; those that fail are cleaned, and made again while that may help."""
        for spec in create:
            self._begin(spec.name, "create")
        for spec in wait:
            self._begin(spec.name, "wait").launches = 1  # by an earlier run
        batch, waiting = list(create), list(wait)
        while batch or waiting:
            self._make(batch)
            everybody = [*batch, *waiting]
            self._await_reachable([spec for spec in everybody if self._ok(spec)])
            failed = [spec for spec in everybody if not self._ok(spec)]
            # what was refused for good is clean by the contract, and a cloud that does not answer is no proof against a node that stood before
            self._clean([spec.name for spec in failed if not self.results[spec.name].final or self._is_hopeless(spec.name)])
            batch, waiting = [spec for spec in failed if self._worth_another(self.results[spec.name])], []

    def _is_hopeless(self, name: str) -> bool:
        """Whether a node was taken on and then given up for good, so that something of it stands."""
        node = self.results[name].node
        return node is not None and node.hopeless

    def _ok(self, spec: NodeSpec) -> bool:
        return spec.name not in self.results or self.results[spec.name].ok

    def _worth_another(self, result: NodeResult) -> bool:
        return not result.final and result.launches < LAUNCHES

    def _make(self, batch: Sequence[NodeSpec]) -> None:
        pending = {spec.name: spec for spec in batch}
        for spec in batch:
            launches = self.results[spec.name].launches + 1
            if launches > 1:
                self._begin(spec.name, "create")
                self._tell(Event(spec.name, Stage.ASKED, f"again, attempt {launches} of {LAUNCHES}"))
            self.results[spec.name].launches = launches
        longest = max((self.cluster.deadlines(spec.mark.pool).made for spec in batch), default=0)
        for event in self._repeated(lambda: self.cloud.create(list(pending.values())), pending, "create", float(longest), creates=True):
            if event.stage is not Stage.ASKED:
                pending.pop(event.name, None)
            self._tell(event)

    def _await_reachable(self, specs: Sequence[NodeSpec]) -> None:
        """Follow nodes from made to reachable, by one list call a look."""
        pending = {spec.name: spec for spec in specs}
        since = {name: self.clock.now() for name in pending}
        greeted: dict[str, float] = {}
        while pending:
            began = self.clock.now()
            nodes = {node.name: node for node in self._listing().nodes}
            took = self.clock.now() - began
            booted = [node for name in pending if (node := self._look(name, nodes.get(name), since)) is not None]
            answers = self._probed(booted, nodes.values())
            self._greet([node for node in booted if answers[node.name] == ""], greeted)
            for name in list(pending):
                if answers.get(name) != "":  # what answers has KEYS seconds more at most
                    self._check_deadline(name, pending[name], nodes.get(name), since[name], answers.get(name, ""))
                if self.results[name].stage in (Stage.REACHABLE, Stage.FAILED):
                    del pending[name]
            if pending:
                self.clock.wait(max(self.poll, min(took, PAUSE)))  # a cloud that is busy with the nodes is not kept busy with looks

    def _probed(self, nodes: Sequence[Node], everybody: Iterable[Node]) -> Mapping[str, str]:
        """Why ssh does not answer, by node; those behind a gateway that does not answer yet are not asked: their addresses are others' out here."""
        way = gateway(everybody, self.cloud.options, self.cluster.login)
        hidden = [node for node in nodes if way and behind(node, way) and not self._is_known(way.node)]
        asked = [node for node in nodes if node not in hidden]
        answers = self.tools.probe(asked, way) if asked else {}
        return {**answers, **{node.name: f"gateway {way.node.name} does not answer yet" for node in hidden if way}}

    def _is_known(self, node: Node) -> bool:
        """Whether a node was spoken to, or its host key is known, so that another may be spoken to through it."""
        result = self.results.get(node.name)
        return bool(node.host_keys) or (result is not None and result.stage in (None, Stage.REACHABLE))

    def _greet(self, nodes: Sequence[Node], greeted: dict[str, float]) -> None:
        """Nodes that answer by ssh are reachable once their host keys are known, or the cloud has had its time to show them."""
        if not nodes:
            return
        learned = asked_again(lambda: self.cloud.learn_host_keys(nodes), self.clock, self.tools.backoff, f"cloud {self.cloud.name}: host keys")
        for node in nodes:
            since = greeted.setdefault(node.name, self.clock.now())
            keys = learned.get(node.name)
            if keys is None and self.clock.now() - since <= KEYS:
                continue
            address = node.address(public=True) or node.address()
            detail = address if keys else f"{address}; the cloud does not show its host key: trusted on first use"
            self._tell(Event(node.name, Stage.REACHABLE, detail, node=replace(node, host_keys=keys or ())))

    def _look(self, name: str, node: Node | None, since: dict[str, float]) -> Node | None:
        """Take note of what the list says of one node; the node where its system has started."""
        if node is None:
            return None  # a list may lag; the deadline decides
        if node.state in (State.FAILED, State.STOPPED):
            self._fail(node, node.fault or "it stopped while booting", Shortage if node.hopeless else None)
            return None
        if node.state is not State.RUNNING or not node.addresses:
            return None
        if self.results[name].stage is not Stage.BOOTED:
            since[name] = self.clock.now()
            self._tell(Event(name, Stage.BOOTED, node=node))
        return node

    def _check_deadline(self, name: str, spec: NodeSpec, node: Node | None, since: float, answer: str) -> None:
        result = self.results[name]
        if result.stage in (Stage.REACHABLE, Stage.FAILED):
            return
        deadlines = self.cluster.deadlines(spec.mark.pool)
        booted = result.stage is Stage.BOOTED
        limit = deadlines.reachable if booted else deadlines.booted
        if self.clock.now() - since <= limit:
            return
        result.late = "reachable" if booted else "booted"
        if node is None:
            self._tell(Event(name, Stage.FAILED, f"the cloud does not list it {limit} s after it was created"))
        elif booted:
            self._fail(node, f"ssh did not answer within {limit} s ({answer or 'no check of it finished'})")
        else:
            self._fail(node, f"its operating system did not start within {limit} s (state {node.state.value})")

    def _clean(self, names: Sequence[str]) -> None:
        """What failed nodes left goes at once, so that their names are free again; a node that was in service stays, whatever it lacks now."""
        if not names:
            return
        left = [node for node in self._listing().nodes if node.name in names]
        for node in left:
            self.results[node.name].final |= bool(node.ready)
        for event in self._gone([node for node in left if not node.ready]):
            if event.stage is Stage.FAILED:
                result = self.results[event.name]
                result.reason += f"; cleaning up failed: {event.detail}"
                result.final = True

    # common

    def _repeated(
        self, call: Callable[[], Iterable[Event]], left: Mapping[str, object], what: str, seconds: float = CALL_SECONDS, *, creates: bool = False
    ) -> Iterator[Event]:
        """The events of a call that is made again, for what is `left`, where the cloud could not answer.

        The calls may be repeated: deletion and extension by their nature, creation since it looks for its mark first; but a creation that hangs
        may still be at work, and another one beside it might double what it makes. What the cloud refuses for good, or does not answer, is
        told as a failure of all that is left.

        Args:
            what: names the call, for people.
            creates: whether it is a creation.
        """
        tries = Tries(self.tools.backoff, hangs=1 if creates else HANGS)
        while left:
            self.clock.wait(0)
            try:
                yield from bounded(call, seconds, f"cloud {self.cloud.name}: {what}", self.clock)
                return
            except CloudError as error:
                pause = tries.pause(error)
                if pause is None:
                    made = self._made_meanwhile(left) if creates and isinstance(error, Unanswered) else {}
                    yield from (Event(name, Stage.MADE, node.id, node=node) for name, node in made.items())
                    yield from self._all_failed(left.keys() - made.keys(), error)
                    return
            self.clock.wait(pause)

    def _made_meanwhile(self, left: Mapping[str, object]) -> dict[str, Node]:
        """What a call that was not answered made all the same: found by its mark."""
        return {node.name: node for node in self._listing().nodes if node.name in left}

    def _all_failed(self, left: Iterable[str], error: CloudError) -> Iterator[Event]:
        for name in sorted(left):
            yield Event(name, Stage.FAILED, str(error), final=error.final or isinstance(error, Unavailable), error=type(error))

    def _fail(self, node: Node, reason: str, kind: type[CloudError] | None = None) -> None:
        try:
            log = answered(lambda: self.cloud.console(node), CALL_SECONDS, "console", self.clock)
        except CloudError as error:
            log = f"(no console: {error})"
        self._tell(Event(node.name, Stage.FAILED, reason, log=log, node=node, final=kind is not None and kind.final, error=kind))

    def _listing(self) -> Listing:
        return asked_again(self.cloud.listing, self.clock, self.tools.backoff, "list")

    def _begin(self, name: str, action: str) -> NodeResult:
        self.began[name] = self.clock.now()
        self.results[name] = NodeResult(name, self.cloud.name, action)
        return self.results[name]

    def _tell(self, event: Event) -> None:
        """Take note of an event, and report it."""
        result = self.results.get(event.name)
        if result is None:  # progress of something else than a node
            self.tools.report(self.cloud.name, event, 0.0)
            return
        seconds = self.clock.now() - self.began[event.name]
        result.stage = event.stage
        result.seconds[event.stage.value] = round(seconds, 1)
        result.node = event.node or result.node
        if event.stage is Stage.FAILED:
            result.reason, result.log, result.final, result.error = event.detail, event.log, event.final, event.error
        if event.stage is Stage.MADE and event.name in self.first:
            self._first_is_there.set()
        self.tools.report(self.cloud.name, event, seconds)
