# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would do, as data and as the lines of a plan: ``+`` creates, ``~`` changes, ``-`` deletes, ``-/+`` replaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .._clouds._contract import Node, NodeSpec, Volume
from .._engine._plan_model import CloudPlan, Plan

CREATE, CHANGE, DELETE, REPLACE = "+", "~", "-", "-/+"
TOTALS = {CREATE: "to create", CHANGE: "to change", REPLACE: "to replace", DELETE: "to delete"}
UNCHANGED = "all nodes match the cluster file"
ADD = "configure: add"  # goes on with the roles
VISIT = "configure: its settings, its software, or the nodes that it works with have changed"


@dataclass(frozen=True)
class Change:
    """One thing that a run would do."""

    sign: str
    name: str  # of a node, a volume, an image or a cloud
    text: str

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
    yield from (Change(CREATE, f"image {image}", f"fetch or build in {cloud}, before its first node") for image in part.images)
    yield from (
        Change(DELETE, node.name, f"delete ({node.state.value}) in {cloud}{_kept(plan, node)}") for node in part.delete if node.name not in made
    )
    for spec in part.create:
        yield _creation(spec, cloud, spec.name in part.existing, spec.name in deleted)
        yield from _volumes(plan, spec, cloud)
    yield from (Change(CHANGE, node.name, f"record that cloud(s) {', '.join(plan.in_use.after)} are in use") for node in part.record)
    yield from (Change(CHANGE, volume.name, f"extend to {volume.size} GiB in {cloud}") for volume in part.resize)
    for spec in part.replace:
        yield Change(REPLACE, spec.name, f"drain, delete and recreate in {cloud} {_what(spec)}{_why(plan, spec.name)}")
    yield from (Change(DELETE, node.name, f"drain and delete in {cloud}{_kept(plan, node)}") for node in part.leave)


def _creation(spec: NodeSpec, cloud: str, exists: bool, replaces: bool) -> Change:
    sign, verb = (CHANGE, "complete") if exists else (REPLACE, "delete and recreate") if replaces else (CREATE, "create")
    return Change(sign, spec.name, f"{verb} in {cloud} {_what(spec)}")


def _what(spec: NodeSpec) -> str:
    return f"({spec.flavor}, {spec.image})"


def _volumes(plan: Plan, spec: NodeSpec, cloud: str) -> Iterator[Change]:
    """The volumes that a node gets; those that exist are attached again."""
    there = {volume.name for volume in plan.volumes.get(spec.name, ())}
    yield from (Change(CREATE, volume.name, f"create in {cloud} ({volume.size} GiB)") for volume in spec.volumes if volume.name not in there)


def _kept(plan: Plan, node: Node) -> str:
    return "".join(f"; {_size(volume)} is kept" for volume in plan.volumes.get(node.name, ()))


def _size(volume: Volume) -> str:
    return f"{volume.name} ({volume.size} GiB)"


def _why(plan: Plan, node: str) -> str:
    words = ", ".join(drift.words for drift in plan.drift if drift.name == node and not drift.fixed)
    return f": {words}" if words else ""


def plan_lines(
    found: Iterable[Mapping[str, Any]],
    visits: Iterable[str] = (),
    removals: Mapping[str, list[str]] | None = None,
    additions: Mapping[str, list[str]] | None = None,
) -> list[str]:
    """The lines of a plan with its total; none if there is nothing to do.

    Args:
        found: changes as plain data, which may come from a result of a module.
        visits: nodes that would be configured; new ones among them are not named again.
        removals: Ansible roles that would be removed, by node.
        additions: roles that a standing node would get, by node.
    """
    rows = [(change["sign"], change["name"], change["text"]) for change in found]
    named = {name for _sign, name, _text in rows}
    rows += [(CHANGE, name, f"remove {', '.join(roles)}{_added(name, additions)}") for name, roles in (removals or {}).items()]
    others = [name for name in visits if name not in named and name not in (removals or {})]
    rows += [(CHANGE, name, f"{ADD} {', '.join(additions[name])}" if additions and name in additions else VISIT) for name in others]
    if not rows:
        return []
    wide, wider = (max(len(row[column]) for row in rows) for column in (0, 1))
    totals = [(sum(row[0] == sign for row in rows), words) for sign, words in TOTALS.items()]
    return [
        *(f"{sign:<{wide}} {name:<{wider}}  {text}" for sign, name, text in rows),
        f"plan: {', '.join(f'{number} {words}' for number, words in totals if number)}",
    ]


def _added(name: str, additions: Mapping[str, list[str]] | None) -> str:
    return f"; add {', '.join(additions[name])}" if additions and name in additions else ""
