# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server groups: one for each pool whose nodes are to stand on unlike hosts."""

from __future__ import annotations

import re

from . import _marks
from ._api import COMPUTE, Api

POLICY = "soft-anti-affinity"  # a pool that is larger than the cloud has hosts is made all the same


def ensure(api: Api, cluster: str, pool: str) -> str:
    """Identifier of the server group of a pool, made if it is not there."""
    name = f"{_marks.shared_name(cluster)}-{pool}"
    known = ours(api, cluster)
    if name in known:
        return known[name]
    return str(api.post(COMPUTE, "/os-server-groups", {"server_group": {"name": name, "policies": [POLICY]}})["server_group"]["id"])


def ours(api: Api, cluster: str) -> dict[str, str]:
    """Identifiers of the cluster's server groups, by name."""
    pattern = rf"{re.escape(_marks.shared_name(cluster))}-[a-z][a-z0-9]*"
    groups = api.all(COMPUTE, "/os-server-groups", "server_groups")
    return {str(group["name"]): str(group["id"]) for group in groups if re.fullmatch(pattern, str(group["name"]))}


def delete(api: Api, identifier: str) -> None:
    api.delete(COMPUTE, f"/os-server-groups/{identifier}")
