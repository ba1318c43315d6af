# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What decides whether a node needs a visit: the hash of all that its roles' outcome depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._roles import EVERY_NODE, ROLES

ROLE_FOLDER = Path(__file__).parents[2] / "roles"
EVERY_NODE_VARIABLES = ("node_", "sky_volumes")


def ready_hash(roles: Iterable[str], variables: Mapping[str, Any]) -> str:
    """Hash of the roles of a node, as they stand in this collection, and of their variables.

    Args:
        roles: the node's roles.
        variables: the values, final, of the variables that :func:`is_input` names.
    """
    names = sorted({name for role in roles for name in (*ROLES[role].needs, ROLES[role].ansible_role, ROLES[role].proof)} - {""} | set(EVERY_NODE))
    content = {name: _content(ROLE_FOLDER / name) for name in names}
    text = json.dumps([content, variables], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_input(variable: str, roles: Iterable[str]) -> bool:
    """Whether the outcome of these roles depends on the variable."""
    own = any(variable.startswith(ROLES[role].variables) and not variable.startswith(ROLES[role].not_variables) for role in roles)
    return own or variable.startswith(EVERY_NODE_VARIABLES)


@cache
def _content(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
