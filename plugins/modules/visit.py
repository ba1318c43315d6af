# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: visit
short_description: Choose the nodes that a run configures
version_added: 0.1.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - A visit is the part of a run that applies the roles of a node. A node needs a visit if its ready hash differs from the current hash of its roles
    and their variables, or if O(also) names it.
  - The hash of the head of a system also depends on the names and addresses of all members, which are in its hosts file.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  members:
    description: Names of the nodes that run and stay.
    type: list
    elements: str
    required: true
  inputs:
    description: Further values that the result of a visit depends on, the same for every node.
    type: dict
    default: {}
  also:
    description: Names of nodes to visit in any case. Those that are not among O(members) are ignored.
    type: list
    elements: str
    default: []
  full:
    description: Whether to visit every node.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Choose the nodes to visit
  sky.clusters.visit:
    members: "{{ nodes.members }}"
  register: visit
"""

RETURN = r"""
names:
  description: Names of the nodes to visit.
  returned: always
  type: list
  elements: str
  sample: [demo-master-0, demo-worker-2]
due:
  description: Names of the nodes that need a visit even without O(full).
  returned: always
  type: list
  elements: str
  sample: [demo-worker-2]
heads:
  description: The head of each system, by the role of the head.
  returned: always
  type: dict
  sample: {spark_master: demo-master-0}
addresses:
  description: Address of every member by its name, as the other nodes reach it.
  returned: always
  type: dict
  sample: {demo-master-0: 10.88.0.2}
hashes:
  description: Ready hash of each node to visit, to be recorded when the visit has finished.
  returned: always
  type: dict
  sample: {demo-worker-2: 8d969eef6ecad3c2}
"""
