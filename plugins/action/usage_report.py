# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put together what users have used of the systems of a cluster."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import save
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

NONE = "no system that keeps accounts runs here: run sky.clusters.cluster first; sky.clusters.status shows what exists"


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {"file": {"type": "str", "default": ""}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        hostvars, heads = self.variables["hostvars"], self.variables["groups"].get("sky_heads", [])
        found = [answer for name in heads if "usage" in (answer := hostvars.raw_get(name).get("sky_usage", {}))]
        used = {system: rows for answer in found for system, rows in answer["usage"].items()}
        if not used:
            raise AnsibleActionFail(NONE)
        if args["file"] and not self._task.check_mode:
            save("sky_usage_file", args["file"], json.dumps(used, indent=2) + "\n")
        return dict(untemplated({"changed": False, "usage": used, "summary": [line for answer in found for line in answer["summary"]]}))
