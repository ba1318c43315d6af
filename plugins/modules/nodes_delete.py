# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes_delete
short_description: Delete nodes of a cluster by name
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Deletes the nodes in O(names), and no others. Their data volumes are kept. A node that does not exist is skipped.
  - The nodes are not drained. The playbooks of this collection drain them before.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.lock, sky.clusters.attributes]
attributes:
  diff_mode:
    support: full
options:
  names:
    description: Names of the nodes to delete.
    type: list
    elements: str
    required: true
seealso:
  - module: sky.clusters.nodes
"""

EXAMPLES = r"""
- name: Delete the drained nodes
  sky.clusters.nodes_delete:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    names: "{{ nodes.leaving }}"
"""

RETURN = r"""
moments:
  description: What happened to each node and when, as in RV(sky.clusters.nodes#module:moments).
  returned: always
  type: list
  elements: dict
  sample: [{node: demo-worker-2, cloud: here, stage: deleted, time: 1795860000.2, seconds: 4.1}]
actions:
  description: What was done, or would be done in check mode; one line each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-3: delete"]
plan:
  description: RV(actions) as data, with C(sign), C(name) of a node, a volume or a cloud, and C(text).
  returned: always
  type: list
  elements: dict
  sample: [{sign: "-", name: demo-worker-3, text: "delete (running) in here"}]
kept_volumes:
  description: Data volumes whose node does not exist after the task, or in check mode would not, with C(size) in GiB.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-3-spark, size: 10, type: ""}]
"""
