# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is wanted and what exists to what is to be done. Pure: no I/O, no clock, no randomness."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._clouds._contract import Definition, Listing, Mark, Node, NodeSpec, State, Stray, Volume, VolumeSpec
from .._cluster_file._cluster import Cluster, Pool
from .._systems._table import disposable
from ._in_use import InUse, dropped, forgotten, recorded, refusal, server_nodes, serves
from ._numbers import free_numbers, refusals

DRIFT = "drift"  # no node has such a name
BATCH = 4  # of so many members of a pool one is replaced in a run, and always at least one
SICK_SHARE = 0.4  # with a larger share of failed nodes, a cluster is repaired only after a confirmation: the fault may be ours


@dataclass(frozen=True)
class Wishes:
    """What one run asks for, beside the file."""

    remove: frozenset[str] = frozenset()  # nodes to take first where a pool shrinks
    replace: frozenset[str] = frozenset()  # nodes to replace, by name; DRIFT names all that differ from the file
    replaced: frozenset[str] = frozenset()  # what of these this run has replaced already: it replaces no more
    idle: frozenset[str] = frozenset()  # nodes known to be idle
    sick: Mapping[str, str] = field(default_factory=dict)  # nodes that run but do not work, and why; others may be named too
    confirm: str = ""  # the cluster's name: the confirmation
    ssh_keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Any], ssh_keys: tuple[str, ...]) -> Wishes:
        """Those of a task, as its options name them."""
        sets = {name: frozenset(given[name]) for name in ("remove", "replace", "replaced", "idle") if name in given}
        sick = {name: str(reason) for name, reason in given["sick"].items()}
        return cls(**sets, sick=sick, confirm=given["confirm"], ssh_keys=ssh_keys)


@dataclass(frozen=True)
class Drift:
    """A difference between the file and a node that is reported only, because applying it would delete the node."""

    name: str
    field: str
    have: str
    want: str
    fixed: str = ""  # why a new node would not be as the file says either

    def __str__(self) -> str:
        return f"{self.name}: {self.words}; {self.fixed or 'replace the node to change it (-e sky_replace=drift)'}"

    @property
    def words(self) -> str:
        return f"{self.field} is {self.have}, the file says {self.want}"


@dataclass(frozen=True)
class CloudPlan:
    """What is to be done in one cloud, in this order."""

    delete: tuple[Node, ...] = ()  # failed, sick, or half deleted: nothing to drain
    resize: tuple[VolumeSpec, ...] = ()
    create: tuple[NodeSpec, ...] = ()  # those of replaced and stopped nodes, and of nodes that lack a volume, included
    wait: tuple[NodeSpec, ...] = ()  # exist and are still booting
    keep: tuple[Node, ...] = ()
    leave: tuple[Node, ...] = ()  # to be drained by their roles, then deleted by a call of its own
    existing: tuple[str, ...] = ()  # names in `create` of nodes that are to be started, or given a volume that they lack
    record: tuple[Node, ...] = ()  # existing server nodes that name other clouds than those that will be in use
    replace: tuple[NodeSpec, ...] = ()  # to be drained and deleted by calls of their own, then created again; until then their nodes are in `keep`
    repair: tuple[str, ...] = ()  # what was made besides nodes and volumes, and is gone

    @property
    def changes(self) -> bool:
        return bool(self.delete or self.resize or self.create or self.leave or self.replace or self.repair or self.record)


@dataclass(frozen=True)
class Plan:
    """What is to be done in each cloud, and what is reported."""

    clouds: Mapping[str, CloudPlan]
    drift: tuple[Drift, ...] = ()
    notes: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()  # with one of these nothing may be done
    kept_volumes: Mapping[str, tuple[Volume, ...]] = field(default_factory=dict)  # by cloud: volumes whose node does not exist
    in_use: InUse = InUse()
    first: frozenset[str] = frozenset()  # server nodes to be there before another cloud makes any: nothing else could name that cloud

    @property
    def changes(self) -> bool:
        return any(part.changes for part in self.clouds.values())

    def refused(self, reasons: Iterable[str]) -> Plan:
        """The same for a run that refuses: nothing is done."""
        nothing = {cloud: CloudPlan() for cloud in self.clouds}
        return dataclasses.replace(self, clouds=nothing, refusals=(*self.refusals, *reasons), in_use=InUse(), first=frozenset())


@dataclass(frozen=True)
class _Placed:
    """A node and the cloud that it is in."""

    cloud: str
    node: Node


@dataclass
class _Part:
    """One cloud's plan in the making."""

    delete: list[Node] = field(default_factory=list)
    resize: list[VolumeSpec] = field(default_factory=list)
    create: list[NodeSpec] = field(default_factory=list)
    wait: list[NodeSpec] = field(default_factory=list)
    keep: list[Node] = field(default_factory=list)
    leave: list[Node] = field(default_factory=list)
    existing: list[str] = field(default_factory=list)
    record: list[Node] = field(default_factory=list)
    replace: list[NodeSpec] = field(default_factory=list)

    def done(self) -> CloudPlan:
        return CloudPlan(**{part.name: tuple(getattr(self, part.name)) for part in dataclasses.fields(self)})


@dataclass(frozen=True)
class _Candidate:
    """A node that stays, and that might be replaced."""

    spec: NodeSpec
    node: Node
    cloud: str  # that it is to be in
    differs: tuple[Drift, ...]
    held: str  # why it is not replaced for a difference alone; empty if it may be


@dataclass
class _Draft:
    """A plan in the making."""

    parts: dict[str, _Part]
    sick: Mapping[str, str] = field(default_factory=dict)  # nodes that run but are replaced, and why
    candidates: list[_Candidate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    @property
    def drift(self) -> tuple[Drift, ...]:
        return tuple(drift for candidate in self.candidates for drift in candidate.differs)

    def take_out(self, cloud: str, node: Node) -> None:
        """Remove a node: a running one is drained first; one that is stopped or sick has nothing to drain."""
        part = self.parts[cloud]
        if node.name in self.sick:
            self.notes.append(f"{node.name} is deleted without being drained: {self.sick[node.name]}")
        (part.leave if node.state is State.RUNNING and node.name not in self.sick else part.delete).append(node)

    def dead(self, node: Node) -> bool:
        """Whether a node is beyond repair, and may be recreated."""
        return node.state is State.FAILED or node.name in self.sick

    def stays(self, cloud: str, node: Node) -> bool:
        """Whether this very node exists after the run; a leaving one does, until it is drained."""
        return all(node.id != gone.id for gone in self.parts[cloud].delete)


def plan(
    cluster: Cluster,
    owners: Mapping[str, str],
    existing: Mapping[str, Listing],
    wishes: Wishes | None = None,
    definitions: Mapping[str, Definition] | None = None,
) -> Plan:
    """Plan what makes the clouds match the file.

    Args:
        cluster: the file, with this run's counts.
        owners: owner of this run's marks, by cloud.
        existing: what each cloud holds of the cluster, by cloud; every cloud of the file must be there.
        wishes: what this run asks for beside the file.
        definitions: what a node of each pool would be made from now, by pool, as far as that is known.
    """
    wishes = wishes or Wishes()
    definitions = definitions or {}
    draft = _Draft({cloud: _Part() for cloud in existing}, _replaceable(cluster, existing, wishes))
    draft.refusals += _foreign_owners(cluster, owners, existing)
    draft.refusals += _twice(existing)
    _check_clouds(cluster, existing, wishes, draft)
    by_pool = _by_pool(existing)
    strays = _strays_by_pool(cluster, existing)
    for name, pool in cluster.pools.items():
        definition = definitions.get(name, Definition())
        view = _PoolView(cluster, name, pool, owners[pool.cloud], by_pool.pop(name, []), strays.get(name, []), definition)
        _plan_pool(view, existing, wishes, draft)
    for name, placed in sorted(by_pool.items()):
        _drop_pool(cluster, name, placed, wishes, draft)
    _check_removals(existing, wishes, draft)
    _plan_replacements(cluster, existing, wishes, draft)
    _check_health(cluster, existing, wishes, draft)
    _number(cluster, existing, wishes, draft)
    in_use = _in_use(existing, draft)
    first = _record(cluster, existing, in_use, draft)
    draft.notes += _stray_notes(existing)
    made = Plan(
        clouds={cloud: part.done() for cloud, part in draft.parts.items()},
        drift=draft.drift,
        notes=tuple(draft.notes),
        kept_volumes={cloud: _homeless(listing) for cloud, listing in existing.items()},
        in_use=in_use,
        first=first,
    )
    return made.refused(draft.refusals) if draft.refusals else made


def plan_destroy(cluster: Cluster, owners: Mapping[str, str], existing: Mapping[str, Listing], confirm: str = "") -> Plan:
    """Plan the deletion of every node of the cluster; volumes are kept, and named."""
    refusals, notes = _foreign_owners(cluster, owners, existing), _stray_notes(existing)
    if confirm == cluster.name:
        notes += map(forgotten, dropped(existing))
    else:
        refusals += [refusal(cluster.name, cloud, "so that it is emptied too") for cloud in dropped(existing)]
    clouds = {cloud: CloudPlan(delete=() if refusals else listing.nodes) for cloud, listing in existing.items()}
    kept = {cloud: listing.volumes for cloud, listing in existing.items()}
    return Plan(clouds, notes=tuple(notes), refusals=tuple(refusals), kept_volumes=kept)


def node_spec(cluster: Cluster, owner: str, pool: str, index: int, ssh_keys: tuple[str, ...] = ()) -> NodeSpec:
    """What the node of this pool with this index is to be."""
    wanted = cluster.pools[pool]
    entry = cluster.clouds[wanted.cloud]
    mark = Mark(owner, cluster.name, pool, index)
    return NodeSpec(
        mark=mark,
        image=wanted.image or entry.options.image,
        flavor=wanted.flavor or entry.options.flavor,
        public_ip=wanted.public_ip,
        volumes=tuple(VolumeSpec(mark.volume_name(name), volume.size, volume.type) for name, volume in wanted.volumes.items()),
        ssh_keys=ssh_keys,
        ssh_user=entry.options.ssh_user,
        extra={**entry.extra, **wanted.extra},
    )


@dataclass(frozen=True)
class _PoolView:
    """One pool as it is wanted and as it is."""

    cluster: Cluster
    name: str
    pool: Pool
    owner: str
    placed: list[_Placed]
    strays: list[int]  # indices whose name is used by something without our mark
    definition: Definition

    def spec(self, index: int, wishes: Wishes) -> NodeSpec:
        return node_spec(self.cluster, self.owner, self.name, index, wishes.ssh_keys)


def _plan_pool(view: _PoolView, existing: Mapping[str, Listing], wishes: Wishes, draft: _Draft) -> None:
    half_deleted = [p for p in view.placed if p.node.state is State.DELETING]
    present = [p for p in view.placed if p.node.state is not State.DELETING]
    for gone in half_deleted:
        draft.parts[gone.cloud].delete.append(gone.node)
    # not counting strays: a foreign object beside our nodes must not cause a deletion
    leaving = _choose_leaving(present, max(0, len(present) - view.pool.count), wishes, draft)
    for placed in present:
        if placed in leaving:
            draft.take_out(placed.cloud, placed.node)
        else:
            _plan_standing(view, placed, existing[placed.cloud], wishes, draft)
    taken = {p.node.mark.index for p in present} | set(view.strays)
    again = _replaced(view, wishes) - taken
    # what was there beside a stray is there again after a replacement
    wanted = max(view.pool.count - len(taken), min(len(again), view.pool.count - len(present)))
    new = _free(taken, wanted, [*sorted(again), *_with_volumes(view, existing[view.pool.cloud])])
    draft.parts[view.pool.cloud].create += [view.spec(index, wishes) for index in new]
    staying = {p.node.mark.index for p in present if p not in leaving}
    _plan_volumes(view, existing[view.pool.cloud], staying.union(new), draft)


def _plan_standing(view: _PoolView, placed: _Placed, listing: Listing, wishes: Wishes, draft: _Draft) -> None:
    """A node that stays."""
    node = placed.node
    spec = view.spec(node.mark.index, wishes)
    if placed.cloud != view.pool.cloud:
        draft.candidates.append(_moving(view, placed, spec, listing))
        draft.parts[placed.cloud].keep.append(node)
    elif draft.dead(node):
        draft.notes += [f"{node.name} is replaced: {draft.sick[node.name]}"] if node.name in draft.sick else []
        draft.parts[placed.cloud].delete.append(node)
        draft.parts[placed.cloud].create.append(spec)
    else:
        if node.state is State.RUNNING and node.name in wishes.sick:
            draft.notes.append(f"{node.name}: {wishes.sick[node.name]}; not replaced: it holds data that a new node would lack")
        _plan_alive(node, spec, listing, draft.parts[placed.cloud], draft)
        draft.candidates.append(_candidate(view, node, spec, listing))


def _moving(view: _PoolView, placed: _Placed, spec: NodeSpec, listing: Listing) -> _Candidate:
    """A node whose pool is on another cloud now."""
    node = placed.node
    data = any(volume.mark == node.mark for volume in listing.volumes)
    held = "its data volumes would stay in its old cloud" if data else _held(view, spec, listing)
    differs = Drift(node.name, "cloud", placed.cloud, view.pool.cloud, held if data else "")
    return _Candidate(spec, node, view.pool.cloud, (differs,), held)


def _candidate(view: _PoolView, node: Node, spec: NodeSpec, listing: Listing) -> _Candidate:
    differs = (*_differences(node, spec, view.definition), *_other_types(spec, listing))
    fixed = next((drift.fixed for drift in differs if drift.fixed), "")
    curable = any(not drift.fixed for drift in differs)
    return _Candidate(spec, node, view.pool.cloud, differs, _held(view, spec, listing) if curable or not differs else fixed)


def _held(view: _PoolView, spec: NodeSpec, listing: Listing) -> str:
    """Why a node is not replaced unless it is named: it may hold what a new one would lack."""
    if _disposable(view.cluster, view.name) or (spec.volumes and not _lacking(spec, listing)):
        return ""
    return f"it may hold data that is on no volume and that a new node would lack; -e sky_replace={spec.name} replaces it anyway"


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


def _plan_alive(node: Node, spec: NodeSpec, listing: Listing, part: _Part, draft: _Draft) -> None:
    """A node that is as it should be, or is to be completed: never recreated."""
    lacks = _lacking(spec, listing)
    draft.notes += [f"{node.name} lacks volume {name}: it is attached, and created first if it does not exist" for name in lacks]
    if lacks or node.state is State.STOPPED:
        part.create.append(spec)
        part.existing.append(node.name)
    elif node.state is State.BUILDING:
        part.wait.append(spec)
    else:
        part.keep.append(node)


def _lacking(spec: NodeSpec, listing: Listing) -> list[str]:
    """The volumes that a node should have and has not: never made, deleted from outside, or added to the file since."""
    attached = {volume.name for volume in listing.volumes if volume.attached == spec.name}
    return [volume.name for volume in spec.volumes if volume.name not in attached]


def _plan_volumes(view: _PoolView, listing: Listing, indices: Collection[int], draft: _Draft) -> None:
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


def _choose_leaving(present: list[_Placed], surplus: int, wishes: Wishes, draft: _Draft) -> list[_Placed]:
    def rank(placed: _Placed) -> tuple[bool, bool, bool, bool, int]:
        node = placed.node
        finished = bool(node.ready)
        return (node.name not in wishes.remove, not draft.dead(node), finished, node.name not in wishes.idle, -node.mark.index)

    return sorted(present, key=rank)[:surplus]


def _drop_pool(cluster: Cluster, name: str, placed: list[_Placed], wishes: Wishes, draft: _Draft) -> None:
    """A pool that the file no longer has."""
    if wishes.confirm != cluster.name:
        draft.refusals.append(
            f"pools.{name}: is not in the file but has {len(placed)} node(s); "
            f"put it back, or set -e sky_confirm={cluster.name} to drain and delete them"
        )
        return
    for each in placed:
        draft.take_out(each.cloud, each.node)


def _check_removals(existing: Mapping[str, Listing], wishes: Wishes, draft: _Draft) -> None:
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


def _plan_replacements(cluster: Cluster, existing: Mapping[str, Listing], wishes: Wishes, draft: _Draft) -> None:
    """Choose the nodes that this run replaces: a few members of each pool, or, once no member is left to replace, one server node."""
    names = {node.name for listing in existing.values() for node in listing.nodes}
    unknown = sorted(wishes.replace - names - wishes.replaced - {DRIFT})
    known = f"name nodes, or use '{DRIFT}' for all that differ from the file"
    draft.refusals += [f"sky_replace: no node {name} in this cluster; {known}" for name in unknown]
    due: list[_Candidate] = []
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


def _batch(cluster: Cluster, due: list[_Candidate], wishes: Wishes) -> list[_Candidate]:
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


def _check_health(cluster: Cluster, existing: Mapping[str, Listing], wishes: Wishes, draft: _Draft) -> None:
    nodes = [node for listing in existing.values() for node in listing.nodes]
    sick = [node.name for node in nodes if draft.dead(node)]
    if len(sick) > 1 and len(sick) > SICK_SHARE * len(nodes) and wishes.confirm != cluster.name:
        draft.refusals.append(
            f"{len(sick)} of {len(nodes)} nodes have failed ({', '.join(sorted(sick)[:5])}): "
            f"find out why, then set -e sky_confirm={cluster.name} to replace them"
        )


def _replaceable(cluster: Cluster, existing: Mapping[str, Listing], wishes: Wishes) -> dict[str, str]:
    """Of the nodes that are called sick, and why, those that a new node can replace; nodes that do not run are handled elsewhere."""
    running = [node for listing in existing.values() for node in listing.nodes if node.state is State.RUNNING]
    return {node.name: wishes.sick[node.name] for node in running if node.name in wishes.sick and _disposable(cluster, node.mark.pool)}


def _disposable(cluster: Cluster, pool: str) -> bool:
    """Whether new nodes do everything that those of a pool do; unknown for a pool that the file no longer has."""
    return pool in cluster.pools and disposable(cluster.pools[pool].roles, cluster.pools[pool].volumes)


def _check_clouds(cluster: Cluster, existing: Mapping[str, Listing], wishes: Wishes, draft: _Draft) -> None:
    for cloud in dropped(existing):
        if wishes.confirm == cluster.name:
            draft.notes.append(forgotten(cloud))
        else:
            draft.refusals.append(refusal(cluster.name, cloud, "with the count of its pools set to 0 and run to empty it"))


def _number(cluster: Cluster, existing: Mapping[str, Listing], wishes: Wishes, draft: _Draft) -> None:
    """Give each new node a number; one that is only started or completed keeps its own."""
    taken = {cloud: [node.number for node in listing.nodes] for cloud, listing in existing.items()}
    new = {cloud: [place for place, spec in enumerate(part.create) if spec.name not in part.existing] for cloud, part in draft.parts.items()}
    numbers = free_numbers(taken, {cloud: len(places) for cloud, places in new.items()})
    for cloud, places in new.items():
        create = draft.parts[cloud].create
        for place, number in zip(places, numbers[cloud], strict=True):
            create[place] = dataclasses.replace(create[place], number=number)
    draft.refusals += refusals(cluster.overlay, existing, numbers, wishes.replace)


def _in_use(existing: Mapping[str, Listing], draft: _Draft) -> InUse:
    after = {
        cloud
        for cloud, listing in existing.items()
        if draft.parts[cloud].create or listing.volumes or any(draft.stays(cloud, node) for node in listing.nodes)
    }
    before = recorded(existing) & existing.keys()  # one that is forgotten is so from the start
    return InUse(tuple(sorted(before | after)), tuple(sorted(after)))


def _record(cluster: Cluster, existing: Mapping[str, Listing], in_use: InUse, draft: _Draft) -> frozenset[str]:
    """Let the server nodes name the clouds in use, new ones from their birth on; those that must be made before other clouds make any."""
    born: set[str] = set()
    stands = False
    for cloud, part in draft.parts.items():
        servers = [node for node in server_nodes(cluster, existing[cloud]) if draft.stays(cloud, node)]
        stands = stands or bool(servers)
        part.record += [node for node in servers if set(node.clouds) != set(in_use.after)]
        for place, spec in enumerate(part.create):
            if serves(cluster, spec.mark.pool):
                part.create[place] = dataclasses.replace(spec, clouds=in_use.meanwhile)
                born.add(spec.name)
    return frozenset() if stands else frozenset(born)


def _foreign_owners(cluster: Cluster, owners: Mapping[str, str], existing: Mapping[str, Listing]) -> list[str]:
    found: list[str] = []
    for cloud, listing in existing.items():
        marks = [node.mark for node in listing.nodes] + [volume.mark for volume in listing.volumes]
        found += [
            f"cluster {cluster.name} in cloud {cloud} belongs to {owner}, but you are {owners[cloud]}; "
            f"to manage it together, put 'owner: {owner}' in the cluster file; for a cluster of your own, choose another name"
            for owner in sorted({mark.owner for mark in marks} - {owners[cloud]})
        ]
    return found


def _twice(existing: Mapping[str, Listing]) -> list[str]:
    seen: dict[str, str] = {}
    found = []
    for cloud, listing in existing.items():
        for node in listing.nodes:
            if node.name in seen:
                found.append(f"node {node.name} exists twice (cloud {seen[node.name]} and cloud {cloud}, id {node.id}): delete the wrong one by hand")
            seen[node.name] = cloud
    return found


def _by_pool(existing: Mapping[str, Listing]) -> dict[str, list[_Placed]]:
    found: dict[str, list[_Placed]] = {}
    for cloud, listing in existing.items():
        for node in listing.nodes:
            found.setdefault(node.mark.pool, []).append(_Placed(cloud, node))
    return found


def _strays_by_pool(cluster: Cluster, existing: Mapping[str, Listing]) -> dict[str, list[int]]:
    """Indices that may not be used: something that is not ours has the name."""
    found: dict[str, list[int]] = {}
    for cloud, listing in existing.items():
        for stray in listing.strays:
            place = _place(cluster.name, stray)
            if place and place[0] in cluster.pools and cluster.pools[place[0]].cloud == cloud:
                found.setdefault(place[0], []).append(place[1])
    return found


def _stray_notes(existing: Mapping[str, Listing]) -> list[str]:
    return [f"{s.kind} {s.name} in cloud {cloud} is left alone: {s.reason}" for cloud, listing in existing.items() for s in listing.strays]


def _place(cluster: str, stray: Stray) -> tuple[str, int] | None:
    match = re.fullmatch(re.escape(cluster) + r"-([a-z][a-z0-9]*)-(0|[1-9][0-9]*)", stray.name)
    return (match.group(1), int(match.group(2))) if match and stray.kind == "node" else None


def _replaced(view: _PoolView, wishes: Wishes) -> set[int]:
    """Indices of the nodes that this run has deleted to create them again."""
    prefix = f"{view.cluster.name}-{view.name}-"
    return {int(name.removeprefix(prefix)) for name in wishes.replaced if name.startswith(prefix)}


def _with_volumes(view: _PoolView, listing: Listing) -> list[int]:
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


def _homeless(listing: Listing) -> tuple[Volume, ...]:
    names = {node.name for node in listing.nodes}
    return tuple(volume for volume in listing.volumes if volume.mark.node_name not in names)
