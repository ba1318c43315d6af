# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node of a cloud into a host of the inventory: its groups and its variables.

The one function for the inventory plugin and for the nodes that a run makes, so that a host is the same wherever it comes from. All values are plain
types, and few: every kilobyte here is paid for at every task.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ._cloud import Listing, Node, State, Volume, volume_label
from ._cluster import Cluster
from ._gateway import Gateway, behind, gateway, host_key_options
from ._roles import ROLES

BOOTING_GROUP = "sky_booting"  # exists, and is not yet, or no longer, to be spoken to
CONNECTION = (
    "-o ControlMaster=auto",
    "-o ControlPersist=120s",
    "-o ConnectTimeout=10",
    "-o ServerAliveInterval=15",
    "-o ServerAliveCountMax=4",
)


@dataclass(frozen=True)
class Host:
    """One host of the inventory."""

    name: str
    groups: tuple[str, ...]
    variables: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        return {"name": self.name, "groups": list(self.groups), "variables": self.variables}


def hosts(listing: Listing, cloud: str, cluster: Cluster) -> list[Host]:
    """The hosts that the nodes of a cloud are.

    Args:
        cloud: its name.
        cluster: the cluster file; a node of a pool that it no longer has can leave, and nothing else.
    """
    way = gateway(listing.nodes, cluster.clouds[cloud].options) if cloud in cluster.clouds else None
    return [host(node, cloud, cluster, listing.volumes, way) for node in listing.nodes]


def host(node: Node, cloud: str, cluster: Cluster, volumes: Iterable[Volume] = (), way: Gateway | None = None) -> Host:
    """The host that a node is.

    Args:
        cloud: name of the cloud that it is in.
        volumes: volumes of the same cloud.
        way: the node that those without an address outside are reached through.
    """
    return Host(node.name, groups_of(node, cloud, cluster), _identity(node, cloud, cluster, volumes) | _connection(node, cloud, cluster, way))


def role_groups(cluster: Cluster) -> list[str]:
    """Every group that a play may name, so that each exists even while it is empty."""
    pools = [f"pool_{name}" for name in cluster.pools]
    clouds = [f"cloud_{name}" for name in cluster.clouds]
    free = sorted({group for pool in cluster.pools.values() for group in pool.groups})
    return [*ROLES, *pools, *clouds, *free, BOOTING_GROUP, "sky_visit", "sky_former", "sky_leaving"]


def groups_of(node: Node, cloud: str, cluster: Cluster) -> tuple[str, ...]:
    """Inventory groups of a node; one that does not run is in none that a play would visit."""
    if node.state is not State.RUNNING:
        return (BOOTING_GROUP,)
    pool = cluster.pools.get(node.mark.pool)
    return (f"pool_{node.mark.pool}", f"cloud_{cloud}", *((*pool.roles, *pool.groups) if pool else ()))


def _identity(node: Node, cloud: str, cluster: Cluster, volumes: Iterable[Volume]) -> dict[str, Any]:
    pool = cluster.pools.get(node.mark.pool)
    # Of a pool that the file no longer has the roles are not known: its nodes leave by the leave tasks of all, which pass over what is not there.
    roles = list(pool.roles) if pool else [name for name, role in ROLES.items() if role.leaves]
    return {
        "sky_cloud": cloud,
        "sky_pool": node.mark.pool,
        "sky_index": node.mark.index,
        "sky_id": node.id,
        "sky_state": node.state.value,
        "sky_ready": node.ready,
        "sky_address": node.address() or node.address(public=True),
        "sky_addresses": [asdict(address) for address in node.addresses],
        "sky_cores": node.cores,
        "sky_memory": node.memory,
        "sky_roles": roles,
        "sky_leave_roles": [role.ansible_role for name, role in reversed(list(ROLES.items())) if name in roles and role.leaves],
        "sky_volumes": _volumes(node, cluster, volumes),
    }


def _volumes(node: Node, cluster: Cluster, volumes: Iterable[Volume]) -> list[dict[str, Any]]:
    pool = cluster.pools.get(node.mark.pool)
    devices = {volume.name: volume.device for volume in volumes if volume.attached == node.name}
    found = []
    for name, wanted in (pool.volumes if pool else {}).items():
        full = node.mark.volume_name(name)
        found.append(
            {
                "name": name,
                "size": wanted.size,
                "fs": wanted.fs,
                "mount": wanted.mount or f"/data/{name}",
                "device": devices.get(full, ""),
                "label": volume_label(node.mark.owner, node.mark.cluster, full),
            }
        )
    return found


def _connection(node: Node, cloud: str, cluster: Cluster, way: Gateway | None) -> dict[str, Any]:
    """How to reach a node: fast, and with its host key verified, without any configuration of the user's."""
    user = _user(cloud, cluster)
    through = [way.proxy_option()] if way and behind(node, way) else []
    variables = {
        "ansible_host": node.address(public=True) or node.address(),
        "ansible_user": user,
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_pipelining": True,
        "ansible_ssh_args": " ".join(CONNECTION),
        "ansible_ssh_common_args": " ".join([*host_key_options(node), *through]),
    }
    return variables if user == "root" else variables | {"ansible_become": True}


def _user(cloud: str, cluster: Cluster) -> str:
    return str(cluster.clouds[cloud].options.ssh_user) if cloud in cluster.clouds else "root"
