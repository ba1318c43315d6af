# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of a run: one line for each event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Event, Stage
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import screen_width, show

WORDS = {
    Stage.ASKED: "asked for",
    Stage.MADE: "made",
    Stage.BOOTED: "booted",
    Stage.REACHABLE: "ssh answers",
    Stage.FAILED: "FAILED",
    Stage.DELETED: "deleted",
}
COLORS = {Stage.FAILED: "red", Stage.REACHABLE: "green", Stage.DELETED: "yellow"}
NAME = 19  # columns; with it, a line with a UUID has 80


def event_lines(event: Event, seconds: float, width: int) -> list[str]:
    """The line about an event. Its details get a line of their own where they do not fit.

    Args:
        width: of the screen; 0 for any.
    """
    line = f"{event.name:<{NAME}} {WORDS[event.stage]:<11} {seconds:6.1f} s"
    whole = f"{line}  {event.detail}".rstrip()
    return [whole] if not width or len(whole) + 2 <= width else [line, f"    {event.detail}"]


class Progress:
    """Prints events as they happen, from any thread."""

    def __init__(self, display: Display, worded: Callable[[str], str] = str) -> None:
        self._display = display
        self._worded = worded
        self._lock = threading.Lock()
        self.moments: list[dict[str, Any]] = []  # when each event happened

    def event(self, cloud: str, event: Event, seconds: float) -> None:
        moment = {"node": event.name, "cloud": cloud, "stage": event.stage.value, "time": round(time.time(), 2), "seconds": round(seconds, 2)}
        self.moments.append(moment)
        for line in event_lines(event, seconds, screen_width()):
            self.line(line, COLORS.get(event.stage))
        for line in event.log.splitlines():
            self.line(f"    | {line}")

    def line(self, text: str, color: str | None = None) -> None:
        with self._lock:
            show([self._worded(text)], color)

    def warning(self, text: str) -> None:
        with self._lock:
            self._display.warning(self._worded(text))
