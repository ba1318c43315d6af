# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: survey
short_description: List the clouds and report whether a run would change them
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Lists the clouds and plans a run, without changing anything.
  - The inventory that was read at the start of a run may be older than the cluster, for example if the run waited for another one or uses a cache.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.request, sky.clusters.internal, sky.clusters.attributes]
options:
  replace:
    description: Nodes that the run is asked to replace, by name, or V(drift) for all that differ from the file.
    type: list
    elements: str
    default: []
    version_added: 0.8.0
"""

EXAMPLES = r"""
- name: List the clouds
  sky.clusters.survey:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
  register: survey
"""

RETURN = r"""
changes:
  description: Whether M(sky.clusters.nodes) would change or remove a node.
  returned: always
  type: bool
  sample: false
members:
  description: Names of the nodes that run and stay.
  returned: always
  type: list
  elements: str
  sample: [demo-master-0, demo-worker-0]
planned:
  description:
    - The nodes that the run would create, replace or start.
    - Each has C(name), C(groups) and C(variables), as far as they are known before the run. A node that is created again is among them, too.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-2, groups: [pool_worker, cloud_here, spark_worker], variables: {sky_pool: worker, sky_id: "", sky_memory: 2048}}]
new_hosts:
  description: Running nodes that are new to the running inventory or have changed, each with C(name), C(groups) and C(variables).
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-0, groups: [pool_worker, cloud_here, spark_worker], variables: {ansible_host: 10.88.0.3}}]
unlisted:
  description: Nodes of the running inventory that do not run any more.
  returned: always
  type: list
  elements: str
  sample: [demo-worker-1]
ssh_keys:
  description: Public keys that are authorised on the nodes.
  returned: always
  type: list
  elements: str
  sample: ["ssh-ed25519 AAAA... me"]
"""
