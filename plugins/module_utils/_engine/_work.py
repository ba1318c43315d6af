# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps of carrying out a plan in one cloud share."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._clouds._contract import Cloud, CloudError, Event, Node, Stage
from .._cluster_file._cluster import Cluster
from ._calls import Calls
from ._probe import Probe, ssh_answers
from ._results import Journal, Report
from ._retry import Backoff, Clock


@dataclass(frozen=True)
class Tools:
    """What carrying out needs from outside."""

    report: Report = field(default=lambda _cloud, _event, _seconds: None)
    clock: Clock = Clock()
    backoff: Backoff = Backoff()
    probe: Probe = ssh_answers
    poll: float | None = None  # seconds between two looks; the cloud's own if None


@dataclass(frozen=True)
class Work:
    """The work in one cloud."""

    cloud: Cloud
    cluster: Cluster
    clock: Clock
    probe: Probe
    poll: float  # seconds between two looks
    calls: Calls
    journal: Journal

    @classmethod
    def on(cls, cloud: Cloud, cluster: Cluster, tools: Tools, report: Report) -> Work:
        poll = cloud.poll_seconds if tools.poll is None else tools.poll
        calls = Calls(cloud, tools.clock, tools.backoff)
        return cls(cloud, cluster, tools.clock, tools.probe, poll, calls, Journal(cloud.name, report, tools.clock))

    def fail(self, node: Node, reason: str, kind: type[CloudError] | None = None) -> None:
        """Note that an existing node has failed, with the tail of its console."""
        final = kind is not None and kind.final
        self.journal.note(Event(node.name, Stage.FAILED, reason, log=self.calls.console(node), node=node, final=final, error=kind))
