# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role's failure on a node means for people: the stage, the cause, the log's tail, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

TAIL = 5  # lines of a log
WIDTH = 300  # characters of one line of it
LOGS = ("stderr", "stdout", "module_stderr", "module_stdout")  # where a result keeps them, the most telling first
PLAIN = ("non-zero return code", "MODULE FAILURE")  # messages that say nothing where there is a log
NEXT = "next: mend the cause, then run the same command again; it goes on where this run stopped, and nodes that were through are left alone"


def failure_text(node: str, stage: str, task: str, result: Mapping[str, Any], login: str) -> list[str]:
    """Lines for people.

    Args:
        node: the node's name.
        stage: what the run was at, such as "Install Spark".
        task: name of the task that failed.
        result: the task's result; of a loop the first item that failed is told.
        login: command that opens a shell on the node; empty if none does.
    """
    failed = next(_failed(result), result)
    tail = _tail(failed)
    lines = [f"{node} failed at '{stage}' (task '{task}'): {_cause(failed, tail)}"]
    lines += [f"    | {line}" for line in tail]
    lines += [f"    look: {login}"] * bool(login)
    return [*lines, f"    {NEXT}"]


def _failed(result: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (item for item in result.get("results", []) if item.get("failed"))


def _cause(result: Mapping[str, Any], tail: list[str]) -> str:
    message = " ".join(str(result.get("msg", "")).split())
    if tail and (not message or message.startswith(PLAIN)):
        code = result.get("rc")
        return "see its last words" if code is None else f"it ended with exit code {code}"
    return message or "it gave no reason"


def _tail(result: Mapping[str, Any]) -> list[str]:
    """The last lines of the first log that holds any."""
    for name in LOGS:
        lines = [line.rstrip()[:WIDTH] for line in str(result.get(name) or "").splitlines() if line.strip()]
        if lines:
            return lines[-TAIL:]
    return []
