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
  - Reads what M(sky.clusters.node_health) found on each node (C(sky_health)) and what M(sky.clusters.spark_info) found on the first node of the group
    C(spark_master) (C(sky_spark)), and says what is wrong and what a run does about it.
  - A node is replaced if a new one would do all that it does, and its root disk is full, or neither ssh nor a master that answers reaches it.
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
  description: Nodes whose worker has no executor now.
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
notes:
  description: What else is worth knowing.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-1: backup.service has failed, which is not of this collection"]
spark:
  description:
    - What the master said; empty if none was asked. C(missing) of its C(proof) says why the cluster does not count as proved; it is empty if the
      cluster does.
  returned: always
  type: dict
  sample: {status: ALIVE, page: "http://10.88.0.62:8080", workers: [], applications: []}
"""
