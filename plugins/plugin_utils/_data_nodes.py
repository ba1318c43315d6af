# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node that copies files from and to a place that jobs use. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES


@dataclass(frozen=True)
class Holder:
    """What a running node has of the places that jobs use."""

    roles: tuple[str, ...]
    mounts: tuple[str, ...] = ()  # of data volumes and of folders of stores outside of the cluster
    is_head: bool = False


def data_node(url: str, nodes: Mapping[str, Holder]) -> str:
    """The name of the node for a URL; empty if no node can serve.

    A file system with a scheme of its own is known to the nodes of certain roles, those of the earlier systems first. For all others, such as
    folders, it is the node where the deepest mount contains the path, and among equals the first head, then the first node.
    """
    scheme, _sign, path = url.partition("://")
    known = [name for name, role in ROLES.items() if scheme in role.stores]
    if known:
        return next((name for role in known for name, node in nodes.items() if role in node.roles), "")
    return min(nodes, key=lambda name: (-_depth(path, nodes[name].mounts), not nodes[name].is_head), default="")


def _depth(path: str, mounts: Iterable[str]) -> int:
    """How long the mount is that contains a path; 0 if none does."""
    return max((len(mount) for mount in mounts if f"{path}/".startswith(f"{mount.rstrip('/')}/")), default=0)
