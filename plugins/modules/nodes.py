# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes
short_description: Create, replace and start the nodes of a cluster
version_added: 0.1.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Makes the nodes in all clouds of a cluster match the cluster file, with all clouds in parallel, and shows each stage of each node.
  - A failed node is deleted at once, and replaced at most twice.
  - Nodes to remove are listed in RV(leaving) and kept, so that their roles can drain them. Then M(sky.clusters.nodes_delete) deletes them.
  - The heads of systems record the clouds in use, so that a run stops if a cloud was removed from the file while it still holds resources.
  - A node whose flavor or image differs from the file is reported in RV(drift), but not changed.
extends_documentation_fragment:
  - sky.clusters.cluster
  - sky.clusters.request
  - sky.clusters.choice
  - sky.clusters.lock
  - sky.clusters.attributes
attributes:
  diff_mode:
    support: full
options:
  replaced:
    description: Nodes that this run has already drained and deleted because of O(replace). The run then replaces no others.
    type: list
    elements: str
    default: []
  strict:
    description: Whether a failed node fails the run at its end even if O(pools) has enough other nodes; see RV(strict_failure).
    type: bool
    default: false
seealso:
  - module: sky.clusters.nodes_info
  - module: sky.clusters.nodes_delete
  - module: sky.clusters.cluster_destroy
"""

EXAMPLES = r"""
- name: Create, replace and start nodes
  sky.clusters.nodes:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    counts: {worker: 4}
  register: nodes
"""

RETURN = r"""
moments:
  description:
    - What happened to each node, for the callback P(sky.clusters.timeline#callback).
    - C(time) is in seconds since 1970, and C(seconds) how long before that the node was asked for.
  returned: always
  type: list
  elements: dict
  sample: [{node: demo-worker-2, cloud: here, stage: made, time: 1795860000.2, seconds: 4.1}]
actions:
  description: What was done, or would be done in check mode; one line each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-2: create in here (medium, debian-12)"]
plan:
  description:
    - RV(actions) as data, with C(sign), C(name) of a node, a volume, a cloud or what all nodes share, C(text), and C(reason) if the text has one.
    - C(drain) is V(first) for a node that is drained first, and otherwise V(never).
  returned: always
  type: list
  elements: dict
  sample: [{sign: "+", name: demo-worker-2, text: "create in here (medium, debian-12)", reason: "", drain: never}]
estimate:
  description: What the nodes of the file cost, one line for each currency, if the file has prices. It is empty outside of check mode.
  returned: always
  type: list
  elements: str
  sample: []
summary:
  description: RV(actions), RV(kept_volumes) and RV(failed_nodes) as lines for people, with the end of the console of each failed node.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-2: create in here (medium, debian-12)"]
members:
  description: Names of the nodes that run and stay.
  returned: always
  type: list
  elements: str
  sample: [demo-master-0, demo-worker-0, demo-worker-1]
leaving:
  description: Names of the nodes to drain and then delete.
  returned: always
  type: list
  elements: str
  sample: [demo-worker-3]
new_hosts:
  description: Members and leaving nodes that the running inventory lacks, each with C(name), C(groups) and C(variables).
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-0, groups: [pool_worker, cloud_here, spark_worker], variables: {ansible_host: 10.88.0.3}}]
planned:
  description:
    - In check mode, the nodes that a run would create, replace or start. Empty otherwise.
    - Each has C(name), C(groups) and C(variables), as far as they are known before the run. A node that is created again is among them, too.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-2, groups: [pool_worker, cloud_here, spark_worker], variables: {sky_pool: worker, sky_id: "", sky_memory: 2048}}]
gone:
  description: Nodes of the running inventory that do not run any more.
  returned: always
  type: list
  elements: str
  sample: [demo-worker-1]
failed_nodes:
  description: Why nodes failed; one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-1 failed (after it was made, 3 attempts): its operating system did not start within 300 s (state building)"]
failed_names:
  description: Names of the nodes in RV(failed_nodes).
  returned: always
  type: list
  elements: str
  sample: [demo-worker-1]
failure_lines:
  description: RV(failed_nodes) with the end of the console of each failed node, and what to do next.
  returned: always
  type: list
  elements: str
  sample: ["next: run the same command again: existing nodes are kept"]
strict_failure:
  description: Whether nodes failed, enough others exist, and O(strict) requires all of them.
  returned: always
  type: bool
  sample: false
drift:
  description: Differences between the file and existing nodes. They are only reported, since a change would end the node.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-0: flavor is small, the file says medium; replace the node to change it (-e sky_replace=drift)"]
differing:
  description: Names of the nodes in RV(drift).
  returned: always
  type: list
  elements: str
  sample: [demo-worker-0]
notes:
  description: Further remarks.
  returned: always
  type: list
  elements: str
  sample: []
kept_volumes:
  description: Data volumes whose node does not exist after the task, or in check mode would not, with C(size) in GiB.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-2-spark, size: 10, type: ""}]
seconds:
  description: How long the task took.
  returned: always
  type: float
  sample: 4.2
ssh_keys:
  description: Public keys that are authorised on the nodes.
  returned: always
  type: list
  elements: str
  sample: ["ssh-ed25519 AAAA... me"]
"""
