# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Print what a run did, what failed, and what to do next
version_added: 0.2.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Prints the last lines of a run, from the result of M(sky.clusters.nodes) and the explanations of M(sky.clusters.explain).
  - In check mode, prints the plan instead, with the reason of each visit.
  - Fails if every node was required and one failed.
  - Publishes the artifact C(sky_result), with the cluster, whether it is ready, the number of nodes, those that failed, and the heads of its systems.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  nodes:
    description: Result of M(sky.clusters.nodes).
    type: dict
    required: true
  lost:
    description: Names of the nodes that failed or became unreachable during the run.
    type: list
    elements: str
    default: []
  visited:
    description: Names of the nodes that were to be configured, or in check mode would be. Those in O(lost) and O(waiting) are not reported as such.
    type: list
    elements: str
    default: []
  waiting:
    description: Names of the visited nodes that are not configured yet, since they wait for a new version of their software.
    type: list
    elements: str
    default: []
    version_added: 0.7.0
  reasons:
    description: Why each node is visited, as M(sky.clusters.visit) returns it.
    type: dict
    default: {}
    version_added: 0.7.0
  health:
    description: The health and the faults of each node, as M(sky.clusters.findings) returns them.
    type: dict
    default: {}
    version_added: 0.7.0
  former:
    description: Steps that remove roles from nodes, by node, as M(sky.clusters.findings) returns them.
    type: dict
    default: {}
  removed_from:
    description: Names of the nodes in O(former) that the run removes them from. In check mode, those are all of them.
    type: list
    elements: str
    default: []
    version_added: 0.7.0
  added:
    description: Roles that nodes do not have yet, by node, as M(sky.clusters.findings) returns them.
    type: dict
    default: {}
  deleted:
    description: Result of M(sky.clusters.nodes_delete) for the nodes that leave, if any do.
    type: dict
    default: {}
    version_added: 0.7.0
  configures:
    description: Whether the run configures nodes, and drains and deletes those that leave.
    type: bool
    default: true
    version_added: 0.7.0
  drains:
    description: Nodes that are drained first if a daemon there must be restarted, as M(sky.clusters.visit) returns them.
    type: dict
    default: {}
    version_added: 0.8.0
  plan_file:
    description:
      - In check mode, a file to write the plan to, as JSON. Its mode is 0600. A link is followed, a device or a pipe can be written to, and V(-) is
        standard output.
    type: str
    default: ""
    version_added: 0.8.0
"""

EXAMPLES = r"""
- name: Report what was done
  sky.clusters.report:
    nodes: "{{ hostvars.localhost.sky_nodes }}"
    lost: "{{ ansible_play_hosts_all | difference(ansible_play_hosts) }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
lines:
  description: The printed lines.
  returned: always
  type: list
  elements: str
  sample: ["all nodes match the cluster file"]
plan:
  description:
    - The lines of the plan as data, with C(sign), C(name), C(text), C(reason) and C(action).
    - C(action) is V(create), V(change), V(replace), V(delete), or V(configure) for what is done on a node.
    - C(drain) is V(first) for a node that is drained first, V(on_restart) for one that is drained if a daemon must be restarted, else V(never).
    - C(adds) are roles that a node gets, and C(removes) Ansible roles that are removed from it.
  returned: in check mode
  type: list
  elements: dict
  sample:
    - {sign: "+", name: demo-worker-2, text: "create in here (medium, debian-12)", action: create, reason: "", drain: never, adds: [], removes: []}
totals:
  description: How many nodes, volumes and other things the plan creates, changes, replaces and deletes. One that has two lines counts once.
  returned: in check mode
  type: dict
  sample: {create: 1, change: 0, replace: 0, delete: 0}
lost:
  description: Names of the nodes that failed or became unreachable during the run.
  returned: always
  type: list
  elements: str
  sample: []
"""
