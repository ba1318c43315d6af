# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node can do: the collection's own table of roles.

A new kind of cluster is a playbook, its Ansible roles, and their lines here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """One role of a node, which is also its inventory group."""

    ansible_role: str  # the Ansible role behind it
    variables: tuple[str, ...]  # prefixes of the variables that its outcome depends on
    not_variables: tuple[str, ...] = ()  # prefixes among them that are other roles' own
    needs: tuple[str, ...] = ()  # Ansible roles that are applied before it
    server: bool = False  # keeps the cluster's secrets; its first node is the server node
    leaves: bool = False  # the Ansible role has `leave` tasks that drain a node
    disposable: bool = False  # a new node does all that a lost one did: what it held stands elsewhere, or is made again, or is on its kept volumes
    services: tuple[str, ...] = ()  # systemd units that run on a node which is well
    ports: tuple[str, ...] = ()  # variables of its Ansible roles: the TCP ports that are open on its nodes at rest, and no others beside ssh
    follows: str = ""  # the server role whose first node it is told of: with another node there, it is visited again


EVERY_NODE = ("node",)  # Ansible roles that every node gets

ROLES: Mapping[str, Role] = {
    "spark_master": Role(
        "spark_master",
        variables=("spark_", "artifact_"),
        not_variables=("spark_worker_", "spark_proof_"),
        needs=("artifact", "spark"),
        server=True,
        leaves=True,
        services=("spark-master", "spark-history-server"),
        ports=("spark_port", "spark_master_ui_port", "spark_master_history_port"),
    ),
    "spark_worker": Role(
        "spark_worker",
        variables=("spark_", "artifact_"),
        not_variables=("spark_master_", "spark_proof_"),
        needs=("artifact", "spark"),
        leaves=True,
        disposable=True,
        services=("spark-worker",),
        ports=("spark_worker_port", "spark_worker_ui_port"),
        follows="spark_master",
    ),
}
