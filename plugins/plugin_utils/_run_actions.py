# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base class of the actions that change a cluster. They run on the controller, since the output of a module is not shown while the module runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster
from ansible_collections.sky.clusters.plugins.module_utils._engine._apply import Tools
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import open_clouds
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Outcome, Run
from ansible_collections.sky.clusters.plugins.module_utils._views._changes import changes
from ansible_collections.sky.clusters.plugins.module_utils._views._details import details
from ansible_collections.sky.clusters.plugins.module_utils._views._summary import failure_lines, failures, kept_lines
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ClusterAction
from ansible_collections.sky.clusters.plugins.plugin_utils._inventory_cache import dropped_cache
from ansible_collections.sky.clusters.plugins.plugin_utils._lock_keeper import hold
from ansible_collections.sky.clusters.plugins.plugin_utils._progress import Progress
from ansible_collections.sky.clusters.plugins.plugin_utils._signals import run_clock
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

LOCK_SPEC: dict[str, Any] = {
    "wait": {"type": "float", "default": 0},
    "lock": {"type": "str", "choices": ["task", "run"], "default": "task"},
}


class RunAction(ClusterAction):
    """An action that changes a cluster and shows its progress."""

    _supports_diff = True

    @contextlib.contextmanager
    def open_run(self, cluster: Cluster, args: dict[str, Any]) -> Iterator[Run]:
        """A run on the cluster, with its clouds opened and the inventory's cache dropped."""
        progress = self.progress = Progress(Display(), self.worded)
        wait = args.get("wait", 0.0)
        with run_clock() as clock, self._dropped_cache():
            run = Run(cluster, open_clouds(cluster), Tools(report=progress.event, clock=clock), progress.warning, bool(self._task.check_mode), wait)
            if args.get("lock") == "run":
                run = replace(run, hold=lambda: hold(lambda: open_clouds(cluster), wait, clock, progress.line))
            yield run

    def _dropped_cache(self) -> contextlib.AbstractContextManager[None]:
        if self._task.check_mode:
            return contextlib.nullcontext()
        return dropped_cache(self.variables.get("ansible_inventory_sources") or (), self._loader)

    def result(self, outcome: Outcome, data: bool = False) -> dict[str, Any]:
        """What was done, or in check mode would be done.

        Args:
            data: whether the data volumes are deleted, too.

        Raises:
            AnsibleActionFail: something failed that fails the run.
        """
        if outcome.faults:
            failed = failures(outcome.result.failed)
            raise AnsibleActionFail("\n".join([fault for fault in outcome.faults if fault not in failed] + failure_lines(outcome.result.failed)))
        found = changes(outcome.plan, data)
        plan = [change.plain() for change in found]
        lines = list(map(str, found))
        result: dict[str, Any] = {"changed": bool(lines), "actions": lines, "plan": plan, "moments": self.progress.moments}
        if self._task.diff and (differences := details(outcome.plan, data)):
            result["diff"] = differences
        return dict(untemplated(result))


def warn(outcome: Outcome, progress: Progress) -> None:
    """Show the notes of a plan and the differences that it leaves."""
    for sentence in outcome.plan.notes + tuple(str(drift) for drift in outcome.plan.drift):
        progress.warning(sentence)


def kept_volumes(outcome: Outcome) -> list[dict[str, Any]]:
    """The data volumes that have no node, as a task returns them."""
    return [{"name": volume.name, "size": volume.size, "type": volume.type} for volume in outcome.kept]


def kept_volume_lines(outcome: Outcome) -> list[str]:
    """Lines for people about these volumes."""
    return kept_lines({volume.name: volume.size for volume in outcome.kept})
