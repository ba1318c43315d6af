# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge what was seen of the nodes."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.plugin_utils._findings import MASTER, WORKER, Seen, judge, notes, services, unproved
from ansible_collections.sky.clusters.plugins.plugin_utils._safe import safe
from ansible_collections.sky.clusters.plugins.plugin_utils._steps import removal


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self.validate_argument_spec(argument_spec={})
        variables = task_vars or {}
        groups, hostvars = variables["groups"], variables["hostvars"]
        # by their unrendered variables: with a thousand nodes the rendering would take seconds
        nodes = [_seen(name, hostvars.raw_get(name)) for name in groups["all"] if "sky_pool" in hostvars.raw_get(name)]
        masters = groups.get(MASTER, [])[:1]
        spark = next((_spark(hostvars.raw_get(name)) for name in masters), {})
        if spark:
            members = {name: str(hostvars.raw_get(name)["sky_id"]) for role in (MASTER, WORKER) for name in groups.get(role, [])}
            spark["proof"] = spark["proof"] | {"missing": unproved(spark["proof"], members.values()) if groups.get(WORKER) else ""}
        verdicts = judge(nodes, spark)
        return dict(
            safe(
                {
                    "changed": False,
                    "sick": {name: verdict.sick for name, verdict in verdicts.items() if verdict.sick},
                    "repair": [name for name, verdict in verdicts.items() if verdict.repair],
                    "former": {node.name: removal(verdicts[node.name].former, node.roles) for node in nodes if verdicts[node.name].former},
                    "idle": [name for name, verdict in verdicts.items() if verdict.idle],
                    "nodes": {name: {"health": verdict.health, "faults": verdict.faults} for name, verdict in verdicts.items()},
                    "services": services(nodes),
                    "faults": [f"{name}: {sentence}" for name, verdict in verdicts.items() for sentence in verdict.faults],
                    "notes": notes(nodes),
                    "spark": spark,
                }
            )
        )


def _spark(variables: dict[str, Any]) -> dict[str, Any]:
    """What the master of this node said; empty if it was not asked, or not reached."""
    found = variables.get("sky_spark", {})
    return {key: found[key] for key in ("status", "page", "workers", "applications", "proof")} if "status" in found else {}


def _seen(name: str, variables: dict[str, Any]) -> Seen:
    health = variables.get("sky_health", {})
    return Seen(name, str(variables["sky_address"]), tuple(variables["sky_roles"]), health if "reachable" in health else {})
