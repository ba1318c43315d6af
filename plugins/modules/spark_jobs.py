#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spark_jobs
short_description: List the jobs of a Spark cluster, and stop one
version_added: 0.5.0
description:
  - Lists the jobs that were submitted with M(sky.clusters.spark_submit), and the other applications that the master knows. The node must be the
    master of a Spark standalone cluster.
  - The output of a job is kept for a week after its end, for the last 100 jobs. M(sky.clusters.spark_submit) with O(ignore:submission) shows it.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  page:
    description: The page of the master, such as C(http://10.0.0.4:8080).
    type: str
    required: true
  stop:
    description:
      - The job to stop, by its name or by the identifier of its application.
      - An application that was not submitted with M(sky.clusters.spark_submit) is refused, since its process may be anywhere.
    type: str
    default: ""
extends_documentation_fragment: [sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Stop a job
  sky.clusters.spark_jobs:
    page: http://10.0.0.4:8080
    stop: sky-submit-3f9a01bc
"""

RETURN = r"""
jobs:
  description:
    - The jobs, the last one first. C(job) is empty for applications that were not submitted with M(sky.clusters.spark_submit), and C(application) for
      jobs that have not reached the master.
    - C(state) is V(running), V(waiting) (for cores), V(succeeded), V(stopped), V(timeout), V(out of memory), V(lost) or an exit code; of other
      applications it is the state that the master shows.
  returned: always
  type: list
  elements: dict
  sample: [{job: sky-submit-3f9a01bc, application: app-20261121042104-0003, name: job.py, user: sky, state: running,
            since: "2026-11-21T04:21:00+00:00", seconds: 14.2}]
lines:
  description: The same for people, or what was done.
  returned: always
  type: list
  elements: str
"""
