# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ready hash of a node: a hash of everything that the result of its roles depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import EVERY_NODE, ROLES, others
from ansible_collections.sky.clusters.plugins.plugin_utils._role_path import role_path

ROLE_FOLDER = Path(__file__).parents[2] / "roles"
EVERY_NODE_VARIABLES = ("node_", "sky_volumes")  # prefixes
ADDRESSES = ("sky_address", "sky_cloud_address")


def ready_hash(roles: Iterable[str], variables: Mapping[str, Any]) -> str:
    """Hash of the roles of a node, with all their files, and of their variables.

    Args:
        roles: the node's roles.
        variables: the rendered values of the variables that :func:`is_input` accepts.
    """
    content = {name: _content(folder) for name, folder in _folders(list(roles)).items()}
    text = json.dumps([content, variables], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_input(variable: str, roles: Iterable[str]) -> bool:
    """Whether the result of these roles depends on the variable."""
    return variable in ADDRESSES or variable.startswith(EVERY_NODE_VARIABLES) or any(_is_input_of(variable, role) for role in roles)


def _is_input_of(variable: str, name: str) -> bool:
    role = ROLES.get(name)
    if role is None:  # of another collection: its variables begin with its own name
        return variable.startswith(f"{name.rpartition('.')[2]}_")
    return variable.startswith(role.variables) and not variable.startswith(role.not_variables)


def _folders(roles: list[str]) -> dict[str, Path]:
    """The folders of the Ansible roles, by name."""
    own = {*EVERY_NODE, *(step for name in roles if name in ROLES for step in ROLES[name].steps)}
    return {name: ROLE_FOLDER / name for name in sorted(own)} | {name: role_path(name) for name in sorted(others(roles))}


@cache
def _content(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
