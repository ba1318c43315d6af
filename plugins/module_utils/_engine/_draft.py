# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan in the making."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._clouds._contract import Definition, Mark, Node, NodeSpec, State, VolumeSpec
from .._cluster_file._cluster import Cluster, Pool
from .._systems._table import disposable
from ._plan_model import CloudPlan, Drift, Wishes


@dataclass(frozen=True)
class Placed:
    """A node and the cloud that it is in."""

    cloud: str
    node: Node


@dataclass
class Part:
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
class Candidate:
    """A node that stays, and that might be replaced."""

    spec: NodeSpec
    node: Node
    cloud: str  # that it is to be in
    differs: tuple[Drift, ...]
    held: str  # why it is not replaced for a difference alone; empty if it may be


@dataclass
class Draft:
    """A plan in the making."""

    parts: dict[str, Part]
    sick: Mapping[str, str] = field(default_factory=dict)  # nodes that run but are replaced, and why
    candidates: list[Candidate] = field(default_factory=list)
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


@dataclass(frozen=True)
class PoolView:
    """One pool as it is wanted and as it is."""

    cluster: Cluster
    name: str
    pool: Pool
    owner: str
    placed: list[Placed]
    strays: list[int]  # indices whose name is used by something without our mark
    definition: Definition

    def spec(self, index: int, wishes: Wishes) -> NodeSpec:
        return node_spec(self.cluster, self.owner, self.name, index, wishes.ssh_keys)


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


def has_disposable_nodes(cluster: Cluster, pool: str) -> bool:
    """Whether new nodes do everything that those of a pool do; unknown for a pool that the file no longer has."""
    return pool in cluster.pools and disposable(cluster.pools[pool].roles, cluster.pools[pool].volumes)
