# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run does to each node, and how it ends."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field

from .._clouds._contract import CloudError, Event, Node, Stage
from ._retry import Clock

Report = Callable[[str, Event, float], None]  # cloud, event, seconds since the node was asked for


class Action(enum.StrEnum):
    """What a run does to a node."""

    KEEP = "keep"
    CREATE = "create"
    WAIT = "wait"  # an earlier run created it
    DELETE = "delete"


@dataclass
class NodeResult:
    """What a run did to one node, and how it ended."""

    name: str
    cloud: str
    action: Action
    stage: Stage | None = None  # the last one seen
    reason: str = ""  # why it failed
    log: str = ""  # tail of its console
    final: bool = False  # recreating it does not fix it
    error: type[CloudError] | None = None  # which error of the contract it was, if known
    late: str = ""  # the deadline that it missed, as `timeouts` calls it
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
    stopped: bool = False  # interrupted before it was finished

    @property
    def failed(self) -> list[NodeResult]:
        return [result for result in self.nodes.values() if not result.ok]


class Journal:
    """The results in one cloud, from the events that happen to its nodes; each event is reported at once."""

    def __init__(self, cloud: str, report: Report, clock: Clock) -> None:
        self.results: dict[str, NodeResult] = {}
        self.faults: list[str] = []
        self._cloud = cloud
        self._report = report
        self._clock = clock
        self._began: dict[str, float] = {}

    def begin(self, name: str, action: Action, node: Node | None = None) -> NodeResult:
        self._began[name] = self._clock.now()
        self.results[name] = NodeResult(name, self._cloud, action, node=node)
        return self.results[name]

    def ok(self, name: str) -> bool:
        """Whether a node has not failed so far."""
        return name not in self.results or self.results[name].ok

    def ended(self, name: str) -> bool:
        return self.results[name].stage in (Stage.REACHABLE, Stage.DELETED, Stage.FAILED)

    def note(self, event: Event) -> None:
        result = self.results.get(event.name)
        if result is None:  # of something other than a node
            self._report(self._cloud, event, 0.0)
            return
        seconds = self._clock.now() - self._began[event.name]
        result.stage = event.stage
        result.seconds[event.stage.value] = round(seconds, 1)
        result.node = event.node or result.node
        if event.stage is Stage.FAILED:
            result.reason, result.log, result.final, result.error = event.detail, event.log, event.final, event.error
        self._report(self._cloud, event, seconds)
