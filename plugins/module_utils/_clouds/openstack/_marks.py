# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mark as each kind of OpenStack object holds it, and the names that follow from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .._contract import MARK_VERSION, CloudError, Scope

# Metadata of a server.
MARK, READY, CLOUDS, HOST_KEY, IMAGE, FLAVOR, PUBLIC = "sky", "sky_ready", "sky_clouds", "sky_host_key", "sky_image", "sky_flavor", "sky_public"
MADE = "sky_made"  # what no list tells of a server, of that which it was made from
CLUSTER = "sky_cluster"  # metadata of a volume: what its list is filtered by
LONGEST = 255  # characters of one value of metadata
PARTS = 8  # of the list of clouds, each under a key of its own


def tag(cluster: str) -> str:
    """What servers of a cluster are listed by, whoever owns them."""
    return f"sky:{cluster}"


def description(scope: Scope, owner: str) -> str:
    """The mark of what belongs to a cluster as a whole, and of ports and addresses, whose name or port says which node's they are."""
    return f"sky/{MARK_VERSION} {owner} {scope.cluster}"


def shared_name(cluster: str) -> str:
    """Name of what a cluster has one of: its security group, network, subnet, router."""
    return f"sky-{cluster}"


def owned_name(cluster: str, owner: str) -> str:
    """Prefix of the names of objects that can hold no mark (server groups, key pairs), so that two owners' clusters of one name share none."""
    return f"{shared_name(cluster)}-{hashlib.sha256(owner.encode()).hexdigest()[:8]}"


def node_names(cluster: str) -> str:
    """Regular expression that matches the names of a cluster's nodes, and of no other cluster's."""
    return rf"^{re.escape(cluster)}-[a-z][a-z0-9]*-[0-9]+$"


def written_clouds(clouds: Sequence[str]) -> dict[str, str]:
    """The clouds in use as metadata: spread over as many values as they need, the others empty."""
    parts = [""] * PARTS
    place = 0
    for cloud in clouds:
        longer = f"{parts[place]} {cloud}".strip()
        if len(longer) > LONGEST:
            place, longer = place + 1, cloud
            if place == PARTS:
                raise CloudError(f"the names of {len(clouds)} clouds do not fit into the metadata of a server")
        parts[place] = longer
    return {_part(place): text for place, text in enumerate(parts) if text or place == 0}


def read_clouds(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(cloud for place in range(PARTS) for cloud in str(metadata.get(_part(place), "")).split())


def _part(place: int) -> str:
    return CLOUDS if place == 0 else f"{CLOUDS}_{place}"
