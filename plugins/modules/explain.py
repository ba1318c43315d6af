#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: explain
short_description: Say why a node failed
version_added: 0.2.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Makes of the failed task of a C(block) the lines that a run ends with. They tell the stage, the cause, the tail of the log, and what to do next.
  - It is meant for C(rescue). Kept as the fact C(sky_failure) of the node, the lines are told again by M(sky.clusters.report).
  - The node has to be failed by a task of its own.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  stage:
    description: What the run was at.
    type: str
    required: true
  task:
    description: Name of the task that failed, from C(ansible_failed_task).
    type: str
    required: true
  result:
    description: Its result, from C(ansible_failed_result).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Install the software
  block:
    - name: Install it
      ansible.builtin.command: /usr/local/bin/install-it
      changed_when: true
  rescue:
    - name: Say why
      sky.clusters.explain:
        stage: Install the software
        task: "{{ ansible_failed_task.name }}"
        result: "{{ ansible_failed_result }}"
      register: explained

    - name: Fail with the reason
      ansible.builtin.fail:
        msg: "{{ explained.lines | join('\n') }}"
"""

RETURN = r"""
lines:
  description: The lines.
  returned: always
  type: list
  elements: str
  sample:
    - "demo-worker-1 failed at 'Install Spark' (task 'Install Java'): it ended with exit code 100"
    - "    | E: Unable to fetch some archives"
"""
