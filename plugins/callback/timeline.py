# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the time of a run, host by host and stage by stage."""

from __future__ import annotations

DOCUMENTATION = r"""
name: timeline
type: aggregate
short_description: Write the time of a run, host by host and stage by stage
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - At the end of a run, writes when each stage of each host began and ended. A stage is a play, or what a cloud does with a node.
  - Writes nothing in check mode.
  - The inventory plugin P(sky.clusters.clouds#inventory) enables it if the extra variable C(sky_timeline) is set.
options:
  file:
    description:
      - The file, as a picture if its name ends in C(.svg), else as JSON. The extra variable C(sky_timeline) takes precedence.
      - Nothing is written if it is empty.
    type: str
    default: ""
    env:
      - name: SKY_TIMELINE
"""

import json
import os
import time
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase

from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import write
from ansible_collections.sky.clusters.plugins.plugin_utils._timeline import FAILED, OK, SKIPPED, Recorder, svg
from ansible_collections.sky.clusters.plugins.plugin_utils._timeline_callback import VARIABLE


class CallbackModule(CallbackBase):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "sky.clusters.timeline"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.recorder = Recorder(time.time())
        self.stage = ""
        self.file = ""

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self.stage = play.get_name()
        self.file = str(play.get_variable_manager().extra_vars.get(VARIABLE) or os.environ.get("SKY_TIMELINE", ""))

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self.recorder.start(host.get_name(), task._uuid, time.time())

    def v2_runner_on_ok(self, result: Any) -> None:
        self._end(result, OK)
        self.recorder.events(result._result.get("moments") or ())

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._end(result, SKIPPED)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._end(result, OK if ignore_errors else FAILED)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._end(result, FAILED)

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ARG002
        if not self.file or context.CLIARGS["check"]:
            return
        data = self.recorder.plain(time.time())
        try:
            write(self.file, svg(data) if self.file.endswith(".svg") else json.dumps(data, indent=1) + "\n")
        except OSError as error:
            self._display.warning(f"{VARIABLE}: {self.file} cannot be written: {error.strerror or error}")
        else:
            self._display.display(f"  timeline: {os.path.expanduser(self.file)}")

    def _end(self, result: Any, outcome: str) -> None:
        self.recorder.end(result._host.get_name(), result._task._uuid, self.stage, time.time(), outcome)
