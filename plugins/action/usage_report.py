# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put together what a cluster has used, and its users of the systems that keep accounts."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.action.costs import as_text
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import save
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import plain, untemplated

FIGURES = ("cluster", "time", "used", "planned", "totals", "missing", "unknown")  # of the module costs


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {"costs": {"type": "dict", "required": True}, "file": {"type": "str", "default": ""}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        hostvars, heads, costs = self.variables["hostvars"], self.variables["groups"].get("sky_heads", []), plain(args["costs"])
        found = [plain(answer) for name in heads if "usage" in (answer := hostvars.raw_get(name).get("sky_usage", {}))]
        used = {system: rows for answer in found for system, rows in answer["usage"].items()}
        if args["file"] and not self._task.check_mode:
            save("sky_usage_file", args["file"], as_text(args["file"], {name: costs[name] for name in FIGURES} | {"usage": used}))
        lines = [*costs["summary"], *(line for answer in found for line in answer["summary"])]
        return dict(untemplated({"changed": False, "usage": used, "summary": lines}))
