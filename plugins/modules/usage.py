# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which asks a node with the modules of its systems."""

from __future__ import annotations

DOCUMENTATION = r"""
module: usage
short_description: Show what users have used of the systems whose head is on a node
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Asks every system whose head is on the node and that keeps accounts, with the module of the system. Changes nothing.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  month:
    description: Only this month, such as V(2026-11); all months if it is empty.
    type: str
    default: ""
  user:
    description: Only this user; all users if it is empty.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show what users have used
  sky.clusters.usage:
    month: 2026-11
"""

RETURN = r"""
usage:
  description: What each user has used in each month, by system.
  returned: always
  type: dict
  sample: {torque: [{user: ada, month: 2026-11, jobs: 412, failed: 3, core_hours: 1031.25}]}
summary:
  description: The same as lines for people.
  returned: always
  type: list
  elements: str
  sample: ["month    user  jobs  failed  core hours"]
"""
