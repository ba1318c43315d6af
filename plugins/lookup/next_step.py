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
    description: The name of a playbook of this collection, V(ssh) for the start of the command that logs in to a node, or V(grow).
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

import itertools
import shlex
from typing import Any

from ansible.plugins.lookup import LookupBase

JOB_IDS = ("awx_job_id", "tower_job_id")
# Options of the controller alone: AWX runs in a container, whose files are not on the machine of whoever reads the line
OWN = ("none", "IdentitiesOnly=", "IdentityFile=")
PROXY = "ProxyCommand="


def portable(options: str) -> str:
    """The options of ssh without those that name files of the controller, also for the node in between."""
    words = shlex.split(options)
    kept: list[str] = []
    for flag, value in itertools.zip_longest(words, words[1:], fillvalue=""):
        if kept and kept[-1] == "-o" and flag.startswith(PROXY):
            command = shlex.split(flag.removeprefix(PROXY))
            kept.append(f"{PROXY}ssh {portable(shlex.join(command[1:]))}")
        elif not (flag in ("-o", "-F") and value.startswith(OWN)) and not flag.startswith(OWN):
            kept.append(flag)
    return shlex.join(kept)


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        known = variables or {}
        in_awx = any(known.get(name) for name in JOB_IDS)
        example = (str(kwargs.get("variable", "")), str(kwargs.get("value", "")))
        return [self._line(str(term), known, example, in_awx=in_awx) for term in terms]

    def _line(self, step: str, known: dict[str, Any], example: tuple[str, str], *, in_awx: bool) -> str:
        if step == "ssh":
            options = str(self._templar.template(known.get("ansible_ssh_common_args", "")) if self._templar else "")
            return f"ssh {portable(options) if in_awx else options}"
        if step == "grow":
            return f"grow it: {'raise the number of workers' if in_awx else 'raise a count in the cluster file'} and run again"
        name, value = example
        if in_awx:
            return f"start the template of sky.clusters.{step}" + (f" with {name}: {value}" if name else "")
        inventory = shlex.quote(str(next(iter(known.get("ansible_inventory_sources") or ["FILE.sky.yml"]))))
        return f"ansible-playbook -i {inventory} sky.clusters.{step}" + (f" -e {name}={value}" if name else "")
