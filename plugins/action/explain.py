# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explain why a node failed."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._failure_text import failure_text
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import SshLogin
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh_file import to_use
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {
        "stage": {"type": "str", "required": True},
        "task": {"type": "str", "required": True},
        "result": {"type": "dict", "required": True},
        "hidden": {"type": "bool", "default": False},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        node, hidden = self.variables["inventory_hostname"], args["hidden"]
        lines = failure_text(node, args["stage"], args["task"], args["result"], self._login(), hidden)
        return {"changed": False, "lines": untemplated(lines)}

    def _login(self) -> str:
        """The command that opens a shell on the node, as the user of the run: that of the cluster may not exist yet."""
        variables = self.variables
        if not variables.get("ansible_host"):
            return ""
        login = SshLogin.of(variables)
        given = variables["hostvars"]["localhost"].get("sky_given", {})
        file = to_use(str(given.get("ssh_config", "")), str(variables.get("sky_cluster", "")), variables)
        return login.by_file(file, variables["inventory_hostname"]) or login.command()
