# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the OpenSSH configuration of a cluster."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._awx import in_awx, portable
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import save
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh_config import configuration
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh_file import to_use, to_write


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {
        "cluster": {"type": "str", "required": True},
        "nodes": {"type": "list", "elements": "str", "required": True},
        "user": {"type": "str", "required": True},
        "file": {"type": "str", "default": ""},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        file = to_write(args["file"], args["cluster"], self.variables)
        writes = bool(file) and not self._task.check_mode
        if args["state"] == "absent":
            if writes:
                Path(file).unlink(missing_ok=True)
            return {"changed": False}
        hostvars = self.variables["hostvars"]
        hosts = {name: hostvars[name] for name in args["nodes"] if name in hostvars}
        if writes:
            save("sky_ssh_config", file, configuration(args["cluster"], hosts, args["user"]))
        named = to_use(args["file"], args["cluster"], self.variables)
        return {"changed": False, "file": file, "logins": {name: login_at(named, name, hosts[name], args["user"], self.variables) for name in hosts}}


def login_at(file: str, name: str, variables: Any, user: str, run: Any) -> dict[str, str]:
    """What logs in at a node: the command with its options, and the node for it."""
    if file:
        return {"ssh": f"ssh -F {shlex.quote(file)}", "node": name}
    options = variables["ansible_ssh_common_args"]
    command = f"ssh {portable(options) if in_awx(run) else options} -p {variables['ansible_port']}"
    return {"ssh": command, "node": f"{user}@{variables['ansible_host']}"}
