# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assemble the status of a cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._artifact import heads, published
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import write
from ansible_collections.sky.clusters.plugins.plugin_utils._status import Status
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {
        "cluster": {"type": "str", "required": True},
        "nodes": {"type": "dict", "required": True},
        "findings": {"type": "dict", "required": True},
        "visits": {"type": "dict", "required": True},
        "looked": {"type": "bool", "default": True},
        "file": {"type": "str", "default": ""},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        nodes = args["nodes"] | {"refusals": [*args["nodes"]["refusals"], *args["findings"].get("refusals", [])]}
        found = Status(args["cluster"], nodes, args["findings"], args["visits"], args["looked"]).plain()
        if args["file"] and not self._task.check_mode:
            save(args["file"], found)
        result = {key: found[key] for key in ("cluster", "ready", "reasons")} | {"nodes": len(found["nodes"])}
        result |= {"heads": heads([node["name"] for node in found["nodes"]], self.variables["hostvars"])}
        return {"changed": False, **untemplated(found), **published(result)}


def save(file: str, found: Mapping[str, Any]) -> None:
    """Write the status to the file that the user named.

    Raises:
        AnsibleActionFail: it cannot be written.
    """
    try:
        write(file, json.dumps(found, indent=2) + "\n")
    except OSError as error:
        # without its cause: Ansible would print the reason twice
        raise AnsibleActionFail(f"sky_status_file: {file} cannot be written: {error.strerror or error}") from None
