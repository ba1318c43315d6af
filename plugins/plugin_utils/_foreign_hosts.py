# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find hosts of other inventories in the groups of roles: those must be nodes. In groups of their own they harm nothing. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES, group, others
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import HEADS, OTHERS

VARIABLE = "sky_address"  # every node has it


def foreign_hosts(groups: Mapping[str, Any], cluster: str, pools: Mapping[str, Mapping[str, Any]], counts: Mapping[str, Any]) -> Iterator[str]:
    """One sentence for each host that is in a group of a role and neither is a node of the cluster nor becomes one in this run.

    Args:
        groups: those of the inventory, by name.
        pools: those of the file.
        counts: of pools, instead of those in the file.
    """
    sizes = {name: counts.get(name, pool.get("count")) for name, pool in pools.items()}
    planned = {f"{cluster}-{name}-{index}" for name, size in sizes.items() if isinstance(size, int) for index in range(size)}
    roles = [*ROLES, *(group(role) for pool in pools.values() for role in others(pool.get("roles") or [])), HEADS, OTHERS]
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(roles):
        for host in groups[name].get_hosts() if name in groups else ():
            if VARIABLE not in host.vars and host.name not in planned:
                found.setdefault(str(host.name), []).append(name)
    for host, names in found.items():
        kind = "group" if len(names) == 1 else "groups"
        yield f"{host}: is in the {kind} {', '.join(names)}, whose hosts must be nodes of this cluster, and is none; put it into another group"
