# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node of a cloud into a host of the inventory: its groups and its variables.

The one function for the inventory plugin and for the nodes that a run makes, so that a host is the same wherever it comes from. All values are plain
types, and few: every kilobyte here is paid for at every task.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._clouds._contract import Listing, Node, State, Volume, volume_label
from .._cluster_file._cluster import Cluster
from .._engine._gateway import PORT, Gateway, behind, gateway, ssh_options
from .._systems._table import ROLES, drains, group, heads, others, systems_of
from ._network import address as service_address
from ._network import serving_pool, settings

HEADS = "sky_heads"  # heads of systems
OTHERS = "sky_others"  # nodes with roles of other collections
BOOTING_GROUP = "sky_booting"  # exists, but cannot be reached yet, or no longer
UNLISTED_GROUP = "sky_unlisted"  # in the inventory as it was read, and not in the clouds when the run began
GONE_GROUP = "sky_gone"  # the same once the nodes are what the file says
LEAVING_GROUP = "sky_leaving"  # is deleted at the end of this run
FORMER_GROUP = "sky_former_"  # with the name of a role: its pool has lost the role, which is removed from it in this run
SHARED = ("-o ControlMaster=auto", "-o ControlPersist=120s")
CONNECTION = (
    "-o ConnectTimeout=10",
    "-o ServerAliveInterval=15",
    "-o ServerAliveCountMax=4",
)
# What a variable of group `all` or a setting of Ansible's would change otherwise. Where Ansible knows two names, the second takes precedence.
PINNED: dict[str, Any] = {
    "ansible_connection": "ssh",
    "ansible_port": PORT,
    "ansible_ssh_port": PORT,
    "ansible_host_key_checking": True,
    "ansible_ssh_host_key_checking": True,
    "ansible_python_interpreter": "/usr/bin/python3",
    "ansible_pipelining": True,
    "ansible_ssh_pipelining": True,
    "ansible_shell_type": "sh",
    "ansible_shell_executable": "/bin/sh",
    "ansible_remote_tmp": "~/.ansible/tmp",
    "ansible_become_user": "root",
    "ansible_become_method": "sudo",
    "ansible_become_exe": "sudo",
    "ansible_become_flags": "-H -S -n",
}


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
    way = gateway(listing.nodes, cluster.clouds[cloud].options, cluster.login) if cloud in cluster.clouds else None
    return [host(node, cloud, cluster, listing.volumes, way) for node in listing.nodes]


def host(node: Node, cloud: str, cluster: Cluster, volumes: Iterable[Volume] = (), way: Gateway | None = None) -> Host:
    """The host that a node is.

    Args:
        cloud: name of the cloud that it is in.
        volumes: volumes of the same cloud.
        way: the node that those without an address outside are reached through.
    """
    return Host(node.name, groups_of(node, cloud, cluster), _identity(node, cloud, cluster, volumes) | _connection(node, cloud, cluster, way))


def hosts_to_be(coming: Mapping[str, tuple[str, Node]], cluster: Cluster) -> list[dict[str, Any]]:
    """The hosts that nodes of a plan will be, each with its name, groups and variables. How they are reached is not known yet.

    Args:
        coming: by name, the cloud and the node.
    """
    return [
        {"name": name, "groups": list(groups_of(node, cloud, cluster)), "variables": _identity(node, cloud, cluster, ())}
        for name, (cloud, node) in coming.items()
    ]


def role_groups(cluster: Cluster) -> list[str]:
    """Every group that a play may name, so that each exists even while it is empty."""
    pools = [f"pool_{name}" for name in cluster.pools]
    clouds = [f"cloud_{name}" for name in cluster.clouds]
    free = sorted({group for pool in cluster.pools.values() for group in pool.groups})
    foreign = sorted({group(role) for pool in cluster.pools.values() for role in others(pool.roles)})
    changing = [BOOTING_GROUP, UNLISTED_GROUP, GONE_GROUP, "sky_visit", "sky_former", LEAVING_GROUP, "sky_replacing"]
    return [*ROLES, *foreign, HEADS, OTHERS, *pools, *clouds, *free, *changing]


def groups_of(node: Node, cloud: str, cluster: Cluster) -> tuple[str, ...]:
    """Inventory groups of a node; one that does not run is in none that a play would visit."""
    if node.state is not State.RUNNING:
        return (BOOTING_GROUP,)
    own = (f"pool_{node.mark.pool}", f"cloud_{cloud}")
    pool = cluster.pools.get(node.mark.pool)
    if pool is None:
        return own
    asked = bool(heads(pool.roles)) or serves_list(node, cluster)
    of_roles = (*map(group, pool.roles), *[HEADS] * asked, *[OTHERS] * bool(others(pool.roles)))
    return (*own, *of_roles, *pool.groups)


def serves_list(node: Node, cluster: Cluster) -> bool:
    """Whether a node serves the list of all nodes to the others."""
    return cluster.networked and node.mark.index == 0 and node.mark.pool == serving_pool(cluster)


def _identity(node: Node, cloud: str, cluster: Cluster, volumes: Iterable[Volume]) -> dict[str, Any]:
    pool = cluster.pools.get(node.mark.pool)
    # Of a pool that the file no longer has the roles are not known: its nodes leave by the leave tasks of all, which pass over what is not there.
    roles = list(pool.roles) if pool else list(ROLES)
    headed = [system for system in systems_of(roles) if system.head in roles] if pool else []
    address = node.address() or node.address(public=True)
    return {
        "sky_cloud": cloud,
        "sky_pool": node.mark.pool,
        "sky_index": node.mark.index,
        "sky_id": node.id,
        "sky_state": node.state.value,
        "sky_ready": node.ready,
        "sky_address": service_address(cluster, node.number, address),
        "sky_cloud_address": address,
        "sky_addresses": [asdict(address) for address in node.addresses],
        "sky_number": node.number,
        "sky_network": settings(cluster, node.mark.pool, node.name),
        "sky_serves": serves_list(node, cluster),
        "sky_lent": node.lent,
        "sky_cores": node.cores,
        "sky_memory": node.memory,
        "sky_roles": roles,
        "sky_other_roles": others(roles),
        "sky_headed": [system.name for system in headed],
        "sky_proofs": {system.name: system.proof for system in headed if system.proof},
        "sky_leave_roles": drains(roles),
        "sky_fronts": cluster.settings.fronts(node.mark.pool),
        "sky_balances": cluster.settings.balances(cluster.name, pool.roles if pool else ()),
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
                **{key: value for key in ("owner", "group", "mode") if (value := getattr(wanted, key))},
            }
        )
    return found


def _connection(node: Node, cloud: str, cluster: Cluster, way: Gateway | None) -> dict[str, Any]:
    """How to reach a node: fast, and with its host key verified, whatever the user has configured for other hosts."""
    user = _user(cloud, cluster)
    address = node.address(public=True) or node.address()
    through = way if way and behind(node, way) else None
    proxy = [through.proxy_option()] if through else []
    return {
        **PINNED,
        "ansible_host": address,
        **dict.fromkeys(("ansible_port", "ansible_ssh_port"), node.port or PORT),
        "ansible_user": user,  # under this name alone, so that a play can use another user
        "ansible_become": user != "root",
        "ansible_ssh_common_args": " ".join([*ssh_options(node, cluster.login), *proxy]),
        **_shared(cluster.login.folder, node.id, f"{address} {node.port}" if node.port else str(address), user, through.node.id if through else ""),
    }


def _shared(folder: str, *ends: str) -> dict[str, Any]:
    """Tasks share one connection to a node. Its socket is named by the node's id: another node may have the same address the next minute."""
    if not folder:
        return {"ansible_ssh_args": " ".join(["-o ControlPath=none", *CONNECTION])}
    return {
        "ansible_ssh_args": " ".join([*SHARED, *CONNECTION]),
        "ansible_control_path_dir": folder,
        "ansible_control_path": "%(directory)s/" + hashlib.sha256("\0".join(ends).encode()).hexdigest()[:16],
    }


def _user(cloud: str, cluster: Cluster) -> str:
    return str(cluster.clouds[cloud].options.ssh_user) if cloud in cluster.clouds else "root"
