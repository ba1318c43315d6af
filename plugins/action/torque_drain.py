# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drain in view of the user: the module is called a few seconds at a time, and between the calls a line says what still runs."""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.plugin_utils._ending import undisturbed

SLICE = 5  # seconds between two lines


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        node = (task_vars or {})["inventory_hostname"]
        bound = int(self._task.args.get("seconds", 600))
        begun = time.monotonic()
        while True:
            left = max(0, bound - round(time.monotonic() - begun))
            args = self._task.args | {"seconds": left, "slice_seconds": SLICE}
            result: dict[str, Any] = self._execute_module(module_name="sky.clusters.torque_drain", module_args=args, task_vars=task_vars)
            if "draining" not in result:
                break
            left = max(0, bound - round(time.monotonic() - begun))
            _say(f"{node}: draining, {still(result['draining'])}, at most {left} s more")
        for words, jobs in (("queued again", result.get("requeued")), ("ended", result.get("ended"))):
            if jobs:
                _say(f"{node}: job {', '.join(jobs)} {words}")
        return result


def still(jobs: list[str]) -> str:
    """What still runs, in words."""
    return f"job {jobs[0]} still runs" if len(jobs) == 1 else f"{len(jobs)} jobs still run ({', '.join(jobs)})"


def _say(text: str) -> None:
    with undisturbed():
        Display().display(f"  {text}")
