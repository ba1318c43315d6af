# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which asks a node by the modules of its systems."""

from __future__ import annotations

DOCUMENTATION = r"""
module: system_views
short_description: Show what the heads of a cluster's systems know
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Asks every system whose head the node is, by that system's own module, what it knows of its members and of the work that it has.
  - Changes nothing. A system that cannot be asked is left out.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options: {}
"""

EXAMPLES = r"""
- name: Ask the heads of the systems
  sky.clusters.system_views:
  register: views
"""

RETURN = r"""
views:
  description:
    - By system, what its head says.
    - C(answers) is whether it is ready for work; C(page) is where it was asked.
    - C(members) are the nodes that it knows, by C(address), each with its C(state), and whether it is C(at_work) and C(busy).
    - C(work) are jobs, each with C(id), C(name), C(user), C(state), C(size) and C(since); C(facts) are figures of the system's own.
  returned: always
  type: dict
  sample:
    spark:
      answers: true
      page: http://10.88.0.62:8080
      members: [{address: 10.88.0.63, state: ALIVE, at_work: true, busy: false, detail: 0 of 2 cores}]
      work: []
      facts: {master: ALIVE, cores: 2, cores in use: 0}
"""
