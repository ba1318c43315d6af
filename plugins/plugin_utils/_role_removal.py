# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that remove a role from a node: task files of Ansible roles, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import EVERY_NODE, REMOVABLE, ROLES, heads
from ansible_collections.sky.clusters.plugins.plugin_utils._ready_hash import ROLE_FOLDER

Step = dict[str, Any]


def removal(former: Iterable[str], roles: Iterable[str]) -> list[Step]:
    """The steps that remove former roles from a node, each an Ansible role, one of its task files, and whether it waits for other nodes.

    They wait from the first one on that stops the head of a system: its members, on other nodes, may have to hand over their work first.

    Args:
        former: the roles to remove, in the reverse order of the table, since a role may use those before it.
        roles: the roles that the node keeps, with all roles that they need.
    """
    given, kept = set(former), set(roles)
    going = [REMOVABLE[name] for name in reversed(list(REMOVABLE)) if name in given - kept]
    needed = {step for name in kept if name in ROLES for step in ROLES[name].steps} | set(EVERY_NODE)
    names = [role.own for role in going if role.own not in needed]
    names += [step for role in going for step in reversed(role.steps[:-1]) if step not in needed]
    own_of_heads = {REMOVABLE[name].own for name in heads(given)}
    steps = [step for name in dict.fromkeys(names) for step in _steps(name)]
    first = next((place for place, step in enumerate(steps) if step["role"] in own_of_heads), len(steps))
    return [step | {"waits": place >= first} for place, step in enumerate(steps)]


def removed(steps: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, list[str]]:
    """The Ansible roles that such steps remove, by node."""
    return {name: [step["role"] for step in each if step["tasks"] == "remove"] for name, each in steps.items()}


def drained(steps: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[str]:
    """The nodes whose work ends or goes elsewhere before such steps remove a role."""
    return [name for name, each in steps.items() if any(step["tasks"] == "leave" for step in each)]


def _steps(name: str) -> Iterator[Step]:
    """First `leave`, which may wait for running work, then `remove`."""
    for tasks in ("leave", "remove"):
        if (ROLE_FOLDER / name / "tasks" / f"{tasks}.yml").is_file():
            yield {"role": name, "tasks": tasks}
