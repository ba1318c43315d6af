# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow nodes from made to reachable: one list call and one probe per look, and a deadline for each stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .._clouds._contract import Event, Node, NodeSpec, Shortage, Stage, State
from ._gateway import behind, gateway
from ._host_keys import HostKeys
from ._work import Work

PAUSE = 10.0  # s between two looks at most, however long one takes


class Waiting:
    """Waits for a batch of nodes."""

    def __init__(self, work: Work, specs: Sequence[NodeSpec]) -> None:
        self._work = work
        self._clock = work.clock
        self._host_keys = HostKeys(work)
        self._pending = {spec.name: spec for spec in specs}
        self._since = {name: self._clock.now() for name in self._pending}  # when the present stage began

    def run(self) -> None:
        """Return when each node is reachable or has failed."""
        while self._pending:
            began = self._clock.now()
            nodes = {node.name: node for node in self._work.calls.listing().nodes}
            took = self._clock.now() - began
            self._look(nodes)
            if self._pending:
                self._clock.wait(max(self._work.poll, min(took, PAUSE)))  # a cloud that is busy with the nodes is not kept busy with looks

    def _look(self, nodes: Mapping[str, Node]) -> None:
        booted = [node for name in self._pending if (node := self._booted(name, nodes.get(name))) is not None]
        answers = self._probed(booted, nodes.values())
        self._host_keys.learn([node for node in booted if answers[node.name] == ""])
        for name in list(self._pending):
            if answers.get(name) != "" and not self._work.journal.ended(name):  # a node that answers has its own limit, in HostKeys
                self._check_deadline(name, nodes.get(name), answers.get(name, ""))
            if self._work.journal.ended(name):
                del self._pending[name]

    def _booted(self, name: str, node: Node | None) -> Node | None:
        """Note what the list says of one node; the node if its operating system has started."""
        if node is None:
            return None  # a list may lag; the deadline decides
        if node.state in (State.FAILED, State.STOPPED):
            self._work.fail(node, node.fault or "it stopped while booting", Shortage if node.hopeless else None)
            return None
        if node.state is not State.RUNNING or not node.addresses:
            return None
        if self._work.journal.results[name].stage is not Stage.BOOTED:
            self._since[name] = self._clock.now()
            self._work.journal.note(Event(name, Stage.BOOTED, node=node))
        return node

    def _probed(self, nodes: Sequence[Node], everybody: Iterable[Node]) -> Mapping[str, str]:
        """Why ssh does not answer, by node. Nodes behind a gateway that does not answer are not probed: here, their addresses may be others'."""
        way = gateway(everybody, self._work.cloud.options, self._work.cluster.login)
        hidden = [node for node in nodes if way and behind(node, way) and not self._is_known(way.node)]
        asked = [node for node in nodes if node not in hidden]
        answers = self._work.probe(asked, way) if asked else {}
        return {**answers, **{node.name: f"gateway {way.node.name} does not answer yet" for node in hidden if way}}

    def _is_known(self, node: Node) -> bool:
        """Whether a node has answered before, or its host key is known, so that others can be reached through it."""
        result = self._work.journal.results.get(node.name)
        return bool(node.host_keys) or (result is not None and result.stage in (None, Stage.REACHABLE))

    def _check_deadline(self, name: str, node: Node | None, answer: str) -> None:
        result = self._work.journal.results[name]
        deadlines = self._work.cluster.deadlines(self._pending[name].mark.pool)
        booted = result.stage is Stage.BOOTED
        limit = deadlines.reachable if booted else deadlines.booted
        if self._clock.now() - self._since[name] <= limit:
            return
        result.late = "reachable" if booted else "booted"
        if node is None:
            self._work.journal.note(Event(name, Stage.FAILED, f"the cloud does not list it {limit} s after it was created"))
        elif booted:
            self._work.fail(node, f"ssh did not answer within {limit} s ({answer or 'no check of it finished'})")
        else:
            self._work.fail(node, f"its operating system did not start within {limit} s (state {node.state.value})")
