# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the heads that a node is for what they know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.module_utils._systems._system import SHAPE, Question, System
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import SYSTEMS


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self.validate_argument_spec(argument_spec={})
        variables = task_vars or {}
        asked = [(system.name, system.question) for system in SYSTEMS.values() if system.question and _is_asked(system, variables)]
        views = {name: view for name, question in asked if (view := self._asked(question, variables))}
        return {"changed": False, "views": views}

    def _asked(self, question: Question, variables: Mapping[str, Any]) -> dict[str, Any]:
        """What a head says; empty where its node cannot be reached, or the module cannot run there."""
        arguments = {
            name: self._templar.template(variables[variable]) if variable in variables else default
            for name, (variable, default) in question.arguments.items()
        }
        try:
            found = self._execute_module(module_name=question.module, module_args=arguments, task_vars=dict(variables))
        except AnsibleConnectionFailure:
            return {}
        return {key: found[key] for key in SHAPE if key in found} if "answers" in found else {}


def _is_asked(system: System, variables: Mapping[str, Any]) -> bool:
    """Whether a node is the one of a system that knows the others."""
    return system.head in variables.get("sky_roles", []) or bool(system.every_node and variables.get("sky_serves"))
