# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say why a node failed."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.plugin_utils._failure_text import failure_text
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import Way
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

SPEC: dict[str, Any] = {
    "stage": {"type": "str", "required": True},
    "task": {"type": "str", "required": True},
    "result": {"type": "dict", "required": True},
}


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _unused, args = self.validate_argument_spec(argument_spec=SPEC)
        variables = task_vars or {}
        login = Way.of(variables).words() if variables.get("ansible_host") else ""
        lines = failure_text(variables["inventory_hostname"], args["stage"], args["task"], args["result"], login)
        return {"changed": False, "lines": untemplated(lines)}
