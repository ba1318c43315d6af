# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a program failed, as far as its log tells."""

from __future__ import annotations

import re
from collections.abc import Mapping

# As Spark writes it.
LINE = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d (?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FATAL) (?:(?P<place>[\w.$]+): )?(?P<message>.*)")
CHATTER = re.compile(r"WARNING: |Using Spark's default log4j|Setting default log level|To adjust logging level|(at|File) ")
NOISE = ("NativeCodeLoader", "Utils", "SparkConf", "ProcfsMetricsGetter", "MetricsConfig")  # what warns in every job
QUIET = ("TRACE", "DEBUG", "INFO", "WARN")
# How the task ended for which Spark gave up a job
GAVE_UP = re.compile(r"most recent failure: Lost task \S+ in stage \S+ \(TID \d+\) \(\[?(?P<host>[^\s\]]+)\]? executor \S+\): (?P<reason>.*)")
NO_MEMORY = "probably because the node had no memory left: use more partitions, ask for less (spark.executor.memory), or use a larger flavor"
MORE_HEAP = "raise spark.executor.memory, or use more partitions"
# The kernel kills by signal 9; a JVM whose heap is full ends with 52
MEMORY: Mapping[re.Pattern[str], str] = {
    re.compile(r"Reason: Command exited with code 137\b"): f"an executor on {{}} was killed, {NO_MEMORY}",
    re.compile(r"Python worker exited unexpectedly"): f"a Python process of an executor on {{}} was killed or crashed, {NO_MEMORY}",
    re.compile(
        r"Reason: Command exited with code 52\b|OutOfMemoryError: (?:Java heap|GC overhead)"
    ): f"an executor on {{}} filled its heap: {MORE_HEAP}",
}
FAULT = re.compile(r"(Error|Exception|Exit)\b")


def last_faults(log: str, most: int = 3) -> str:
    """The last faults that a log names, without the stacks of calls; empty where it names none."""
    return " | ".join(list(dict.fromkeys(line for line in _telling(log) if FAULT.search(line)))[-most:])


def lost_executor(log: str, names: Mapping[str, str]) -> str:
    """Why Spark gave up a job, if an executor needed too much memory; else empty.

    Args:
        names: of nodes, by their addresses.
    """
    failures = [*GAVE_UP.finditer(log)]
    if not failures:
        return ""
    host, reason = failures[-1]["host"], failures[-1]["reason"]
    return next((words.format(names.get(host, host)) for pattern, words in MEMORY.items() if pattern.search(reason)), "")


def last_words(log: str, most: int = 3) -> str:
    """Its last faults, else its last warnings, else its last lines; empty where it says nothing."""
    warned = (found for line in log.splitlines() if (found := LINE.match(line.strip())))
    warnings = dict.fromkeys(found["message"] for found in warned if found["level"] == "WARN" and found["place"] not in NOISE)
    return last_faults(log, most) or " | ".join((list(warnings) or _telling(log))[-most:])


def _telling(log: str) -> list[str]:
    """The lines that are more than chatter."""
    lines = [line for line in map(str.strip, log.splitlines()) if line and not CHATTER.match(line)]
    return [line for line in lines if (found := LINE.match(line)) is None or found["level"] not in QUIET]
