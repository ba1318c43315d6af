# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent has set, as programs show it, so that it is noticed when somebody else changes it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from . import _host

AGAIN = 5.0  # s between two looks


@dataclass
class Snapshot:
    """The output of commands, right after what they show was set."""

    _taken: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    _looked: float = field(default_factory=time.monotonic)

    def take(self, *command: str) -> None:
        """Remember what a command shows now, when all of it was set."""
        self._taken[command] = _shown(command)

    def stands(self, *command: str) -> bool:
        """Whether a command still shows the same."""
        return command not in self._taken or _shown(command) == self._taken[command]

    def changed(self) -> str:
        """The first command that shows something else by now; empty if there is none, or if the last look was less than ``AGAIN`` ago."""
        now = time.monotonic()
        if now - self._looked < AGAIN:
            return ""
        self._looked = now
        return next((" ".join(command) for command in self._taken if not self.stands(*command)), "")


def _shown(command: tuple[str, ...]) -> list[str]:
    return sorted(_host.run(*command, check=False).splitlines())  # wireguard-go lists its peers in any order
