# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a program failed, as far as its log tells."""

from __future__ import annotations

import re

CHATTER = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d (TRACE|DEBUG|INFO|WARN) |WARNING: |Using Spark's default log4j|(at|File) ")
FAULT = re.compile(r"(Error|Exception|Exit)\b")


def last_words(log: str, most: int = 3) -> str:
    """The last faults that a log names, without the stacks of calls; its last lines where it names none; empty where it says nothing."""
    lines = [line.strip() for line in log.splitlines()]
    telling = [line for line in lines if line and not CHATTER.match(line)]
    return " | ".join(([line for line in telling if FAULT.search(line)] or telling)[-most:])
