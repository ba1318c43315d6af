# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: software_report
short_description: Put together the software of the nodes of a cluster
version_added: 0.7.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Makes a bill of materials, and lines for people, of what M(sky.clusters.software_list) found on each node (the host variable C(sky_software)).
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  cluster:
    description: The name of the cluster.
    type: str
    required: true
  file:
    description: Write the bill to this file on the controller, as JSON of CycloneDX 1.6. Nothing is written if it is empty.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Compile the report
  sky.clusters.software_report:
    cluster: "{{ sky_cluster }}"
    file: demo.cdx.json
  register: report
"""

RETURN = r"""
components:
  description: How many components the bill has, nodes included.
  returned: always
  type: int
  sample: 742
unread:
  description: Running nodes whose software could not be listed.
  returned: always
  type: list
  elements: str
  sample: []
summary:
  description: How much each node has, as lines for people.
  returned: always
  type: list
  elements: str
  sample:
    - "node           system     distribution packages  archives  python packages  jars"
    - "demo-worker-0  debian 12  188                    1         2                326"
"""
