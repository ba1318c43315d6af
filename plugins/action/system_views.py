# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Query the systems whose head is on a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.sky.clusters.plugins.module_utils._systems._system import SHAPE, Question
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import SYSTEMS
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ValidatedAction


class ActionModule(ValidatedAction):
    """See the documentation of the module of this name."""

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        variables = self.variables
        asked = [(system.name, system.question) for system in SYSTEMS.values() if system.question and system.head in variables.get("sky_roles", [])]
        views = {name: view for name, question in asked if (view := self._answer(question, variables))}
        return {"changed": False, "views": views}

    def _answer(self, question: Question, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of a head; empty if its node cannot be reached or the module cannot run there."""
        arguments = {
            name: self._templar.template(variables[variable]) if variable in variables else default
            for name, (variable, default) in question.arguments.items()
        }
        try:
            found = self._execute_module(module_name=question.module, module_args=arguments, task_vars=dict(variables))
        except AnsibleConnectionFailure:
            return {}
        return {key: found[key] for key in SHAPE if key in found} if "answers" in found else {}
