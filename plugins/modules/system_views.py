# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which queries a node with the modules of its systems."""

from __future__ import annotations

DOCUMENTATION = r"""
module: system_views
short_description: Query the systems whose head is on a node
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Queries every system whose head is on the node, with the module of the system, about its members and its work.
  - Changes nothing. A system that cannot be queried is left out.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options: {}
"""

EXAMPLES = r"""
- name: Query the heads of the systems
  sky.clusters.system_views:
  register: views
"""

RETURN = r"""
views:
  description:
    - The answer of each head, by system.
    - C(answers) is whether the system is ready for work. C(page) is where it was queried.
    - C(members) are the known nodes, by C(address), each with its C(state), and whether it is C(at_work) and C(busy).
    - C(work) are jobs, each with C(id), C(name), C(user), C(state), C(size) and C(since). C(facts) are further figures of the system.
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
