# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put together what the nodes of a cluster see of their network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._network_report import faults, lines, users_of
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import save
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

NONE = "nothing to show: the cluster file has no overlay, firewall or names, or no node is running"
KEYS = ("agent", "peers", "users", "counters", "rules", "rules_out", "open_to_any")


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {"file": {"type": "str", "default": ""}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        hostvars = self.variables["hostvars"]
        every = {name: hostvars.raw_get(name) for name in hostvars if "sky_pool" in hostvars.raw_get(name)}
        running = {name: found for name, found in every.items() if found["sky_state"] == "running"}
        seen = {name: found["sky_network_state"] for name, found in running.items() if "agent" in found.get("sky_network_state", {})}
        nodes = {name: {key: state[key] for key in KEYS} for name, state in seen.items()}
        unseen = {name: why_unseen(running[name].get("sky_network_state", {})) for name in sorted(running.keys() - nodes.keys())}
        settings = self._templar.template(self.variables.get("sky_settings", {}))
        users = users_of(nodes, settings.get("vpn_users") or [])
        data = {"nodes": nodes, "users": users, "faults": [*faults(nodes), *(f"{name}: {why}" for name, why in unseen.items())]}
        if not any(found.get("sky_network") for found in running.values()):
            return {"changed": False, "summary": [NONE], "nodes": {}, "users": [], "faults": []}
        summary = list(lines(nodes, {name: found["sky_cloud"] for name, found in running.items()}, unseen, users))
        if args["file"] and not self._task.check_mode:
            save("sky_network_file", args["file"], json.dumps(data, indent=2) + "\n")
        return dict(untemplated({"changed": False, "summary": summary, **data}))


def why_unseen(result: Mapping[str, Any]) -> str:
    """Why a node has not said what it sees, from the result of M(sky.clusters.network_state)."""
    failed = result.get("failed") and not result.get("unreachable")
    return f"what it sees cannot be read: {result.get('msg', '')}" if failed else "it cannot be reached by ssh"
