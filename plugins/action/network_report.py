# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put together what the nodes of a cluster see of their network."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._network_report import faults, lines
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import save
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

NONE = "nothing to show: the cluster file has no overlay, firewall or names, or no node is running"
KEYS = ("agent", "peers", "counters", "rules", "open_to_any")


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {"file": {"type": "str", "default": ""}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        hostvars = self.variables["hostvars"]
        every = {name: hostvars.raw_get(name) for name in hostvars if "sky_pool" in hostvars.raw_get(name)}
        running = {name: found for name, found in every.items() if found["sky_state"] == "running"}
        seen = {name: found["sky_network_state"] for name, found in running.items() if "agent" in found.get("sky_network_state", {})}
        nodes = {name: {key: state[key] for key in KEYS} for name, state in seen.items()}
        unseen = sorted(running.keys() - nodes.keys())
        data = {"nodes": nodes, "faults": [*faults(nodes), *(f"{name}: it cannot be reached by ssh" for name in unseen)]}
        if not any(found.get("sky_network") for found in running.values()):
            return {"changed": False, "summary": [NONE], "nodes": {}, "faults": []}
        summary = list(lines(nodes, {name: found["sky_cloud"] for name, found in running.items()}, unseen))
        if args["file"] and not self._task.check_mode:
            save("sky_network_file", args["file"], json.dumps(data, indent=2) + "\n")
        return dict(untemplated({"changed": False, "summary": summary, **data}))
