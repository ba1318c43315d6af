#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Say what a run did, what failed and why, and what to do next
version_added: 0.2.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Prints the last lines of a run, from what M(sky.clusters.nodes) returned and from what M(sky.clusters.explain) noted on nodes.
  - Fails where every node was asked for and one is missing.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  nodes:
    description: What M(sky.clusters.nodes) returned.
    type: dict
    required: true
  lost:
    description: Names of nodes that left the run on the way.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Say what was done
  sky.clusters.report:
    nodes: "{{ hostvars.localhost.sky_nodes }}"
    lost: "{{ ansible_play_hosts_all | difference(ansible_play_hosts) }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
lines:
  description: What was printed.
  returned: always
  type: list
  elements: str
  sample: ["the nodes are what the file says"]
lost:
  description: Names of nodes that left the run on the way.
  returned: always
  type: list
  elements: str
  sample: []
"""
