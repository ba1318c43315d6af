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
    description: Names of the nodes that were configured, or in check mode would be.
    type: list
    elements: str
    default: []
  former:
    description: Steps that remove roles from nodes, by node, as M(sky.clusters.findings) returns them.
    type: dict
    default: {}
  added:
    description: Roles that nodes do not have yet, by node, as M(sky.clusters.findings) returns them.
    type: dict
    default: {}
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
lost:
  description: Names of the nodes that failed or became unreachable during the run.
  returned: always
  type: list
  elements: str
  sample: []
"""
