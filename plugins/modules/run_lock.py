# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: run_lock
short_description: Lock the cluster for the rest of the run
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Two runs never change the same cluster at the same time. The lock is taken in all clouds of the cluster and held until the C(ansible-playbook)
    process of this task ends, in whatever way. A separate process renews the lock.
  - If another run holds the lock, the task waits for O(wait) seconds. Then it fails and says who runs it, from where, and since when.
  - In check mode nothing is locked.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.internal, sky.clusters.attributes]
options:
  needed:
    description: Whether there is something to do. If not, nothing is locked and no call is made.
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
