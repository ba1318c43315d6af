# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: run_lock
short_description: Take the cluster's lock for the rest of the run
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Two runs never change one cluster at the same time. The lock is taken on all clouds of the cluster, and is held until the C(ansible-playbook) that
    this task is a part of has ended, however it ends. A process of its own renews it meanwhile.
  - Where another run holds it, this one waits for O(wait) seconds, or fails with a sentence that says who is at work, from where, and since when.
  - In check mode nothing is locked.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.attributes]
options:
  needed:
    description: Whether there is something to do. Else nothing is locked, and no call is made.
    type: bool
    required: true
  wait:
    description: Seconds to wait for another run.
    type: float
    default: 0
"""

EXAMPLES = r"""
- name: Lock the cluster
  sky.clusters.run_lock:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    needed: true
    wait: 600
"""

RETURN = r"""
held:
  description: Whether the run holds the lock.
  returned: always
  type: bool
  sample: true
"""
