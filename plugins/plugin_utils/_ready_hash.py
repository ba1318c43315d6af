# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ready hash of a node: a hash of everything that the result of its roles depends on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import EVERY_NODE, ROLES, others
from ansible_collections.sky.clusters.plugins.plugin_utils._role_path import role_path

ROOT = Path(__file__).parents[2]
ROLE_FOLDER = ROOT / "roles"
OWN_NAME = re.compile(rb"\bsky\.clusters\.(\w+)")
EVERY_NODE_VARIABLES = ("node_", "sky_volumes")  # prefixes
ADDRESSES = ("sky_address", "sky_cloud_address")


def ready_hash(roles: Iterable[str], variables: Mapping[str, Any]) -> str:
    """Hash of the roles of a node, with all their files, and of their variables.

    Args:
        roles: the node's roles.
        variables: the rendered values of the variables that :func:`is_input` accepts.
    """
    content = {name: _content(path) for name, path in _everything(_folders(list(roles))).items()}
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


def _everything(roles: Mapping[str, Path]) -> dict[str, Path]:
    """The roles, and the roles and plugins of this collection that their files name, and so on."""
    found: dict[str, Path] = {}
    waiting = dict(roles)
    while waiting:
        name, path = waiting.popitem()
        found[name] = path
        waiting |= {other: place for other in _named(path) for other, place in _places(other).items() if other not in found}
    return found


@cache  # asked for every node: a thousand would take a second
def _places(name: str) -> Mapping[str, Path]:
    """The role and the plugins of that name."""
    plugins = {f"{path.parent.name}/{name}": path for path in (ROOT / "plugins").glob(f"[!_]*/{name}.py")}
    role = ROLE_FOLDER / name
    return plugins | ({name: role} if role.is_dir() else {})


@cache
def _named(folder: Path) -> frozenset[str]:
    """Names of this collection in the files of a role, its documentation aside. What a plugin imports is not followed."""
    files = [path for path in _files(folder) if "meta" not in path.parts] if folder.is_dir() else []
    return frozenset(name.decode() for path in files for name in OWN_NAME.findall(path.read_bytes()))


def _files(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.is_file() and path.suffix != ".md") if place.is_dir() else [place]


@cache
def _content(place: Path) -> str:
    digest = hashlib.sha256()
    for path in _files(place):
        digest.update(str(path.relative_to(place)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
