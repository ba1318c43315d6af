# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that stay, how they differ from the file, and which of them a run replaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .._clouds._contract import Definition, Listing, Node, NodeSpec, State
from .._cluster_file._cluster import Cluster
from ._draft import Candidate, Draft, Placed, PoolView, has_disposable_nodes
from ._in_use import serves
from ._plan_model import DRIFT, Drift, Wishes

BATCH = 4  # of so many members of a pool one is replaced in a run, and always at least one


def moving_candidate(view: PoolView, placed: Placed, spec: NodeSpec, listing: Listing) -> Candidate:
    """A node whose pool is on another cloud now."""
    node = placed.node
    data = any(volume.mark == node.mark for volume in listing.volumes)
    held = "its data volumes would stay in its old cloud" if data else _held(view, spec, listing)
    differs = Drift(node.name, "cloud", placed.cloud, view.pool.cloud, held if data else "")
    return Candidate(spec, node, view.pool.cloud, (differs,), held)


def staying_candidate(view: PoolView, node: Node, spec: NodeSpec, listing: Listing) -> Candidate:
    differs = (*_differences(node, spec, view.definition), *_other_types(spec, listing))
    fixed = next((drift.fixed for drift in differs if drift.fixed), "")
    curable = any(not drift.fixed for drift in differs)
    return Candidate(spec, node, view.pool.cloud, differs, _held(view, spec, listing) if curable or not differs else fixed)


def _held(view: PoolView, spec: NodeSpec, listing: Listing) -> str:
    """Why a node is not replaced unless it is named: it may hold what a new one would lack."""
    if has_disposable_nodes(view.cluster, view.name) or (spec.volumes and not lacking_volumes(spec, listing)):
        return ""
    return f"it may hold data that is on no volume and that a new node would lack; -e sky_replace={spec.name} replaces it anyway"


def lacking_volumes(spec: NodeSpec, listing: Listing) -> list[str]:
    """The volumes that a node should have and has not: never made, deleted from outside, or added to the file since."""
    attached = {volume.name for volume in listing.volumes if volume.attached == spec.name}
    return [volume.name for volume in spec.volumes if volume.name not in attached]


def _differences(node: Node, spec: NodeSpec, definition: Definition) -> Iterator[Drift]:
    """Where a node differs from a new one; unknown values do not count."""
    have = {"image": node.image, "flavor": node.flavor, **node.made}
    want = {"image": spec.image, "flavor": spec.flavor, **definition.parts}
    for name, value in want.items():
        if have.get(name) and have[name] != value:
            yield Drift(node.name, name, have[name], value, definition.fixed.get(name, ""))


def _other_types(spec: NodeSpec, listing: Listing) -> Iterator[Drift]:
    """Volumes keep the type that they were made with, whichever node has them."""
    wanted = {volume.name: volume.type for volume in spec.volumes if volume.type}
    for volume in listing.volumes:
        if wanted.get(volume.name, volume.type) != volume.type:
            fixed = "a volume keeps its type; move its data to a new one to change it"
            yield Drift(spec.name, f"type of volume {volume.name}", volume.type or "the cloud's default", wanted[volume.name], fixed)


def plan_replacements(cluster: Cluster, existing: Mapping[str, Listing], wishes: Wishes, draft: Draft) -> None:
    """Choose the nodes that this run replaces: a few members of each pool, or, once no member is left to replace, one server node."""
    names = {node.name for listing in existing.values() for node in listing.nodes}
    unknown = sorted(wishes.replace - names - wishes.replaced - {DRIFT})
    known = f"name nodes, or use '{DRIFT}' for all that differ from the file"
    draft.refusals += [f"sky_replace: no node {name} in this cluster; {known}" for name in unknown]
    due: list[Candidate] = []
    for candidate in draft.candidates:
        name = candidate.node.name
        by_name = name in wishes.replace and name not in wishes.replaced
        if not by_name and not (DRIFT in wishes.replace and candidate.differs):
            continue
        why = candidate.held if not by_name else ""
        why = why or ("" if candidate.node.state is State.RUNNING else f"it is {candidate.node.state.value}")
        if why:
            draft.notes.append(f"{name} is not replaced: {why}")
        else:
            due.append(candidate)
    now = [] if wishes.replaced else _batch(cluster, due, wishes)
    for candidate in now:
        draft.parts[candidate.cloud].replace.append(candidate.spec)
    later = [candidate.node.name for candidate in due if candidate not in now]
    if later:
        draft.notes.append(f"{len(later)} node(s) remain to be replaced, run with -e sky_replace again: {_some(later)}")


def _batch(cluster: Cluster, due: list[Candidate], wishes: Wishes) -> list[Candidate]:
    """The nodes to replace at once, idle ones first."""
    members = [candidate for candidate in due if not serves(cluster, candidate.node.mark.pool)]
    if not members:
        return due[:1]
    chosen = []
    for pool in dict.fromkeys(candidate.node.mark.pool for candidate in members):
        of_pool = sorted((c for c in members if c.node.mark.pool == pool), key=lambda c: (c.node.name not in wishes.idle, c.node.mark.index))
        chosen += of_pool[: max(1, cluster.pools[pool].count // BATCH)]
    return chosen


def _some(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
