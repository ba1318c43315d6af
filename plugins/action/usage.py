# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the systems whose head is on a node what users have used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import SYSTEMS
from ansible_collections.sky.clusters.plugins.module_utils._views._summary import table
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ValidatedAction
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

HEADINGS = ("month", "user", "jobs", "failed", "core hours")


class ActionModule(ValidatedAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {"month": {"type": "str", "default": ""}, "user": {"type": "str", "default": ""}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        roles = self.variables.get("sky_roles", [])
        asked = {system.name: system.usage for system in SYSTEMS.values() if system.usage and system.head in roles}
        found = {name: self._asked(module, args) for name, module in asked.items()}
        return dict(untemplated({"changed": False, "usage": found, "summary": [line for name, rows in found.items() for line in lines(name, rows)]}))

    def _asked(self, module: str, args: Mapping[str, Any]) -> list[dict[str, Any]]:
        result = self._execute_module(module_name=module, module_args=dict(args), task_vars=self.variables)
        if result.get("failed"):
            raise AnsibleActionFail(f"{self.variables['inventory_hostname']}: {result.get('msg')}")
        return list(result["usage"])


def lines(system: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table for people."""
    if not rows:
        return [f"{system}: nothing was used"]
    shown = [(row["month"], row["user"], str(row["jobs"]), str(row["failed"]), f"{row['core_hours']:.2f}") for row in rows]
    return [f"{system}:", *(f"  {line}" for line in table(HEADINGS, shown))]
