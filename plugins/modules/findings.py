# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: findings
short_description: Judge the health of the nodes
version_added: 0.2.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Takes the results of M(sky.clusters.node_health) on each node (C(sky_health)) and of M(sky.clusters.system_views) on the heads of the systems
    (C(sky_views)), and decides what is wrong and what a run does about it.
  - A node is replaced if a new node can take over all of its work, and either its root disk is full, or it is unreachable by ssh and reported as lost
    by the heads of its systems.
  - A node is visited if a service does not run or cannot write to its folders, if a volume is not mounted, or if the pool has lost a role.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options: {}
"""

EXAMPLES = r"""
- name: Judge the health of the nodes
  sky.clusters.findings:
  register: findings
"""

RETURN = r"""
sick:
  description: Nodes to replace, each with the reason, for M(sky.clusters.nodes).
  returned: always
  type: dict
  sample: {demo-worker-1: "its root disk is full: 12 of 10240 MiB are free"}
repair:
  description: Nodes to visit, for M(sky.clusters.visit).
  returned: always
  type: list
  elements: str
  sample: [demo-worker-0]
former:
  description: Nodes with remains of a role that their pool no longer has, each with the Ansible roles and task files that remove it.
  returned: always
  type: dict
  sample: {demo-worker-0: [{role: spark_worker, tasks: leave, waits: false}, {role: spark_worker, tasks: remove, waits: false}]}
former_roles:
  description: The same nodes, and those of pools that the file no longer has, each with the roles that are to leave it.
  returned: always
  type: dict
  sample: {demo-worker-0: [spark_worker]}
added:
  description: Nodes that have not got a role yet that their pool has, each with these roles.
  returned: always
  type: dict
  sample: {demo-master-0: [spark_worker]}
idle:
  description: Nodes that do no work for any of their systems now.
  returned: always
  type: list
  elements: str
  sample: [demo-worker-2]
nodes:
  description: The C(health) of every node, V(ok) or a few words (V(-) if it was not checked), and its C(faults), one sentence each.
  returned: always
  type: dict
  sample: {demo-worker-2: {health: ok, faults: []}}
services:
  description: The services that should run on the reachable nodes.
  returned: always
  type: list
  elements: dict
  sample: [{node: demo-worker-0, unit: spark-worker, state: failed}]
shares:
  description: The folders of stores outside of the cluster that are mounted on the reachable nodes, and how full they are. Sizes are in MiB.
  returned: always
  type: list
  elements: dict
  sample: [{node: demo-worker-0, mount: /shared, size: 102400, free: 71680, used_percent: 30, fault: ""}]
faults:
  description: All faults, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-1: its root disk is full: 12 of 10240 MiB are free"]
refusals:
  description: Why a run would fail on a node before changing it.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-0: node_user: user 'sky' with id 1500 exists on this node, so 'ada' with id 1500 cannot be created"]
notes:
  description: Further remarks.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-1: backup.service has failed; it is not managed by this collection"]
unproved:
  description: Why systems do not count as proved, one sentence each. A run proves them.
  returned: always
  type: list
  elements: str
  sample: ["no proof of Spark since a node was last changed"]
systems:
  description:
    - The answer of the head of each system, by system. Systems that were not queried are missing.
    - C(missing) of C(proof) says why the system does not count as proved, and is empty if it does.
  returned: always
  type: dict
  sample: {spark: {answers: true, page: "http://10.88.0.62:8080", members: [], work: [], facts: {}}}
"""
