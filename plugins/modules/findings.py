# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: findings
short_description: Judge what was seen of the nodes
version_added: 0.2.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Reads what M(sky.clusters.node_health) found on each node (C(sky_health)) and what M(sky.clusters.system_views) found on the
    heads of the systems (C(sky_views)), and says what is wrong and what a run does about it.
  - A node is replaced if a new one would do all that it does, and its root disk is full, or neither ssh nor the heads of its systems, which answer,
    reach it.
  - A node whose services do not run or cannot write to their folders, whose volumes are not mounted, or that has lost a role, is visited.
extends_documentation_fragment: [sky.clusters.attributes]
options: {}
"""

EXAMPLES = r"""
- name: Judge what was seen
  sky.clusters.findings:
  register: findings
"""

RETURN = r"""
sick:
  description: Nodes that are to be replaced, each with the reason, for M(sky.clusters.nodes).
  returned: always
  type: dict
  sample: {demo-worker-1: "its root disk is full: 12 of 10240 MiB are free"}
repair:
  description: Nodes that are to be visited, for M(sky.clusters.visit).
  returned: always
  type: list
  elements: str
  sample: [demo-worker-0]
former:
  description: Nodes with something of a role that their pool does not have, each with the Ansible roles and their files of tasks that remove it.
  returned: always
  type: dict
  sample: {demo-worker-0: [{role: spark_worker, tasks: leave}, {role: spark_worker, tasks: remove}, {role: spark, tasks: remove}]}
idle:
  description: Nodes that none of their systems keeps busy now.
  returned: always
  type: list
  elements: str
  sample: [demo-worker-2]
nodes:
  description: Of every node its C(health), V(ok) or a few words (V(-) if nobody looked), and its C(faults), a sentence each.
  returned: always
  type: dict
  sample: {demo-worker-2: {health: ok, faults: []}}
services:
  description: The services that should run on the nodes that were reached.
  returned: always
  type: list
  elements: dict
  sample: [{node: demo-worker-0, unit: spark-worker, state: failed}]
faults:
  description: All that is wrong, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-1: its root disk is full: 12 of 10240 MiB are free"]
refusals:
  description: Why a run would fail on nodes before it changes anything there.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-0: node_user: user 'sky' with id 1500 is on this node already, so 'ada' with id 1500 cannot be made"]
notes:
  description: What else is worth knowing.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-1: backup.service has failed, which is not managed by this collection"]
unproved:
  description: Why systems do not count as proved, one sentence each; a run proves them.
  returned: always
  type: list
  elements: str
  sample: ["no proof of Spark since a node was last changed"]
systems:
  description:
    - What the head of each system said, by system; without those that were not asked.
    - C(missing) of its C(proof) says why the system does not count as proved; it is empty if the system does.
  returned: always
  type: dict
  sample: {spark: {answers: true, page: "http://10.88.0.62:8080", members: [], work: [], facts: {}}}
"""
