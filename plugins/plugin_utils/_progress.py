# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of a run: one line for each event."""

from __future__ import annotations

import threading
import time
from typing import Any

from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Event, Stage

WORDS = {
    Stage.ASKED: "asked for",
    Stage.MADE: "made",
    Stage.BOOTED: "booted",
    Stage.REACHABLE: "ssh answers",
    Stage.FAILED: "FAILED",
    Stage.DELETED: "deleted",
}
COLORS = {Stage.FAILED: "red", Stage.REACHABLE: "green", Stage.DELETED: "yellow"}


class Progress:
    """Prints events as they happen, from any thread."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._lock = threading.Lock()
        self.moments: list[dict[str, Any]] = []  # when each event happened

    def event(self, cloud: str, event: Event, seconds: float) -> None:
        self.moments.append({"node": event.name, "cloud": cloud, "stage": event.stage.value, "time": round(time.time(), 2)})
        self.line(f"{event.name:<24} {WORDS[event.stage]:<12} {seconds:6.1f} s  {event.detail}".rstrip(), COLORS.get(event.stage))
        for line in event.log.splitlines():
            self.line(f"    | {line}")

    def line(self, text: str, color: str | None = None) -> None:
        with self._lock:
            self._display.display(f"  {text}", color=color)

    def warning(self, text: str) -> None:
        with self._lock:
            self._display.warning(text)
