# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of variables that several systems share. Pure: no I/O."""

from __future__ import annotations

import re

from ._system import Check


def matching(pattern: str, words: str, *, secret: bool = False) -> Check:
    """What must match a pattern if it is set. A secret is not shown."""
    expected = re.compile(pattern)
    return lambda value: "" if not value or expected.fullmatch(value) else f"must be {words}" + ("" if secret else f", got {value!r}")


def between(least: int, most: int) -> Check:
    return lambda value: "" if least <= value <= most else f"must be from {least} to {most}, got {value}"


sha256 = matching(r"[0-9a-f]{64}", "a SHA-256, which has 64 hexadecimal digits")
