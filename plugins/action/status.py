# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put together how a cluster stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import write
from ansible_collections.sky.clusters.plugins.plugin_utils._status import Status
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

SPEC: dict[str, Any] = {
    "cluster": {"type": "str", "required": True},
    "nodes": {"type": "dict", "required": True},
    "findings": {"type": "dict", "required": True},
    "visits": {"type": "dict", "required": True},
    "looked": {"type": "bool", "default": True},
    "file": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _unused, args = self.validate_argument_spec(argument_spec=SPEC)
        nodes = args["nodes"] | {"refusals": [*args["nodes"]["refusals"], *args["findings"].get("refusals", [])]}
        found = Status(args["cluster"], nodes, args["findings"], args["visits"], args["looked"]).plain()
        if args["file"] and not self._task.check_mode:
            save(args["file"], found)
        return {"changed": False, **untemplated(found)}


def save(file: str, found: Mapping[str, Any]) -> None:
    """Write what was found to the file that the user named.

    Raises:
        AnsibleActionFail: it cannot be written.
    """
    try:
        write(file, json.dumps(found, indent=2) + "\n")
    except OSError as error:
        # not from it: Ansible would tell the reason twice
        raise AnsibleActionFail(f"sky_status_file: {file} cannot be written: {error.strerror or error}") from None
