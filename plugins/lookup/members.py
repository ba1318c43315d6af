# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes that have a role and stay."""

from __future__ import annotations

DOCUMENTATION = r"""
name: members
short_description: Return the nodes of groups that stay in their cluster
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Returns the names of the nodes in one or several groups, such as those of roles. Nodes that no longer exist, and nodes that leave in this run, are
    left out. A group that does not exist has no nodes.
options:
  _terms:
    description: Names of groups.
    required: true
  leaving:
    description: Whether to return nodes that leave in this run. They are members until they have left.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the workers that this run keeps
  ansible.builtin.debug:
    msg: "{{ query('sky.clusters.members', 'spark_worker') }}"
"""

RETURN = r"""
_raw:
  description: Names of nodes, each once, in the order of the groups.
  type: list
  elements: str
"""

from typing import Any

from ansible.plugins.lookup import LookupBase

from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import GONE_GROUP, LEAVING_GROUP


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        self.set_options(var_options=variables, direct=kwargs)  # type: ignore[no-untyped-call]  # of Ansible's own
        groups = (variables or {}).get("groups", {})
        leaving: bool = self.get_option("leaving")  # type: ignore[no-untyped-call]
        out = {*groups.get(GONE_GROUP, []), *([] if leaving else groups.get(LEAVING_GROUP, []))}
        return list(dict.fromkeys(name for group in terms for name in groups.get(group, []) if name not in out))
