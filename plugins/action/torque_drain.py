# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what a node of a batch system still runs while it is drained."""

from __future__ import annotations

from typing import Any

from ansible_collections.sky.clusters.plugins.plugin_utils._drain_action import DrainAction


class ActionModule(DrainAction):
    """See the documentation of the module of this name."""

    module = "sky.clusters.torque_drain"
    work = "job"

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        if result.get("requeued"):
            self._say(f"{(task_vars or {})['inventory_hostname']}: queued again: {', '.join(result['requeued'])}")
        return result
