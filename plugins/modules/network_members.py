# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_members
short_description: Say which nodes are in the list that the network of a cluster is made from
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Puts the list together from the variables of hosts. M(sky.clusters.network_list) adds the keys of the nodes and writes it.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes, sky.clusters.cluster]
options:
  names:
    description: Names of the nodes that are in the list.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Compile the list
  sky.clusters.network_members:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    names: "{{ nodes.members }}"
  register: members
"""

RETURN = r"""
content:
  description: The list, but for keys and serial number; empty if the nodes have no network of their own.
  returned: always
  type: dict
  sample: {cluster: demo, overlay: null, nodes: []}
keys_known:
  description: Public keys of the nodes that this run has prepared, by their names.
  returned: always
  type: dict
  sample: {demo-worker-0: rQoNPj5A0xw6Jm0zoQv2yJm2uT0q0rXk4QW9Zf2gYyE=}
serves:
  description: The node that serves the list; empty if none of O(names) does.
  returned: always
  type: str
  sample: demo-master-0
absent:
  description: Where the file names nodes that do not exist, in its firewall rules and further host names.
  returned: always
  type: list
  elements: str
  sample: ["firewall[0] (demo-worker-99)"]
  version_added: 0.8.0
"""
