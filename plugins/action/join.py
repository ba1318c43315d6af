# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a node into the running inventory."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "groups": {"type": "list", "elements": "str", "default": []},
    "variables": {"type": "dict", "default": {}},
}


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    BYPASS_HOST_LOOP = True
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _unused, args = self.validate_argument_spec(argument_spec=SPEC)
        return {"changed": False, "add_host": {"host_name": args["name"], "groups": args["groups"], "host_vars": args["variables"]}}
