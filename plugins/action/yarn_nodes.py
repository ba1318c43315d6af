# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what a NodeManager still runs while it leaves."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import in_one_sentence
from ansible_collections.sky.clusters.plugins.plugin_utils._drain_action import DrainAction


class ActionModule(DrainAction):
    """See the documentation of the module of this name."""

    module = "sky.clusters.yarn_nodes"
    work = "container"

    @in_one_sentence
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        if self._task.args.get("state") == "leaving":
            return super().run(tmp, task_vars)
        ActionBase.run(self, tmp, task_vars)
        return dict(self._execute_module(module_name=self.module, module_args=self._task.args, task_vars=task_vars))

    def _remaining(self, draining: dict[str, Any]) -> str:
        count = int(draining["containers"])
        if count < 0:
            return "the ResourceManager does not answer"
        if not count:
            return "no container runs, but a job that used it has not ended"
        return f"{count} container{' still runs' if count == 1 else 's still run'}"
