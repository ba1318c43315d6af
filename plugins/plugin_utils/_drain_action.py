# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base class of the actions that show the progress of a drain: the module is called for a few seconds at a time."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import in_one_sentence
from ansible_collections.sky.clusters.plugins.plugin_utils._awx import worded
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import show
from ansible_collections.sky.clusters.plugins.plugin_utils._signals import blocked_signals

PROGRESS = 5  # seconds between two lines, by default
CUT_SHORT = "to cut it short: Ctrl-C, then run again with -e sky_disruption=force"


class DrainAction(ActionBase):
    """Runs a module of the same name that drains a service, and prints what still runs in between."""

    module: ClassVar[str]
    work: ClassVar[str]  # the noun for one piece of work of the system
    drain_seconds: ClassVar[int] = 600  # the module's own default
    _supports_check_mode = True

    @in_one_sentence
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        node = (task_vars or {})["inventory_hostname"]
        bound = int(self._task.args.get("drain_seconds", self.drain_seconds))
        given = {"progress_seconds": PROGRESS} | self._task.args
        begun = time.monotonic()
        left, shown = bound, False
        while True:
            args = given | {"drain_seconds": left}
            result: dict[str, Any] = self._execute_module(module_name=self.module, module_args=args, task_vars=task_vars)
            left = max(0, bound - round(time.monotonic() - begun))
            if "draining" not in result:
                break
            shown = True
            self._say(f"{node}: draining, {self._remaining(result['draining'])}, at most {left} s more; {worded(CUT_SHORT, task_vars or {})}")
        if shown and "drained_in" in result:
            result["drained_in"] = round(time.monotonic() - begun)
            ended = f"; {len(result['ended'])} {self.work}(s) that still ran were ended" if result["ended"] else ""
            self._say(f"{node}: drained in {result['drained_in']} s{ended}")
        return result

    def _remaining(self, draining: dict[str, Any]) -> str:
        """What still runs, in words."""
        count = len(draining["work"])
        if not count:
            return f"the last {self.work} has ended"
        return f"{count} {self.work}{' still runs' if count == 1 else 's still run'} ({', '.join(draining['jobs'])})"

    def _say(self, text: str) -> None:
        with blocked_signals():
            show([text])
