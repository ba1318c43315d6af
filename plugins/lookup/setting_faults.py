# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the variables of a role on a node."""

from __future__ import annotations

DOCUMENTATION = r"""
name: setting_faults
short_description: Return what is wrong with the variables of a role
version_added: 0.6.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Returns one sentence for each invalid variable, with the values that the variables have on this node. The list is empty if all are valid.
  - The playbooks check the variables of a site before they change anything, but cannot evaluate templates then. A role checks them again by this.
options:
  _terms:
    description: Names of roles of this collection. Their variables begin with these names.
    required: true
"""

EXAMPLES = r"""
- name: Check the settings of the object store
  ansible.builtin.fail:
    msg: "{{ wrong | join('\n') }}"
  when: wrong | length > 0
  vars:
    wrong: "{{ query('sky.clusters.setting_faults', 's3a') }}"
"""

RETURN = r"""
_raw:
  description: One sentence for each fault.
  type: list
  elements: str
"""

from typing import Any

from ansible.plugins.lookup import LookupBase

from ansible_collections.sky.clusters.plugins.plugin_utils._role_variables import known, of_role


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **_kwargs: Any) -> list[Any]:
        given = variables or {}
        return [sentence for term in terms for sentence in of_role(str(term), self._values(f"{term}_", given))]

    def _values(self, prefix: str, given: dict[str, Any]) -> dict[str, Any]:
        templar: Any = self._templar  # the caller sets it
        return {name: templar.template(given[name]) for name in known() if name.startswith(prefix) and name in given}
