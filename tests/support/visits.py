# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes that a run configures, and those that its plan names, of clusters on clouds in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.sky.clusters.plugins.action.visit import choose
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Outcome
from ansible_collections.sky.clusters.plugins.module_utils._views._changes import DELETE, changes
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import hosts, hosts_to_be
from ansible_collections.sky.clusters.tests.support.clusters import run_of
from ansible_collections.sky.clusters.tests.support.world import World


class HostVars(dict[str, dict[str, Any]]):
    """The variables of hosts, none of which is a template."""

    def raw_get(self, name: str) -> dict[str, Any]:
        return self[name]


def visits(
    outcome: Outcome, cluster: Cluster, members: Iterable[str], planned: Iterable[Mapping[str, Any]] = (), full: bool = False
) -> dict[str, Any]:
    """What the action of this name returns for what the clouds hold."""
    known = HostVars({host.name: host.variables for cloud, listing in outcome.listings.items() for host in hosts(listing, cloud, cluster)})
    return choose({"members": sorted(members), "inputs": {}, "also": [], "full": full, "planned": list(planned)}, known)


def configure_all(world: World, cluster: Cluster) -> None:
    """A run that configures every node, from the cloud's side."""
    run = run_of(world, cluster)
    outcome = run.present(Wishes(confirm=cluster.name))
    run.delete(outcome.leaving)
    run.set_ready(visits(outcome, cluster, outcome.members, full=True)["hashes"])


def foretold(world: World, cluster: Cluster, wishes: Wishes) -> set[str]:
    """The nodes that a plan names, other than those that go."""
    outcome = run_of(world, cluster, check=True).present(wishes)
    found = visits(outcome, cluster, outcome.staying, hosts_to_be(outcome.coming, cluster))
    return _touched(outcome, cluster) | {*found["names"], *found["later"]}


def done(world: World, cluster: Cluster, wishes: Wishes) -> set[str]:
    """The nodes that a run creates, replaces, starts or configures."""
    first = run_of(world, cluster).replacements(wishes)
    run_of(world, cluster).delete(first.leaving)
    run = run_of(world, cluster)
    outcome = run.present(replace(wishes, replaced=frozenset(first.leaving)))
    assert outcome.faults == []
    return {*first.leaving} | _touched(outcome, cluster) | {*visits(outcome, cluster, outcome.members)["names"]}


def _touched(outcome: Outcome, cluster: Cluster) -> set[str]:
    """The nodes among what a plan changes in the clouds."""
    names = {f"{cluster.name}-{pool}-{index}" for pool in cluster.pools for index in range(20)}
    return {change.name for change in changes(outcome.plan) if change.sign != DELETE} & names
