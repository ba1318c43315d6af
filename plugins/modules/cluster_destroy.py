# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_destroy
short_description: Delete a whole cluster
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Deletes everything that a cluster has in its clouds, and lists the clouds afterwards to prove that nothing is left.
  - Data volumes are kept unless O(destroy_data) names the cluster.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.lock, sky.clusters.attributes]
attributes:
  diff_mode:
    support: full
options:
  confirm:
    description: The name of the cluster, to forget a cloud that the file no longer has and that still holds resources of the cluster.
    type: str
    default: ""
  destroy_data:
    description: The name of the cluster, to delete its data volumes too. Another name is refused.
    type: str
    default: ""
  plan_file:
    description:
      - In check mode, a file to write the plan to, as JSON. Its mode is 0600. A link is followed, a device or a pipe can be written to, and V(-) is
        standard output.
    type: str
    default: ""
    version_added: 0.8.0
"""

EXAMPLES = r"""
- name: Delete the cluster and keep its data
  sky.clusters.cluster_destroy:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
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
  sample: ["demo-worker-0: delete"]
plan:
  description:
    - RV(actions) as data, with C(sign), C(name) of a node, a volume, a cloud or what all nodes share, C(text) and C(drain), which is V(never).
    - In check mode also with C(action), as in RV(sky.clusters.status#module:plan).
  returned: always
  type: list
  elements: dict
  sample: [{sign: "-", name: demo-worker-0, text: "delete (running) in here", reason: "", drain: never, action: delete, adds: [], removes: []}]
totals:
  description: How many nodes, volumes and other things the plan deletes.
  returned: in check mode
  type: dict
  sample: {create: 0, change: 0, replace: 0, delete: 4}
summary:
  description: What is left, as lines for people. In check mode what would be deleted.
  returned: always
  type: list
  elements: str
  sample: ["cluster demo is gone, nothing of it is left"]
kept_volumes:
  description: Data volumes that are left, with C(size) in GiB.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-0-spark, size: 10, type: ""}]
"""
