# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node that copies files from and to a place that jobs use."""

from __future__ import annotations

DOCUMENTATION = r"""
name: data_node
short_description: Return the node that copies files from and to a place that jobs use
version_added: 0.8.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Returns the name of a running node for each URL. A URL that no node of the cluster can serve has none.
  - For V(hdfs://) and V(s3a://) it is the head of a system whose commands know this file system. For V(file://) it is a node where a data volume or a
    shared folder with the path is mounted, the head of a system before others; if there is none, the first head, or the first node.
options:
  _terms:
    description: URLs such as V(hdfs:///in/), V(s3a://bucket/in/) or V(file:///data/sets/).
    required: true
"""

EXAMPLES = r"""
- name: Show where files are brought from
  ansible.builtin.debug:
    msg: "{{ query('sky.clusters.data_node', 'hdfs:///in/') }}"
"""

RETURN = r"""
_raw:
  description: One name for each URL that a node can serve.
  type: list
  elements: str
"""

from typing import Any

from ansible.plugins.lookup import LookupBase

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import HEADS
from ansible_collections.sky.clusters.plugins.plugin_utils._data_nodes import Holder, data_node
from ansible_collections.sky.clusters.plugins.plugin_utils._role_variables import known

RUNNING = "running"


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **_kwargs: Any) -> list[Any]:
        given = variables or {}
        groups, hostvars = given.get("groups", {}), given.get("hostvars", {})
        heads = set(groups.get(HEADS, []))
        nodes = {}
        for name in groups.get("all", []):
            own = hostvars.raw_get(name)  # rendering the variables of a thousand nodes would take seconds
            if own.get("sky_state") == RUNNING:
                nodes[name] = Holder(tuple(own["sky_roles"]), tuple(self._mounts(own, hostvars[name])), name in heads)
        return [name for url in terms if (name := data_node(str(url), nodes))]

    def _mounts(self, own: dict[str, Any], rendered: Any) -> list[str]:
        """Where something is mounted on a node."""
        shares = [variable for role in own["sky_roles"] if role in ROLES for variable in ROLES[role].shares]
        folders = [rendered.get(variable, known()[variable]["default"]) for variable in shares]
        return [str(volume["mount"]) for volume in own["sky_volumes"]] + [str(folder) for folder in folders]
