# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The details of a plan, which ``--diff`` shows: what each node and volume is before and after the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .._clouds._contract import Node, NodeSpec, Volume, VolumeSpec
from .._engine._plan_model import CloudPlan, Plan

Facts = Mapping[str, str]


def details(plan: Plan, data: bool = False) -> list[dict[str, str]]:
    """A difference for each node and volume, as Ansible shows them.

    Args:
        data: whether the data volumes of the cluster are deleted, too.
    """
    found = [difference for cloud, part in plan.clouds.items() for difference in _of_cloud(plan, cloud, part)]
    found += [_difference(volume.name, _size(volume), {}) for volumes in plan.kept_volumes.values() for volume in volumes if data]
    return [difference for difference in found if difference["before"] != difference["after"]]


def _of_cloud(plan: Plan, cloud: str, part: CloudPlan) -> Iterator[dict[str, str]]:
    standing = {node.name: node for node in (*part.keep, *part.delete)}
    for spec in (*part.create, *part.replace):
        kept = {volume.name: volume for volume in plan.volumes.get(spec.name, ())}
        before = _of_node(standing[spec.name], cloud) | _volumes(kept.values()) if spec.name in standing else {}
        have, want = _drift(plan, spec.name)
        if spec.name in part.existing:  # it is started, or gets what it lacks
            yield _difference(spec.name, _volumes(kept.values()), _volumes(spec.volumes))
        else:
            yield _difference(spec.name, before | (have if before else {}), _of_spec(spec, cloud, kept) | (want if before else {}))
    made = {spec.name for spec in part.create}
    for node in part.delete:  # those that leave are deleted by a task of its own
        if node.name not in made:
            yield _difference(node.name, _of_node(node, cloud), {})  # without its volumes, which are kept
    known = {volume.name: volume for volumes in plan.volumes.values() for volume in volumes}
    yield from (_difference(volume.name, _size(known[volume.name]), _size(volume)) for volume in part.resize if volume.name in known)


def _of_node(node: Node, cloud: str) -> dict[str, str]:
    known = {"cloud": cloud, "flavor": node.flavor, "image": node.image}
    return {name: value for name, value in known.items() if value}


def _of_spec(spec: NodeSpec, cloud: str, kept: Mapping[str, Volume]) -> dict[str, str]:
    """Volumes that exist are attached again, also those that the file no longer has."""
    return {"cloud": cloud, "flavor": spec.flavor, "image": spec.image} | _volumes(kept.values()) | _volumes(spec.volumes)


def _volumes(volumes: Iterable[Volume | VolumeSpec]) -> dict[str, str]:
    return {f"volume {volume.name}": f"{volume.size} GiB" for volume in volumes}


def _size(volume: Volume | VolumeSpec) -> dict[str, str]:
    return {"size": f"{volume.size} GiB"}


def _drift(plan: Plan, node: str) -> tuple[dict[str, str], dict[str, str]]:
    """What a new node of this name changes beside flavor and image."""
    found = [drift for drift in plan.drift if drift.name == node and not drift.fixed]
    return {drift.field: drift.have for drift in found}, {drift.field: drift.want for drift in found}


def _difference(name: str, before: Facts, after: Facts) -> dict[str, str]:
    return {"before_header": name, "after_header": name, "before": _text(before), "after": _text(after)}


def _text(facts: Facts) -> str:
    return "".join(f"{name}: {value}\n" for name, value in facts.items())
