# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would do in the clouds, as data: ``+`` creates, ``~`` changes, ``-`` deletes, ``-/+`` replaces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from .._clouds._contract import Node, NodeSpec, Volume
from .._engine._plan_model import CloudPlan, Plan

CREATE, CHANGE, DELETE, REPLACE = "+", "~", "-", "-/+"
NEVER, FIRST, ON_RESTART = "never", "first", "on_restart"  # when a node is drained


@dataclass(frozen=True)
class Change:
    """One thing that a run would do."""

    sign: str
    name: str  # of a node, a volume, an image or a cloud
    text: str
    reason: str = ""  # why, as far as the text says it
    drain: str = NEVER

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"

    def plain(self) -> dict[str, str]:
        return asdict(self)


def changes(plan: Plan, data: bool = False) -> list[Change]:
    """What a plan would do in the clouds.

    Args:
        data: whether the data volumes of the cluster are deleted, too.
    """
    if not data:
        return [change for cloud, part in plan.clouds.items() for change in _of_cloud(plan, cloud, part)]
    without = replace(plan, volumes={})
    return [*changes(without), *_deleted_data(plan)]


def _deleted_data(plan: Plan) -> Iterator[Change]:
    """Every volume, in the plan of a destruction."""
    for cloud, volumes in plan.kept_volumes.items():
        yield from (Change(DELETE, volume.name, f"delete with its data in {cloud} ({volume.size} GiB)") for volume in volumes)


def _of_cloud(plan: Plan, cloud: str, part: CloudPlan) -> Iterator[Change]:
    made = {spec.name for spec in part.create}
    deleted = {node.name for node in part.delete}
    yield from (Change(CHANGE, f"cloud {cloud}", f"repair {what}") for what in part.repair)
    yield from (Change(CREATE, what, f"create in {cloud}") for what in part.prepare)
    yield from (Change(CREATE, f"image {image}", f"fetch or build in {cloud}, before its first node") for image in part.images)
    yield from (
        Change(DELETE, node.name, f"delete ({node.state.value}) in {cloud}{_kept(plan, node)}") for node in part.delete if node.name not in made
    )
    for spec in part.create:
        yield _creation(plan, spec, cloud, spec.name in part.existing, spec.name in deleted)
        yield from _volumes(plan, spec, cloud)
    yield from (Change(CHANGE, node.name, f"record that cloud(s) {', '.join(plan.in_use.after)} are in use") for node in part.record)
    yield from (Change(CHANGE, volume.name, f"extend to {volume.size} GiB in {cloud}") for volume in part.resize)
    for spec in part.replace:
        why = _why(plan, spec.name)
        text = f"drain, delete and recreate in {cloud} {_what(spec)}{f': {why}' if why else ''}{_kept(plan, spec)}"
        yield Change(REPLACE, spec.name, text, why, FIRST)
    yield from (Change(DELETE, node.name, f"drain and delete in {cloud}{_kept(plan, node)}", drain=FIRST) for node in part.leave)
    yield from (Change(DELETE, what, f"delete in {cloud}") for what in part.dismantle)


def _creation(plan: Plan, spec: NodeSpec, cloud: str, exists: bool, replaces: bool) -> Change:
    sign, verb = (CHANGE, "complete") if exists else (REPLACE, "delete and recreate") if replaces else (CREATE, "create")
    return Change(sign, spec.name, f"{verb} in {cloud} {_what(spec)}{_kept(plan, spec) if sign == REPLACE else ''}")


def _what(spec: NodeSpec) -> str:
    return f"({spec.flavor}, {spec.image})"


def _volumes(plan: Plan, spec: NodeSpec, cloud: str) -> Iterator[Change]:
    """The volumes that a node gets; those that exist are attached again."""
    there = {volume.name for volume in plan.volumes.get(spec.name, ())}
    yield from (Change(CREATE, volume.name, f"create in {cloud} ({volume.size} GiB)") for volume in spec.volumes if volume.name not in there)


def _kept(plan: Plan, node: Node | NodeSpec) -> str:
    """The data of a node that is deleted, for good or to be created again."""
    return "".join(f"; {_size(volume)} is kept" for volume in plan.volumes.get(node.name, ()))


def _size(volume: Volume) -> str:
    return f"{volume.name} ({volume.size} GiB)"


def _why(plan: Plan, node: str) -> str:
    return ", ".join(drift.words for drift in plan.drift if drift.name == node and not drift.fixed)
