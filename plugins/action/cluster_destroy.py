# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete a whole cluster."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CLUSTER_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Outcome
from ansible_collections.sky.clusters.plugins.module_utils._views._changes import plan_lines
from ansible_collections.sky.clusters.plugins.plugin_utils._run_actions import LOCK_SPEC, RunAction, kept_volume_lines, kept_volumes, warn
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

NOTHING = "nothing to delete"


class ActionModule(RunAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = (
        CLUSTER_SPEC
        | LOCK_SPEC
        | {
            "confirm": {"type": "str", "default": ""},
            "destroy_data": {"type": "str", "default": ""},
        }
    )

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        cluster, _own = self.cluster(args)
        given = args["destroy_data"]
        if given not in ("", cluster.name):
            raise AnsibleActionFail(f"sky_destroy_data: must be the name of the cluster, {cluster.name}, to delete its data, too, got '{given}'")
        with self.open_run(cluster, args) as run:
            outcome = run.absent(bool(given), args["confirm"])
            warn(outcome)
            result = self.result(outcome, bool(given)) | {"kept_volumes": untemplated(kept_volumes(outcome))}
        if run.check:
            return result | {"summary": [*(plan_lines(result["plan"]) or [NOTHING]), *([] if given else kept_volume_lines(outcome))]}
        return result | {"changed": result["changed"] or bool(outcome.result.volumes), "summary": _summary(cluster.name, outcome)}


def _summary(name: str, outcome: Outcome) -> list[str]:
    """What was proved of the clouds when all was deleted."""
    return [f"cluster {name} is gone{'' if outcome.kept else ', nothing of it is left'}", *kept_volume_lines(outcome)]
