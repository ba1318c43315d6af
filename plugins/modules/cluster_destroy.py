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
actions:
  description: What was done, or would be done in check mode; one line each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-0: delete"]
plan:
  description: RV(actions) as data, with C(sign), C(name) of a node, a volume or a cloud, and C(text).
  returned: always
  type: list
  elements: dict
  sample: [{sign: "+", name: demo-worker-2, text: "create in here (medium, debian-12)"}]
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
