# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Undo the steps of a creation that failed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from .._contract import CloudError


class Undo:
    """What undoes the steps so far."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], object]] = []

    def add(self, step: Callable[[], object]) -> None:
        """Remember how to undo what was just done."""
        self._steps.append(step)

    def run(self) -> None:
        """Undo all steps, the last one first. A step that the cloud refuses does not stop the others: the next run finds what is left by its mark."""
        while self._steps:
            with contextlib.suppress(CloudError):
                self._steps.pop()()
