# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that lock a cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """How long to wait for the lock, and how long to keep it."""

    DOCUMENTATION = r"""
options:
  wait:
    description: Seconds to wait while another run changes the cluster. After that, or at once with V(0), the task fails and names the other run.
    type: float
    default: 0
  lock:
    description:
      - How long the cluster stays locked if there is something to do. V(task) is until the end of this task, V(run) until C(ansible-playbook) has
        ended, as with M(sky.clusters.run_lock).
      - If the run holds the lock already, it keeps it.
    type: str
    choices: [task, run]
    default: task
"""
