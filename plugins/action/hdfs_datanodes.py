# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a DataNode leave, and show meanwhile how many blocks it has yet to hand over."""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import in_one_sentence
from ansible_collections.sky.clusters.plugins.plugin_utils._awx import worded
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import show
from ansible_collections.sky.clusters.plugins.plugin_utils._signals import blocked_signals

SLICE = 5  # seconds between two lines
STALLED = 3  # slices in which nothing moves, until the DataNodes that stay report all their blocks
AGAIN = 15  # the same, from one such report to the next


class Progress:
    """How many blocks are left, slice by slice."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.still = 0  # slices since the last block moved

    def note(self, left: int) -> None:
        self.still = self.still + 1 if left == self.left else 0
        self.left = left

    @property
    def stalled(self) -> bool:
        """Whether it is time for the DataNodes that stay to report all their blocks."""
        return self.still >= STALLED and (self.still - STALLED) % AGAIN == 0


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True

    @in_one_sentence
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        if self._task.args.get("state") != "leaving":
            return self._module(self._task.args, task_vars)
        node = (task_vars or {})["inventory_hostname"]
        bound = int(self._task.args.get("seconds", 3600))
        begun = time.monotonic()
        changed, blocks, progress = False, 0, Progress()
        while True:
            left = max(1, bound - round(time.monotonic() - begun))
            own = {"seconds": left, "slice_seconds": SLICE, "report": progress.stalled, "begun": progress.left is not None}
            result = self._module(self._task.args | own, task_vars)
            progress.note(int(result.get("left", 0)))
            changed, blocks = changed or bool(result.get("changed")), max(blocks, int(result.get("blocks", 0)))
            if "left" not in result:
                break
            if result.get("why"):
                _say(worded(f"{node}: {result['why']}", task_vars or {}))
            rest = f"{still(result['left'], blocks)}, at most {left} s more; to stop: Ctrl-C; the next run continues"
            _say(worded(f"{node}: handing over its blocks, {rest}", task_vars or {}))
        if not result.get("failed") and changed:
            _say(f"{node}: handed over its blocks ({blocks}) in {round(time.monotonic() - begun)} s")
        return result | {"changed": changed}

    def _module(self, args: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        return dict(self._execute_module(module_name="sky.clusters.hdfs_datanodes", module_args=args, task_vars=task_vars))


def still(left: int, blocks: int) -> str:
    """What is left, in words; -1 is not known yet."""
    return f"{left} of {blocks} left" if left >= 0 else f"{blocks} in all"


def _say(text: str) -> None:
    with blocked_signals():
        show([text])
