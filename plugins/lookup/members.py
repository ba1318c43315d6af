# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes that have a role and stay."""

from __future__ import annotations

DOCUMENTATION = r"""
name: members
short_description: Return the nodes of groups that stay in them
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
    description:
      - Whether to return nodes that leave in this run. They are members until they have left.
      - Among them are the nodes whose pool has lost the role that the group is of.
    type: bool
    default: false
  staying:
    description: Whether to return nodes that stay.
    type: bool
    default: true
    version_added: 0.6.0
"""

EXAMPLES = r"""
- name: Show the workers that this run keeps
  ansible.builtin.debug:
    msg: "{{ query('sky.clusters.members', 'spark_worker') }}"

- name: Show the workers that have to be drained
  ansible.builtin.debug:
    msg: "{{ query('sky.clusters.members', 'spark_worker', staying=false, leaving=true) }}"
"""

RETURN = r"""
_raw:
  description: Names of nodes, each once, in the order of the groups.
  type: list
  elements: str
"""

from typing import Any

from ansible.plugins.lookup import LookupBase

from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import FORMER_GROUP, GONE_GROUP, LEAVING_GROUP


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        self.set_options(var_options=variables, direct=kwargs)  # type: ignore[no-untyped-call]  # of Ansible's own
        groups = (variables or {}).get("groups", {})
        with_leaving: bool = self.get_option("leaving")  # type: ignore[no-untyped-call]  # of Ansible's own
        with_staying: bool = self.get_option("staying")  # type: ignore[no-untyped-call]
        gone, leaving = set(groups.get(GONE_GROUP, [])), set(groups.get(LEAVING_GROUP, []))
        found: dict[str, None] = {}
        for group in terms:
            own, former = groups.get(group, []), groups.get(FORMER_GROUP + group, [])
            going = [*(name for name in own if name in leaving), *former] if with_leaving else []
            staying = [name for name in own if name not in leaving] if with_staying else []
            wanted = {*staying, *going}
            found |= dict.fromkeys(name for name in [*own, *former] if name in wanted)
        return [name for name in found if name not in gone]
