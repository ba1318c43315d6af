# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes_ready
short_description: Record that nodes are configured
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Writes the ready hash of nodes to their marks in the cloud. While the hash is still right, M(sky.clusters.visit) skips the node.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.internal, sky.clusters.attributes]
options:
  hashes:
    description: Ready hashes by the names of the nodes, as M(sky.clusters.visit) returns them.
    type: dict
    required: true
  names:
    description: Nodes whose configuration is finished. Those that are not in O(hashes) are ignored.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Record that the nodes are configured
  sky.clusters.nodes_ready:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    hashes: "{{ visit.hashes }}"
    names: "{{ visit.names }}"
"""

RETURN = r"""
recorded:
  description: Names of the nodes whose hash has changed, or would change in check mode.
  returned: always
  type: list
  elements: str
  sample: [demo-worker-2]
"""
