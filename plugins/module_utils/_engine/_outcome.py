# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, or would do, and what exists then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .._clouds._contract import Listing, Node, State, Volume
from .._cluster_file._cluster import Cluster
from ._plan_model import CloudPlan, Plan
from ._results import Result

UNTOUCHED = "nothing was changed: fix this and run the same command again"


class Refused(Exception):
    """The run may not do what was asked; one sentence a reason. Nothing was changed."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = list(reasons)
        super().__init__("\n".join(self.reasons))


@dataclass
class Outcome:
    """What a run did, or in check mode would do, and what exists now."""

    plan: Plan
    result: Result = field(default_factory=Result)
    listings: Mapping[str, Listing] = field(default_factory=dict)
    leaving: list[str] = field(default_factory=list)  # names of nodes to drain, then delete
    faults: list[str] = field(default_factory=list)  # with one of these the run has failed
    kept: list[Volume] = field(default_factory=list)  # volumes without a node
    coming: Mapping[str, tuple[str, Node]] = field(default_factory=dict)  # of a plan only: like `members`, those that it creates, replaces or starts

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

    @property
    def staying(self) -> dict[str, tuple[str, Node]]:
        """The members that the plan does not delete; the lists are from before it."""
        going = {node.name for part in self.plan.clouds.values() for node in part.delete}
        return {name: member for name, member in self.members.items() if name not in going}

    @property
    def homeless(self) -> list[Volume]:
        """The volumes that have no node now."""
        return [volume for listing in self.listings.values() for volume in CloudPlan().homeless(listing)]

    @property
    def foretold(self) -> list[Volume]:
        """Those that would have none after the plan."""
        parts = self.plan.clouds
        return [volume for cloud, listing in self.listings.items() for volume in parts.get(cloud, CloudPlan()).homeless(listing)]

    @property
    def deleted(self) -> list[Volume]:
        """Those that have none after a run that only deletes nodes; the lists are from before it."""
        gone = {result.name for result in self.result.nodes.values() if result.ok}
        left = {cloud: replace(listing, nodes=tuple(n for n in listing.nodes if n.name not in gone)) for cloud, listing in self.listings.items()}
        return replace(self, listings=left).homeless

    @property
    def undeleted(self) -> list[str]:
        """The faults of a run that only deletes nodes."""
        return self.result.faults + [f"{result.name} could not be deleted: {result.reason}" for result in self.result.failed]

    def shortfalls(self, cluster: Cluster) -> list[str]:
        """Pools that have fewer nodes than they need, and what else failed."""
        members = [node.mark.pool for _cloud, node in self.members.values()]
        short = [
            f"pools.{name}: {members.count(name)} node(s) where at least {pool.least} are needed"
            for name, pool in cluster.pools.items()
            if members.count(name) < pool.least
        ]
        return self.result.faults + short + (["interrupted; run it again to continue"] if self.result.stopped else [])
