# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: join
short_description: Add a node to the running inventory
version_added: 0.1.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Works as M(ansible.builtin.add_host), and takes groups and variables in the form in which M(sky.clusters.nodes) returns them.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  name:
    description: Name of the host.
    type: str
    required: true
  groups:
    description: Groups to add the host to.
    type: list
    elements: str
    default: []
  variables:
    description: Variables of the host.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Add the new nodes to the inventory
  sky.clusters.join:
    name: "{{ item.name }}"
    groups: "{{ item.groups }}"
    variables: "{{ item.variables }}"
  loop: "{{ nodes.new_hosts }}"
"""

RETURN = r"""
add_host:
  description: The added host.
  returned: always
  type: dict
  sample: {host_name: demo-worker-2, groups: [pool_worker], host_vars: {ansible_host: 10.88.0.5}}
"""
