# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against a plan, or is to be said about it."""

from __future__ import annotations

from collections.abc import Mapping

from .._clouds._contract import Listing, State
from .._cluster_file._cluster import Cluster
from ._draft import Draft, has_disposable_nodes
from ._in_use import dropped, forgotten, refusal
from ._plan_model import Wishes

SICK_SHARE = 0.4  # with a larger share of failed nodes, a cluster is repaired only after a confirmation: the fault may be ours


def check_removals(existing: Mapping[str, Listing], wishes: Wishes, draft: Draft) -> None:
    """Nodes that are named for removal: unknown ones, and those that are kept."""
    names = {node.name for listing in existing.values() for node in listing.nodes}
    made = {spec.name for part in draft.parts.values() for spec in part.create}
    going = {node.name for part in draft.parts.values() for node in (*part.leave, *part.delete)}
    others = going - made - wishes.remove
    for name in sorted(wishes.remove):
        if name not in names and others:
            draft.refusals.append(f"sky_remove: no node {name} in this cluster, and {', '.join(sorted(others))} would be removed instead")
        elif name not in names:
            draft.notes.append(f"sky_remove: no node {name} in this cluster (any more)")
        elif name not in going:
            draft.notes.append(f"{name} is kept: sky_remove only chooses which nodes go when the count drops; lower the count as well")


def check_health(cluster: Cluster, existing: Mapping[str, Listing], wishes: Wishes, draft: Draft) -> None:
    """Refuse to replace a large share of the nodes unless it is confirmed."""
    nodes = [node for listing in existing.values() for node in listing.nodes]
    sick = [node.name for node in nodes if draft.dead(node)]
    if len(sick) > 1 and len(sick) > SICK_SHARE * len(nodes) and wishes.confirm != cluster.name:
        draft.refusals.append(
            f"{len(sick)} of {len(nodes)} nodes have failed ({', '.join(sorted(sick)[:5])}): "
            f"find out why, then set -e sky_confirm={cluster.name} to replace them"
        )


def replaceable(cluster: Cluster, existing: Mapping[str, Listing], wishes: Wishes) -> dict[str, str]:
    """Of the nodes that are called sick, and why, those that a new node can replace; nodes that do not run are handled elsewhere."""
    running = [node for listing in existing.values() for node in listing.nodes if node.state is State.RUNNING]
    return {node.name: wishes.sick[node.name] for node in running if node.name in wishes.sick and has_disposable_nodes(cluster, node.mark.pool)}


def undrained(existing: Mapping[str, Listing]) -> list[str]:
    """Machines that would keep running with the cluster's services, and lose volumes that are mounted, if they were only released."""
    found = []
    for listing in existing.values():
        attached = {volume.attached for volume in listing.volumes}
        found += [
            f"{node.name} is a machine that is released and keeps running: set the count of pool {node.mark.pool} to 0 and run "
            "sky.clusters.cluster, so that its services stop and its volumes are unmounted; then destroy the cluster"
            for node in listing.nodes
            if node.lent and node.state is State.RUNNING and (node.ready or node.name in attached)
        ]
    return found


def check_clouds(cluster: Cluster, existing: Mapping[str, Listing], wishes: Wishes, draft: Draft) -> None:
    """Clouds that hold something of the cluster and are not in the file."""
    for cloud in dropped(existing):
        if wishes.confirm == cluster.name:
            draft.notes.append(forgotten(cloud))
        else:
            draft.refusals.append(refusal(cluster.name, cloud, "with the count of its pools set to 0 and run to empty it"))


def foreign_owners(cluster: Cluster, owners: Mapping[str, str], existing: Mapping[str, Listing]) -> list[str]:
    """A sentence for each other owner of the cluster's nodes and volumes."""
    found: list[str] = []
    for cloud, listing in existing.items():
        marks = [node.mark for node in listing.nodes] + [volume.mark for volume in listing.volumes]
        found += [
            f"cluster {cluster.name} in cloud {cloud} belongs to {owner}, but you are {owners[cloud]}; "
            f"to manage it together, put 'owner: {owner}' in the cluster file; for a cluster of your own, choose another name"
            for owner in sorted({mark.owner for mark in marks} - {owners[cloud]})
        ]
    return found


def twice(existing: Mapping[str, Listing]) -> list[str]:
    """A sentence for each name that two nodes have."""
    seen: dict[str, str] = {}
    found = []
    for cloud, listing in existing.items():
        for node in listing.nodes:
            if node.name in seen:
                found.append(f"node {node.name} exists twice (cloud {seen[node.name]} and cloud {cloud}, id {node.id}): delete the wrong one by hand")
            seen[node.name] = cloud
    return found


def stray_notes(existing: Mapping[str, Listing]) -> list[str]:
    """A sentence for each thing with the name of ours that is not ours."""
    return [f"{s.kind} {s.name} in cloud {cloud} is left alone: {s.reason}" for cloud, listing in existing.items() for s in listing.strays]
