# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do next, in the words of the place where a run was started."""

from __future__ import annotations

DOCUMENTATION = r"""
name: next_step
short_description: Return what a user does next, at a command line or in AWX
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Returns one line for the templates that show the next steps. At a command line it is a command. In a job of AWX, where there is no command line,
    it says what to start there.
  - A run is a job of AWX if the variable C(awx_job_id) or C(tower_job_id) is set.
options:
  _terms:
    description: The name of a playbook of this collection, or V(grow).
    required: true
  variable:
    description: Name of an extra variable that the playbook needs.
    type: str
    default: ""
  value:
    description: An example of its value.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show how to submit an application
  sky.clusters.tell:
    lines: ["{{ lookup('sky.clusters.next_step', 'spark_submit', variable='sky_application', value='job.py') }}"]
"""

RETURN = r"""
_raw:
  description: One line for each term.
  type: list
  elements: str
"""

import shlex
from typing import Any

from ansible.plugins.lookup import LookupBase

from ansible_collections.sky.clusters.plugins.plugin_utils._awx import in_awx


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        name, value = str(kwargs.get("variable", "")), str(kwargs.get("value", ""))
        return [self._line(str(term), variables or {}, name, value) for term in terms]

    def _line(self, step: str, known: dict[str, Any], name: str, value: str) -> str:
        here = not in_awx(known)
        if step == "grow":
            return f"grow it: {'raise a count in the cluster file' if here else 'raise the number of workers'} and run again"
        if not here:
            return f"start the template of sky.clusters.{step}" + (f" with {name}: {value}" if name else "")
        inventory = shlex.quote(str(next(iter(known.get("ansible_inventory_sources") or ["FILE.sky.yml"]))))
        return f"ansible-playbook -i {inventory} sky.clusters.{step}" + (f" -e {name}={value}" if name else "")
