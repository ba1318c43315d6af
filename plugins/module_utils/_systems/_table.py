# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of systems, in the order in which a run sets them up; and what follows from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ._cephfs import CEPHFS
from ._hdfs import HDFS
from ._load_balancer import LOAD_BALANCER
from ._nfs import NFS
from ._overlay import OVERLAY
from ._spark import SPARK
from ._system import Role, System
from ._torque import TORQUE
from ._yarn import YARN

SYSTEMS: Mapping[str, System] = {system.name: system for system in (OVERLAY, HDFS, YARN, NFS, CEPHFS, SPARK, TORQUE, LOAD_BALANCER)}
ROLES: Mapping[str, Role] = {name: role for system in SYSTEMS.values() for name, role in system.roles.items()}
EVERY_NODE = ("node",)  # Ansible roles that every node gets, first
NETWORKED = tuple(system.every_node for system in SYSTEMS.values() if system.every_node)  # what nodes of a cluster with a network of its own get

# What is taken from a node that should not have it any more: roles of pools, and what every node has while the cluster has a network of its own
REMOVABLE: Mapping[str, Role] = {**ROLES} | {system.name: system.every_node for system in SYSTEMS.values() if system.every_node}


def systems_of(roles: Iterable[str]) -> list[System]:
    """The systems of these roles, in the order of the table."""
    wanted = set(roles)
    return [system for system in SYSTEMS.values() if wanted & system.roles.keys()]


def heads(roles: Iterable[str]) -> list[str]:
    """Those of these roles that are heads."""
    wanted = set(roles)
    return [system.head for system in SYSTEMS.values() if system.head in wanted]


def head_nodes(nodes: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """The head of each system, by the role that makes it one: the first such node, while a file that has two is being corrected.

    Args:
        nodes: names and roles, in the order of their indices.
    """
    found: dict[str, str] = {}
    for name, roles in nodes:
        for role in heads(roles):
            found.setdefault(role, name)
    return found


def others(roles: Iterable[str]) -> list[str]:
    """Those of these roles that belong to other collections, by their full names; they are applied after all systems."""
    return [role for role in roles if role not in ROLES]


def drains(roles: Iterable[str]) -> list[str]:
    """The Ansible roles that drain a node of these roles: the last system first, and its members before its head."""
    wanted = set(roles)
    upwards = [item for system in SYSTEMS.values() for item in system.roles.items()][::-1]
    return [role.own for name, role in upwards if name in wanted and role.drains]


def drains_before_restart(roles: Iterable[str]) -> list[str]:
    """Those of these roles that drain a node before they restart a daemon there."""
    return [role for role in roles if role in ROLES and ROLES[role].restart_drains]


def disposable(roles: Iterable[str], volumes: Collection[str]) -> bool:
    """Whether a new node does all that a node of these roles, with volumes of these names, does. Unknown (false) for a node without a role."""
    known = [ROLES.get(role) for role in roles]
    return bool(known) and all(role is not None and role.disposable(volumes) for role in known)


def group(role: str) -> str:
    """The inventory group of the nodes of a role."""
    return role.replace(".", "_")
