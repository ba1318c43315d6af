#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: proceed
short_description: Continue only if what was done once for all nodes has succeeded
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Fails on every node if one of the results says that a task failed or that its node was unreachable, with the message of that task.
  - If a task with C(run_once) fails, Ansible gives up all hosts of the play, the controller included, and a run ends without its report. Therefore
    such a task ignores its errors, registers its result, and is followed by this module.
  - If that task has C(no_log), this one needs it too, or results that contain only what may be shown. A registered result is not marked as hidden.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  results:
    description: Registered results. Those of tasks that were skipped are accepted.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Ask the head
  ansible.builtin.command: /usr/local/bin/ask-it
  changed_when: false
  delegate_to: demo-master-0
  run_once: true
  ignore_errors: true
  ignore_unreachable: true
  register: answer

- name: Continue if it has answered
  sky.clusters.proceed:
    results: ["{{ answer }}"]
"""

RETURN = r"""
{}
"""
