# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan is made from, beside the file and the clouds, and what it says."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._clouds._contract import Listing, Node, NodeSpec, Volume, VolumeSpec
from ._in_use import InUse

DRIFT = "drift"  # no node has such a name


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
    images: tuple[str, ...] = ()  # that are fetched or built first, for nodes that are created
    repair: tuple[str, ...] = ()  # what was made besides nodes and volumes, and is gone
    prepare: tuple[str, ...] = ()  # what all nodes share, and is made before the first of them
    dismantle: tuple[str, ...] = ()  # the same, removed after the last of them

    @property
    def changes(self) -> bool:
        now = self.delete or self.resize or self.create or self.leave or self.replace
        return bool(now or self.repair or self.record or self.dismantle)

    def homeless(self, listing: Listing) -> tuple[Volume, ...]:
        """The volumes whose node does not exist once this is done."""
        going = {node.name for node in (*self.delete, *self.leave)}
        names = {node.name for node in listing.nodes} - going | {spec.name for spec in (*self.create, *self.replace)}
        return tuple(volume for volume in listing.volumes if volume.mark.node_name not in names)


@dataclass(frozen=True)
class Plan:
    """What is to be done in each cloud, and what is reported."""

    clouds: Mapping[str, CloudPlan]
    drift: tuple[Drift, ...] = ()
    notes: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()  # with one of these nothing may be done
    kept_volumes: Mapping[str, tuple[Volume, ...]] = field(default_factory=dict)  # by cloud: volumes whose node does not exist
    volumes: Mapping[str, tuple[Volume, ...]] = field(default_factory=dict)  # that exist, by the name of their node
    in_use: InUse = InUse()
    first: frozenset[str] = frozenset()  # server nodes to be there before another cloud makes any: nothing else could name that cloud

    @property
    def changes(self) -> bool:
        return any(part.changes for part in self.clouds.values())

    def prepared(self, missing: Mapping[str, tuple[str, ...]]) -> Plan:
        """The same with what is made before the first node of a cloud, by cloud; where none is made any more it is left out."""
        parts = {cloud: dataclasses.replace(part, prepare=missing.get(cloud, ()) if part.create else ()) for cloud, part in self.clouds.items()}
        return dataclasses.replace(self, clouds=parts)

    def dismantled(self, existing: Mapping[str, tuple[str, ...]]) -> Plan:
        """The same with what is removed after the last node of a cloud, by cloud."""
        return dataclasses.replace(self, clouds={cloud: dataclasses.replace(part, dismantle=existing[cloud]) for cloud, part in self.clouds.items()})

    def refused(self, reasons: Iterable[str]) -> Plan:
        """The same for a run that refuses: nothing is done."""
        nothing = {cloud: CloudPlan() for cloud in self.clouds}
        return dataclasses.replace(self, clouds=nothing, refusals=(*self.refusals, *reasons), in_use=InUse(), first=frozenset())
