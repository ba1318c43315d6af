# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock the cluster for the rest of the run."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CLUSTER_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import open_clouds
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ClusterAction
from ansible_collections.sky.clusters.plugins.plugin_utils._lock_keeper import hold
from ansible_collections.sky.clusters.plugins.plugin_utils._progress import Progress
from ansible_collections.sky.clusters.plugins.plugin_utils._signals import run_clock


class ActionModule(ClusterAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = CLUSTER_SPEC | {
        "needed": {"type": "bool", "required": True},
        "wait": {"type": "float", "default": 0},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        held = bool(args["needed"] and not self._task.check_mode)
        if held:
            cluster, _own = self.cluster(args)
            with run_clock() as clock:
                hold(lambda: open_clouds(cluster), args["wait"], clock, Progress(Display(), self.worded).line)
        return {"changed": False, "held": held}
