# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explain the failure of a role on a node: the stage, the cause, the end of the log, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TAIL = 5  # lines of a log
WIDTH = 300  # characters of a line
LOOK = "    look: "
LOGS = ("stderr", "stdout", "module_stderr", "module_stdout")  # keys of a result with a log, the most informative first
# Messages that add nothing to a log; the second is that of core 2.21
PLAIN = ("non-zero return code", "The command exited with a non-zero return code", "MODULE FAILURE")
NEXT = "next: fix the cause, then run the same command again; it continues where this run stopped, and finished nodes are skipped"
HIDDEN = "its output is hidden, since it may contain secrets (no_log)"


def failure_text(node: str, stage: str, task: str, result: Mapping[str, Any], login: str, hidden: bool = False) -> list[str]:
    """Lines for people.

    Args:
        node: the node's name.
        stage: the part of the run, such as "Install Spark".
        task: name of the task that failed.
        result: the task's result; for a loop the first failed item is explained.
        login: command that opens a shell on the node; empty if there is none.
        hidden: whether the task has C(no_log). Ansible censors only what callbacks get, and core 2.21 no longer marks the result.
    """
    failed = next(_failed(result), result)
    if hidden or any(part.get("_ansible_no_log") for part in (result, failed)):
        failed = {"msg": HIDDEN}
    tail = _tail(failed)
    lines = [f"{node} failed at '{stage}' (task '{task}'): {_cause(failed, tail)}"]
    lines += [f"    | {line}" for line in tail]
    lines += [f"{LOOK}{login}"] * bool(login)
    return [*lines, f"    {NEXT}"]


def each_once(failures: Mapping[str, list[str]]) -> Iterator[str]:
    """The lines of all nodes that failed; what several say alike is said once, with all their names."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name in sorted(failures, key=natural):
        said = tuple(line.removeprefix(f"{name} ") for line in failures[name] if not line.startswith(LOOK))
        alike.setdefault(said, []).append(name)
    for said, names in alike.items():
        first, *rest = failures[names[0]]
        yield f"{together(names)} {said[0]}" if first.startswith(f"{names[0]} ") else first
        yield from rest


def natural(name: str) -> tuple[str, int]:
    """For an order in which node 10 comes after node 2."""
    stem, _dash, index = name.rpartition("-")
    return (stem, int(index)) if index.isdigit() else (name, 0)


def together(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]


def _failed(result: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (item for item in result.get("results", []) if item.get("failed"))


def _cause(result: Mapping[str, Any], tail: list[str]) -> str:
    message = " ".join(str(result.get("msg", "")).split())
    if tail and (not message or message.startswith(PLAIN)):
        code = result.get("rc")
        return "the log ends with:" if code is None else f"exit code {code}; the log ends with:"
    return message or "no reason was given"


def _tail(result: Mapping[str, Any]) -> list[str]:
    """The last lines of the first log that is not empty."""
    for name in LOGS:
        lines = [line.rstrip()[:WIDTH] for line in str(result.get(name) or "").splitlines() if line.strip()]
        if lines:
            return lines[-TAIL:]
    return []
