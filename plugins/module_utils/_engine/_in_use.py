# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clouds that hold something of a cluster. Its server nodes name them, so that one that is dropped from the file is missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .._clouds._contract import Listing, Node
from .._cluster_file._cluster import Cluster
from .._systems._table import heads


@dataclass(frozen=True)
class InUse:
    """What the server nodes are to name."""

    meanwhile: tuple[str, ...] = ()  # during the run: the clouds in use before it and those in use after it
    after: tuple[str, ...] = ()


def serves(cluster: Cluster, pool: str) -> bool:
    """Whether the nodes of a pool are those that name the clouds: they have a server role."""
    return pool in cluster.pools and bool(heads(cluster.pools[pool].roles))


def server_nodes(cluster: Cluster, listing: Listing) -> list[Node]:
    return [node for node in listing.nodes if serves(cluster, node.mark.pool)]


def recorded(existing: Mapping[str, Listing]) -> set[str]:
    """The clouds that any node names, whatever its pool is now."""
    return {cloud for listing in existing.values() for node in listing.nodes for cloud in node.clouds}


def dropped(existing: Mapping[str, Listing]) -> list[str]:
    """Clouds in use that the file no longer has: what they hold would remain, unseen."""
    return sorted(recorded(existing) - existing.keys())


def refusal(cluster: str, cloud: str, way: str) -> str:
    """Why nothing may be done while a cloud is dropped.

    Args:
        way: what to do when it is back in the file.
    """
    return (
        f"cloud {cloud} is not in the file but is in use by cluster {cluster}: put it back {way}, "
        f"or set -e sky_confirm={cluster} to stop managing it; its resources stay, untracked"
    )


def forgotten(cloud: str) -> str:
    """The note after such a confirmation."""
    return f"cloud {cloud} is not in the file and is no longer managed: its resources stay, untracked"
