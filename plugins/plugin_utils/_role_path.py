# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the roles of other collections on the controller."""

from __future__ import annotations

from pathlib import Path

from ansible.utils.collection_loader._collection_finder import _get_collection_role_path


class RoleMissing(Exception):
    """A role of another collection is not installed on the controller."""


def role_path(name: str) -> Path:
    """The folder of a role.

    Args:
        name: its full name, such as ``acme.tools.jupyter``.

    Raises:
        RoleMissing: the role is not installed; the message says how to install it.
    """
    found = _get_collection_role_path(name)
    if found is None:
        collection = name.rpartition(".")[0]
        raise RoleMissing(f"role {name} is not installed on the controller: run ansible-galaxy collection install {collection}, or correct its name")
    return Path(found[1])
