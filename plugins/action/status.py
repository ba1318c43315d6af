# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assemble the status of a cluster."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._artifact import heads, published
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import save
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
        refusals = [*args["nodes"]["refusals"], *args["visits"]["refusals"], *args["findings"].get("refusals", [])]
        nodes = args["nodes"] | {"refusals": refusals}
        found = Status(args["cluster"], nodes, args["findings"], args["visits"], args["looked"]).plain()
        if args["file"] and not self._task.check_mode:
            save("sky_status_file", args["file"], json.dumps(found, indent=2) + "\n")
        result = {key: found[key] for key in ("cluster", "ready", "reasons")} | {"nodes": len(found["nodes"])}
        result |= {"heads": heads([node["name"] for node in found["nodes"]], self.variables["hostvars"])}
        return {"changed": False, **untemplated(found), **published(result)}
