# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drain in the sight of people: the module is called a few seconds at a time, and between the calls is told what still runs."""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.plugin_utils._signals import blocked_signals

SLICE = 5  # seconds between two lines
CUT_SHORT = "to cut it short: Ctrl-C, then run again with -e sky_disruption=force"


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        node = (task_vars or {})["inventory_hostname"]
        bound = int(self._task.args.get("drain_seconds", 600))
        begun = time.monotonic()
        told = False
        while True:
            left = max(0, bound - round(time.monotonic() - begun))
            args = self._task.args | {"drain_seconds": left, "slice_seconds": SLICE}
            result: dict[str, Any] = self._execute_module(module_name="sky.clusters.spark_daemon", module_args=args, task_vars=task_vars)
            if "draining" not in result:
                break
            told = True
            left = max(0, bound - round(time.monotonic() - begun))
            _say(f"{node}: draining, {still(result['draining'])}, at most {left} s more; {CUT_SHORT}")
        if told and "drained_in" in result:
            result["drained_in"] = round(time.monotonic() - begun)
            ended = f"; {len(result['ended'])} executor(s) that still ran are ended" if result["ended"] else ""
            _say(f"{node}: drained in {result['drained_in']} s{ended}")
        return result


def still(draining: dict[str, Any]) -> str:
    """What still runs, in words."""
    count = len(draining["executors"])
    if not count:
        return "the last executor has ended"
    return f"{count} {'executor still runs' if count == 1 else 'executors still run'} ({', '.join(draining['applications'])})"


def _say(text: str) -> None:
    with blocked_signals():
        Display().display(f"  {text}")
