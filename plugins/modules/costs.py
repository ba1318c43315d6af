# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: costs
short_description: Work out what a cluster has used, and what it costs
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Lists the nodes and data volumes of a cluster in its clouds, and adds up their hours since they were created, by owner, cloud, pool and flavor.
  - Multiplies them with the C(prices) of the clouds in the cluster file, and works out what the file costs by the hour, before the cluster exists.
  - The clouds are the only record. What was deleted is not in the figures.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.attributes]
options:
  counts:
    description: Counts of pools for the estimate, which override those of the file.
    type: dict
    default: {}
  file:
    description: Write the figures to this file on the controller, as CSV if its name ends in C(.csv), else as JSON.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Work out what the cluster costs
  sky.clusters.costs:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    file: /srv/costs/demo.csv
  register: costs
"""

RETURN = r"""
cluster:
  description: The name of the cluster.
  returned: always
  type: str
  sample: demo
time:
  description: When the clouds were listed.
  returned: always
  type: str
  sample: "2026-11-28T11:00:00+00:00"
used:
  description:
    - What exists, one entry for the nodes of each flavor and the volumes of each type, by owner, cloud and pool.
    - C(hours) are those of all nodes together, or GiB-hours. C(price) is that of one node or one GiB for an hour, C(rate) that of all of them.
      What is not known is null.
  returned: always
  type: list
  elements: dict
  sample:
    - cluster: demo
      owner: ada
      cloud: campus
      pool: worker
      kind: nodes
      flavor: m1.medium
      number: 4
      size: 0
      hours: 96.0
      price: 0.05
      rate: 0.2
      cost: 4.8
      currency: EUR
planned:
  description: The same for what the cluster file asks for, without hours.
  returned: always
  type: list
  elements: dict
  sample: []
totals:
  description:
    - Node hours, GiB-hours and cost by C(cluster), C(owner), C(cloud) and C(pool).
    - C(cost) is by currency, and null if a price or a time is not known. C(at_least) is the cost of what is known.
  returned: always
  type: dict
  sample: {owner: [{owner: ada, node_hours: 96.0, gib_hours: 480.0, cost: {EUR: 4.85}, at_least: {EUR: 4.85}}]}
missing:
  description: The prices that the cluster file lacks, one sentence each. None are named if it has no prices at all.
  returned: always
  type: list
  elements: str
  sample: []
unknown:
  description: What has a price, and no cost because its cloud does not tell when it was created, one sentence each.
  returned: always
  type: list
  elements: str
  sample: []
summary:
  description: All of it as lines for people.
  returned: always
  type: list
  elements: str
  sample: ["used so far: 96.00 node hours, 480.00 GiB-hours of volumes, cost 4.85 EUR"]
"""
