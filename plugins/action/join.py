# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add a node to the running inventory."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    BYPASS_HOST_LOOP = True
    spec: ClassVar[dict[str, Any]] = {
        "name": {"type": "str", "required": True},
        "groups": {"type": "list", "elements": "str", "default": []},
        "variables": {"type": "dict", "default": {}},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        return {"changed": False, "add_host": {"host_name": args["name"], "groups": args["groups"], "host_vars": args["variables"]}}
