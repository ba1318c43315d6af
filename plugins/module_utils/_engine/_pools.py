# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the nodes and volumes of each pool."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Mapping

from .._clouds._contract import Listing, Node, NodeSpec, State, Stray, VolumeSpec
from .._cluster_file._cluster import Cluster
from ._candidates import lacking_volumes, moving_candidate, staying_candidate
from ._draft import Draft, Part, Placed, PoolView
from ._plan_model import Wishes


def plan_pool(view: PoolView, existing: Mapping[str, Listing], wishes: Wishes, draft: Draft) -> None:
    """Bring a pool to its count, and decide what becomes of each of its nodes and volumes."""
    half_deleted = [p for p in view.placed if p.node.state is State.DELETING]
    present = [p for p in view.placed if p.node.state is not State.DELETING]
    for gone in half_deleted:
        draft.parts[gone.cloud].delete.append(gone.node)
    taken = {p.node.mark.index for p in present} | set(view.strays)
    again = _replaced(view, wishes) - taken
    # not counting strays: a foreign object beside our nodes must not cause a deletion; what is created again leaves no other in its place
    leaving = _choose_leaving(present, max(0, len(present) + len(again) - view.pool.count), wishes, draft)
    for placed in present:
        if placed in leaving:
            draft.take_out(placed.cloud, placed.node)
        else:
            _plan_standing(view, placed, existing[placed.cloud], wishes, draft)
    # what was there beside a stray is there again after a replacement
    wanted = max(view.pool.count - len(taken), min(len(again), view.pool.count - len(present) + len(leaving)))
    new = _free(taken, wanted, [*sorted(again), *_with_volumes(view, existing[view.pool.cloud])])
    draft.parts[view.pool.cloud].create += [view.spec(index, wishes) for index in new]
    staying = {p.node.mark.index for p in present if p not in leaving}
    _plan_volumes(view, existing[view.pool.cloud], staying.union(new), draft)


def _plan_standing(view: PoolView, placed: Placed, listing: Listing, wishes: Wishes, draft: Draft) -> None:
    """A node that stays."""
    node = placed.node
    spec = view.spec(node.mark.index, wishes)
    if placed.cloud != view.pool.cloud:
        draft.candidates.append(moving_candidate(view, placed, spec, listing))
        draft.parts[placed.cloud].keep.append(node)
    elif draft.dead(node):
        draft.notes += [f"{node.name} is replaced: {draft.sick[node.name]}"] if node.name in draft.sick else []
        draft.parts[placed.cloud].delete.append(node)
        draft.parts[placed.cloud].create.append(spec)
    else:
        if node.state is State.RUNNING and node.name in wishes.sick:
            draft.notes.append(f"{node.name}: {wishes.sick[node.name]}; not replaced: it holds data that a new node would lack")
        _plan_alive(node, spec, listing, draft.parts[placed.cloud], draft)
        draft.candidates.append(staying_candidate(view, node, spec, listing))


def _plan_alive(node: Node, spec: NodeSpec, listing: Listing, part: Part, draft: Draft) -> None:
    """A node that is as it should be, or is to be completed: never recreated."""
    lacks = lacking_volumes(spec, listing)
    draft.notes += [f"{node.name} lacks volume {name}: it is attached, and created first if it does not exist" for name in lacks]
    if lacks or node.state is State.STOPPED:
        part.create.append(spec)
        part.existing.append(node.name)
    elif node.state is State.BUILDING:
        part.wait.append(spec)
    else:
        part.keep.append(node)


def _plan_volumes(view: PoolView, listing: Listing, indices: Collection[int], draft: Draft) -> None:
    """Volumes that exist grow to the file's size, and never shrink."""
    for volume in listing.volumes:
        if volume.mark.pool != view.name or volume.mark.index not in indices:
            continue
        short = volume.name.removeprefix(volume.mark.node_name + "-")
        wanted = view.pool.volumes.get(short)
        if wanted is None:
            continue
        if wanted.size < volume.size:
            draft.refusals.append(
                f"pools.{view.name}.volumes.{short}: a volume cannot shrink; the file says {wanted.size} GiB, {volume.name} has {volume.size} GiB"
            )
        elif wanted.size > volume.size:
            draft.parts[view.pool.cloud].resize.append(VolumeSpec(volume.name, wanted.size, volume.type))


def _choose_leaving(present: list[Placed], surplus: int, wishes: Wishes, draft: Draft) -> list[Placed]:
    def rank(placed: Placed) -> tuple[bool, bool, bool, bool, int]:
        node = placed.node
        finished = bool(node.ready)
        return (node.name not in wishes.remove, not draft.dead(node), finished, node.name not in wishes.idle, -node.mark.index)

    return sorted(present, key=rank)[:surplus]


def drop_pool(cluster: Cluster, name: str, placed: list[Placed], wishes: Wishes, draft: Draft) -> None:
    """A pool that the file no longer has."""
    if wishes.confirm != cluster.name:
        draft.refusals.append(
            f"pools.{name}: is not in the file but has {len(placed)} node(s); "
            f"put it back, or set -e sky_confirm={cluster.name} to drain and delete them"
        )
        return
    for each in placed:
        draft.take_out(each.cloud, each.node)


def nodes_by_pool(existing: Mapping[str, Listing]) -> dict[str, list[Placed]]:
    """The nodes of each pool, whether the file has it or not, on every cloud."""
    found: dict[str, list[Placed]] = {}
    for cloud, listing in existing.items():
        for node in listing.nodes:
            found.setdefault(node.mark.pool, []).append(Placed(cloud, node))
    return found


def strays_by_pool(cluster: Cluster, existing: Mapping[str, Listing]) -> dict[str, list[int]]:
    """Indices that may not be used: something that is not ours has the name."""
    found: dict[str, list[int]] = {}
    for cloud, listing in existing.items():
        for stray in listing.strays:
            place = _place(cluster.name, stray)
            if place and place[0] in cluster.pools and cluster.pools[place[0]].cloud == cloud:
                found.setdefault(place[0], []).append(place[1])
    return found


def _place(cluster: str, stray: Stray) -> tuple[str, int] | None:
    match = re.fullmatch(re.escape(cluster) + r"-([a-z][a-z0-9]*)-(0|[1-9][0-9]*)", stray.name)
    return (match.group(1), int(match.group(2))) if match and stray.kind == "node" else None


def _replaced(view: PoolView, wishes: Wishes) -> set[int]:
    """Indices of the nodes that this run has deleted to create them again."""
    prefix = f"{view.cluster.name}-{view.name}-"
    return {int(name.removeprefix(prefix)) for name in wishes.replaced if name.startswith(prefix)}


def _with_volumes(view: PoolView, listing: Listing) -> list[int]:
    """Indices of the pool whose data volumes exist."""
    return sorted({volume.mark.index for volume in listing.volumes if volume.mark.pool == view.name})


def _free(taken: Collection[int], wanted: int, preferred: Iterable[int]) -> list[int]:
    """Indices that are not taken: the preferred ones, then the lowest."""
    found = itertools.chain(preferred, itertools.count())
    chosen: dict[int, None] = {}
    while len(chosen) < wanted:
        index = next(found)
        if index not in taken:
            chosen[index] = None
    return sorted(chosen)
