# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: survey
short_description: See what the clouds hold now, and whether anything is to be done there
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Lists the clouds and plans, without a change. The inventory that was read at the start of a run may be older than the cluster, as in a job that
    waited for another one, or with a cache.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.attributes]
options:
  counts:
    description: Other counts for pools, by name.
    type: dict
    default: {}
  remove:
    description: Nodes that leave first where a pool shrinks.
    type: list
    elements: str
    default: []
  confirm:
    description: The cluster's name, where a cloud that the file no longer has may be forgotten.
    type: str
    default: ""
  identity_file:
    description: Private key file that Ansible is configured to use. Its public half is authorised too, or must be among the file's C(ssh_keys).
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: See what there is
  sky.clusters.survey:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
  register: survey
"""

RETURN = r"""
changes:
  description: Whether M(sky.clusters.nodes) would change anything, or have nodes leave.
  returned: always
  type: bool
  sample: false
members:
  description: Names of the nodes that run and stay.
  returned: always
  type: list
  elements: str
  sample: [demo-master-0, demo-worker-0]
new_hosts:
  description: Nodes that run and that the running inventory does not have, or has otherwise, each with C(name), C(groups) and C(variables).
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-0, groups: [pool_worker, cloud_here, spark_worker], variables: {ansible_host: 10.88.0.3}}]
unlisted:
  description: Nodes that the running inventory has, and that do not run any more.
  returned: always
  type: list
  elements: str
  sample: [demo-worker-1]
ssh_keys:
  description: Public keys that the nodes let in.
  returned: always
  type: list
  elements: str
  sample: ["ssh-ed25519 AAAA... me"]
"""
