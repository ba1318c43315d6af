# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How every benchmark takes the time of a call and prints a figure."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """The seconds that the call took, and its result."""
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def show(what: str, value: str) -> None:
    """Print one line at once, since the next figure can be minutes away."""
    sys.stdout.write(f"{what:<72} {value}\n")
    sys.stdout.flush()
