# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: usage_report
short_description: Put together what users have used of the systems of a cluster
version_added: 0.7.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Makes data, and lines for people, of what M(sky.clusters.usage) found on each head (the host variable C(sky_usage)).
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  file:
    description: Write the data to this file on the controller, as JSON. Nothing is written if it is empty.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Compile the report
  sky.clusters.usage_report:
  register: report
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
  sample: ["torque:", "  month    user  jobs  failed  core hours"]
"""
