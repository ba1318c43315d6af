# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete nodes of a cluster by name."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CLUSTER_SPEC
from ansible_collections.sky.clusters.plugins.plugin_utils._run_actions import LOCK_SPEC, RunAction, kept_volumes
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated


class ActionModule(RunAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = CLUSTER_SPEC | LOCK_SPEC | {"names": {"type": "list", "elements": "str", "required": True}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        cluster, _own = self.cluster(args)
        with self.open_run(cluster, args) as run:
            outcome = run.delete(args["names"])
            return self.result(outcome) | {"kept_volumes": untemplated(kept_volumes(outcome))}
