# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete a whole cluster."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CLUSTER_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Outcome
from ansible_collections.sky.clusters.plugins.module_utils._views._lines import plan_lines, plan_rows
from ansible_collections.sky.clusters.plugins.plugin_utils._plan_file import plan_data, save_plan
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
            "plan_file": {"type": "str", "default": ""},
        }
    )

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        cluster, _own = self.cluster(args)
        given = args["destroy_data"]
        if given not in ("", cluster.name):
            raise AnsibleActionFail(f"sky_destroy_data: must be the name of the cluster, {cluster.name}, to delete its data, too, got '{given}'")
        with self.open_run(cluster, args) as run:
            outcome = run.absent(bool(given), args["confirm"])
            warn(outcome, self.progress)
            outcome.kept = [] if run.check and given else outcome.kept
            result = self.result(outcome, bool(given)) | {"kept_volumes": untemplated(kept_volumes(outcome))}
        if run.check:
            rows = plan_rows(result["plan"])
            save_plan(args["plan_file"], cluster.name, rows, {"kept_volumes": kept_volumes(outcome), "notes": list(outcome.plan.notes)})
            lines = [*(plan_lines(result["plan"]) or [NOTHING]), *kept_volume_lines(outcome)]
            return result | dict(untemplated(plan_data(rows))) | {"summary": lines}
        return result | {"changed": result["changed"] or bool(outcome.result.volumes), "summary": _summary(cluster.name, outcome)}


def _summary(name: str, outcome: Outcome) -> list[str]:
    """What was proved of the clouds when all was deleted."""
    return [f"cluster {name} is gone{'' if outcome.kept else ', nothing of it is left'}", *kept_volume_lines(outcome)]
