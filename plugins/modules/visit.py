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
  planned:
    description:
      - In check mode and for the status, the nodes that the run creates, replaces or starts, as RV(sky.clusters.nodes_info#module:planned) has them.
        Nodes that must know them are visited, too.
    type: list
    elements: dict
    default: []
    version_added: 0.8.0
  disruption:
    description: What a change may do to running work, which decides whether nodes are drained before a daemon is restarted; see RV(drains).
    type: str
    choices: [drain, refuse, force]
    default: drain
    version_added: 0.8.0
"""

EXAMPLES = r"""
- name: Choose the nodes to visit
  sky.clusters.visit:
    members: "{{ nodes.members }}"
  register: visit
"""

RETURN = r"""
names:
  description: Names of the nodes to visit now.
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
later:
  description: Names of the nodes in O(planned) that the run visits when they exist.
  returned: always
  type: list
  elements: str
  sample: [demo-worker-3]
reasons:
  description:
    - Why each node in RV(names) and RV(later) is visited.
    - It was never configured (V(new)), its ready hash differs (V(changed)), O(also) names it (V(faulty)), or only O(full) asks for it (V(full)).
  returned: always
  type: dict
  sample: {demo-master-0: [changed], demo-worker-2: [new]}
drains:
  description: Nodes to visit that are drained first if a daemon there must be restarted, each with the roles that do this.
  returned: always
  type: dict
  sample: {demo-worker-2: [spark_worker]}
refusals:
  description: Variables that a node in O(planned) could not fulfil, such as more memory than its flavor has; one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["spark_worker_memory: 4096 is more than demo-worker-3 has (2048)"]
heads:
  description: The head of each system, by the role of the head, among the nodes that exist. RV(addresses) likewise.
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
