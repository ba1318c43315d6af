# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: explain
short_description: Explain why a node failed
version_added: 0.2.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Turns the failed task of a C(block) into lines for people. They contain the stage, the cause, the end of the log, and what to do next.
  - Use it in C(rescue). If the lines are kept as the fact C(sky_failure) of the node, M(sky.clusters.report) prints them at the end of the run.
  - The command that opens a shell on the node uses the OpenSSH configuration that M(sky.clusters.ssh_config) has written, if that has the node.
  - This module does not fail. A task after it must fail the node.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  stage:
    description: The part of the run that failed.
    type: str
    required: true
  task:
    description: Name of the failed task, from C(ansible_failed_task).
    type: str
    required: true
  result:
    description: Result of the failed task, from C(ansible_failed_result).
    type: dict
    required: true
  hidden:
    description:
      - Whether the failed task has C(no_log), from C(ansible_failed_task). The lines then contain nothing of O(result).
      - They contain nothing of it either if the result itself is marked so, as ansible-core before 2.21 does.
    type: bool
    default: false
    version_added: 0.8.0
"""

EXAMPLES = r"""
- name: Install the software
  block:
    - name: Install it
      ansible.builtin.command: /usr/local/bin/install-it
      changed_when: true
  rescue:
    - name: Explain the failure
      sky.clusters.explain:
        stage: Install the software
        task: "{{ ansible_failed_task.name }}"
        result: "{{ ansible_failed_result }}"
        hidden: "{{ ansible_failed_task.no_log | default(true) }}"
      register: explained

    - name: Fail with the reason
      ansible.builtin.fail:
        msg: "{{ explained.lines | join('\n') }}"
"""

RETURN = r"""
lines:
  description: The explanation.
  returned: always
  type: list
  elements: str
  sample:
    - "demo-worker-1 failed at 'Install Spark' (task 'Install Java'): exit code 100; the log ends with:"
    - "    | E: Unable to fetch some archives"
"""
