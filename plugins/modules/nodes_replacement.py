# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes_replacement
short_description: Choose the nodes that a run replaces
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Returns the nodes of O(replace) that this run is to drain and delete before M(sky.clusters.nodes) creates them again. Changes nothing.
  - Fails where M(sky.clusters.nodes) would refuse to run with the same options.
extends_documentation_fragment:
  - sky.clusters.cluster
  - sky.clusters.request
  - sky.clusters.choice
  - sky.clusters.internal
  - sky.clusters.attributes
"""

EXAMPLES = r"""
- name: Choose the nodes to replace
  sky.clusters.nodes_replacement:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    replace: [drift]
  register: replacement
"""

RETURN = r"""
leaving:
  description: Names of the nodes to drain and then delete.
  returned: always
  type: list
  elements: str
  sample: [demo-worker-3]
"""
