# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Select the roles that have a task file."""

from __future__ import annotations

DOCUMENTATION = r"""
name: with_tasks
short_description: Select the roles that have a task file
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Returns the roles, of any collection, that have a certain task file. An example is V(leave), which drains a node before it is deleted.
options:
  _input:
    description: Full names of roles.
    type: list
    elements: str
    required: true
  file:
    description: Name of the file in the folder C(tasks) of the role, without its extension.
    type: str
    required: true
positional: file
"""

EXAMPLES = r"""
- name: Drain the node
  ansible.builtin.include_role:
    name: "{{ item }}"
    tasks_from: leave
  loop: "{{ ['acme.tools.jupyter'] | sky.clusters.with_tasks('leave') }}"
"""

RETURN = r"""
_value:
  description: The roles that have the file, in the same order.
  type: list
  elements: str
  sample: [acme.tools.jupyter]
"""

from collections.abc import Callable

from ansible.errors import AnsibleFilterError

from ansible_collections.sky.clusters.plugins.plugin_utils._role_path import RoleMissing, role_path


def with_tasks(roles: list[str], file: str) -> list[str]:
    try:
        return [role for role in roles if (role_path(role) / f"tasks/{file}.yml").is_file()]
    except RoleMissing as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[[list[str], str], list[str]]]:
        return {"with_tasks": with_tasks}
