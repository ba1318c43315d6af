# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the running inventory, which may be outdated, with the current nodes in the clouds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Listing, State
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import Host, hosts
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

CHANGING = ("sky_id", "sky_state", "sky_ready", "sky_address", "sky_volumes")  # variables that change during the life of a node


def differing(
    listings: Mapping[str, Listing], cluster: Cluster, hostvars: Any, names: Collection[str], changed: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The hosts of nodes that the running inventory lacks, or has with other variables.

    Args:
        hostvars: Ansible's variables of all hosts.
        names: nodes to compare.
        changed: nodes that are known to have changed.
    """
    all_hosts = [host for cloud, listing in listings.items() for host in hosts(listing, cloud, cluster) if host.name in names]
    found = [host for host in all_hosts if host.name in changed or not _known(host, hostvars)]
    return [dict(untemplated(host.plain())) for host in sorted(found, key=lambda host: host.name)]


def running(listings: Mapping[str, Listing]) -> set[str]:
    """The names of the running nodes."""
    return {node.name for listing in listings.values() for node in listing.nodes if node.state is State.RUNNING}


def others(names: Collection[str], hostvars: Any) -> list[str]:
    """Nodes of the running inventory other than these."""
    return sorted(name for name in {*hostvars} - {*names} if "sky_pool" in hostvars.raw_get(name))


def _known(host: Host, hostvars: Any) -> bool:
    """Compares unrendered variables: rendering those of a thousand nodes would take seconds."""
    if host.name not in hostvars:
        return False
    known = hostvars.raw_get(host.name)
    return all(known.get(key) == host.variables[key] for key in CHANGING)
