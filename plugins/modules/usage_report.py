# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: usage_report
short_description: Put together what a cluster and its users have used
version_added: 0.7.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Makes data, and lines for people, of what M(sky.clusters.costs) has worked out, and of what M(sky.clusters.usage) found on each head (the host
    variable C(sky_usage)). A cluster without a system that keeps accounts has the first alone.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  costs:
    description: The result of M(sky.clusters.costs).
    type: dict
    required: true
  file:
    description:
      - Write the data to this file on the controller. Nothing is written if it is empty.
      - If its name ends in C(.csv), it has the rows of M(sky.clusters.costs). Otherwise it is JSON, with the figures of that module, and the accounts
        of users under C(usage).
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Compile the report
  sky.clusters.usage_report:
    costs: "{{ sky_costs }}"
  register: report
"""

RETURN = r"""
usage:
  description: What each user has used in each month, by system. Empty if no system keeps accounts.
  returned: always
  type: dict
  sample: {torque: [{user: ada, month: 2026-11, jobs: 412, failed: 3, core_hours: 1031.25}]}
summary:
  description: All of it as lines for people.
  returned: always
  type: list
  elements: str
  sample: ["used so far: 96.00 node hours, 480.00 GiB-hours of volumes", "torque:", "  month    user  jobs  failed  core hours"]
"""
