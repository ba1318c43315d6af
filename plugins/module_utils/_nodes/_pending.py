# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a service has yet to read. Sent to the nodes with the modules that run there: the standard library alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ._systemd import query

ENDED = ("failed", "inactive")


@dataclass(frozen=True)
class Pending:
    """A mark beside the files. It outlives a run that is killed, and a service that does not answer: the next run continues there.

    Attributes:
        unit: of the service, without `.service`.
    """

    mark: Path
    unit: str

    def note(self) -> None:
        """Before the files are changed."""
        self.mark.touch()

    def settle(self, answers: Callable[[], bool], read: Callable[[], None]) -> bool:
        """Have the service read the files if it has yet to; whether it did. One that does not run reads them when it starts."""
        if not self.mark.exists():
            return False
        reads = answers()
        if reads:
            read()
        elif query("is-active", f"{self.unit}.service").strip() not in ENDED:
            return False
        self.mark.unlink()
        return reads
