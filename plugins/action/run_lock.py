# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the cluster's lock for the rest of the run."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import ClusterFileError, parse_parts
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CLUSTER_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import open_clouds, option_classes
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Clock, Stopped
from ansible_collections.sky.clusters.plugins.plugin_utils._lock_keeper import hold
from ansible_collections.sky.clusters.plugins.plugin_utils._progress import Progress
from ansible_collections.sky.clusters.plugins.plugin_utils._signals import recorded_signals

SPEC: dict[str, Any] = CLUSTER_SPEC | {
    "needed": {"type": "bool", "required": True},
    "wait": {"type": "float", "default": 0},
}


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _unused, args = self.validate_argument_spec(argument_spec=SPEC)
        held = bool(args["needed"] and not self._task.check_mode)
        if held:
            self._hold(args)
        return {"changed": False, "held": held}

    def _hold(self, args: dict[str, Any]) -> None:
        parent = os.getppid()
        try:
            cluster = parse_parts(args, option_classes())
            with recorded_signals() as told:
                clock = Clock(stopped=lambda: told() or os.getppid() != parent)
                hold(lambda: open_clouds(cluster), args["wait"], clock, Progress(Display()).line)
        except (ClusterFileError, CloudError, Stopped) as error:
            raise AnsibleActionFail(str(error)) from None
