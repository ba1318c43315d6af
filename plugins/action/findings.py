# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the health of the nodes."""

from __future__ import annotations

from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._systems._system import Seen, view_of
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import SYSTEMS
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import UNLISTED_GROUP
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._findings import judge, notes, refusals, services, shares, unproved
from ansible_collections.sky.clusters.plugins.plugin_utils._role_removal import removal
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        variables = self.variables
        # unrendered: rendering the variables of a thousand nodes would take seconds
        unlisted = set(variables["groups"].get(UNLISTED_GROUP, []))
        every = {name: variables["hostvars"].raw_get(name) for name in variables["groups"]["all"] if name not in unlisted}
        nodes = [_seen(name, found) for name, found in every.items() if "sky_pool" in found]
        views = {system: view for found in every.values() for system, view in found.get("sky_views", {}).get("views", {}).items()}
        ids = {node.name: str(every[node.name]["sky_id"]) for node in nodes}
        for name, view in views.items():
            if "proof" in view:
                view["proof"] = view["proof"] | {"missing": unproved(SYSTEMS[name], view["proof"], nodes, ids)}
        verdicts = judge(nodes, {system: view_of(view) for system, view in views.items()})
        former = {node.name: removal(verdicts[node.name].former, node.roles) for node in nodes}
        return dict(
            untemplated(
                {
                    "changed": False,
                    "sick": {name: verdict.sick for name, verdict in verdicts.items() if verdict.sick},
                    "repair": [name for name, verdict in verdicts.items() if verdict.repair],
                    "former": {name: steps for name, steps in former.items() if steps},
                    "former_roles": {name: list(verdict.former) for name, verdict in verdicts.items() if verdict.former},
                    "added": {name: list(verdict.added) for name, verdict in verdicts.items() if verdict.added},
                    "idle": [name for name, verdict in verdicts.items() if verdict.idle],
                    "nodes": {name: {"health": verdict.health, "faults": verdict.faults} for name, verdict in verdicts.items()},
                    "services": services(nodes),
                    "shares": shares(nodes),
                    "faults": [f"{name}: {sentence}" for name, verdict in verdicts.items() for sentence in verdict.faults],
                    "notes": notes(nodes),
                    "refusals": refusals(nodes),
                    "systems": views,
                    "unproved": [view["proof"]["missing"] for view in views.values() if view.get("proof", {}).get("missing")],
                }
            )
        )


def _seen(name: str, variables: dict[str, Any]) -> Seen:
    health = variables.get("sky_health", {})
    volumes = tuple(volume["name"] for volume in variables["sky_volumes"])
    return Seen(name, str(variables["sky_address"]), tuple(variables["sky_roles"]), health if "reachable" in health else {}, volumes)
