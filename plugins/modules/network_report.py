# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_report
short_description: Put together what the nodes of a cluster see of their network
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Makes data, and lines for people, of what M(sky.clusters.network_state) found on each node (the host variable C(sky_network_state)).
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  file:
    description: Write the data to this file on the controller, as JSON. Nothing is written if it is empty.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Compile the report
  sky.clusters.network_report:
  register: report
"""

RETURN = r"""
nodes:
  description: What each node sees, by its name; nothing for nodes that could not be asked.
  returned: always
  type: dict
  sample: {demo-worker-0: {peers: [], counters: {}, rules: [], agent: {}}}
users:
  description: The people of the file's C(vpn_users). Who has no profile has no address; the handshake is null if there was none.
  returned: always
  type: list
  elements: dict
  sample: [{name: ada, address: 10.99.255.1, gateway: demo-gate-0, handshake: 12}]
  version_added: 0.7.0
faults:
  description: What is wrong, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-0: gateway demo-gate-0 does not answer it"]
summary:
  description: All of it as lines for people.
  returned: always
  type: list
  elements: str
  sample: ["node  cloud  engine"]
"""
