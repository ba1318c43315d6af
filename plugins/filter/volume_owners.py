# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the data volumes of a node belong to."""

from __future__ import annotations

DOCUMENTATION = r"""
name: volume_owners
short_description: Add the default owners of data volumes
version_added: 0.8.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Returns the volumes of a node. One for which the cluster file gives no C(owner), C(group) and C(mode) gets defaults that let the cluster's user
    and jobs write to it, unless it may belong to software.
  - A volume with the name of a system, such as C(spark) or C(hdfs), belongs to that system. On a node with roles of other collections, every volume
    may belong to one of them.
  - The defaults are marked by C(if_unused). M(sky.clusters.data_volumes) applies them only to a top folder that is as it was created.
positional: roles, user
options:
  _input:
    description: The volumes of the node, C(sky_volumes) of the inventory.
    type: list
    elements: dict
    required: true
  roles:
    description: The roles of the node, C(sky_roles) of the inventory.
    type: list
    elements: str
    required: true
  user:
    description: Name of the cluster's user.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Set the owners of the data volumes
  sky.clusters.data_volumes:
    state: owned
    volumes: "{{ sky_volumes | sky.clusters.volume_owners(sky_roles, node_user) }}"
"""

RETURN = r"""
_value:
  description: The volumes, some of them with C(owner), C(group), C(mode) and C(if_unused).
  type: list
  elements: dict
  sample: [{name: sets, mount: /data/sets, owner: sky, group: spark, mode: "0775", if_unused: true}]
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import SYSTEMS, others, systems_of

MODE = "0775"


def volume_owners(volumes: Iterable[Mapping[str, Any]], roles: Iterable[str], user: str) -> list[dict[str, Any]]:
    own = list(roles)
    group = next((system.job_group for system in systems_of(own) if system.job_group), user)
    defaults = {"owner": user, "group": group, "mode": MODE, "if_unused": True}
    return [{**volume, **(defaults if _is_free(volume) and not others(own) else {})} for volume in volumes]


def _is_free(volume: Mapping[str, Any]) -> bool:
    """Whether neither the cluster file nor a system says whom a volume belongs to."""
    return volume["name"] not in SYSTEMS and not volume.keys() & {"owner", "group", "mode"}


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, Any]]]]:
        return {"volume_owners": volume_owners}
