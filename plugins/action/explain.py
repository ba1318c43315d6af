# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explain why a node failed."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._failure_text import failure_text
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import SshLogin
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {
        "stage": {"type": "str", "required": True},
        "task": {"type": "str", "required": True},
        "result": {"type": "dict", "required": True},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        login = SshLogin.of(self.variables).command() if self.variables.get("ansible_host") else ""
        lines = failure_text(self.variables["inventory_hostname"], args["stage"], args["task"], args["result"], login)
        return {"changed": False, "lines": untemplated(lines)}
