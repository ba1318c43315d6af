# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a play that must not be skipped."""

from __future__ import annotations

DOCUMENTATION = r"""
name: whole_run
short_description: Refuse to run a playbook of this collection in part
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - With C(--limit), C(--tags), C(--skip-tags), C(--start-at-task) or C(--step), Ansible skips plays and tasks, and reports success. A playbook of
    this collection would do a part of its work, or nothing, without an error.
  - Returns its terms, for use as the C(hosts) of a play, which Ansible evaluates even if it skips the play. Fails if a playbook of this collection
    was called with such an option. Other playbooks that import one of this collection may be called with these options, except C(--limit), which
    would skip the plays on the controller.
options:
  _terms:
    description: Host names.
    required: true
"""

EXAMPLES = r"""
- name: Check the cluster file
  hosts: "{{ lookup('sky.clusters.whole_run', 'localhost') }}"
  tasks:
    - name: Check the cluster file and the variables
      sky.clusters.inventory_check:
"""

RETURN = r"""
_raw:
  description: The terms.
  type: list
  elements: str
"""

from typing import Any

from ansible import context
from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.sky.clusters.plugins.plugin_utils._partial_run import refusal


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:  # noqa: ARG002
        fault = refusal(context.CLIARGS)
        if fault:
            raise AnsibleError(fault)
        return terms
