# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists, and what failed, in lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .._clouds._contract import CloudError, Denied, Invalid, Shortage
from .._engine._launching import LAUNCHES
from .._engine._results import Action, NodeResult

TAIL = 5  # lines of a failed node's console that are shown once more at the end
AGAIN = "run the same command again: existing nodes are kept"
REMEDIES: Mapping[type[CloudError], str] = {
    Shortage: "make room (a lower count, a smaller flavor, a larger quota)",
    Denied: "renew the credentials, or request the permission",
    Invalid: "correct in the cluster file what the cloud rejects",
}
LATE = {
    "booted": "check its console, use another image or raise timeouts.booted",
    "reachable": "check that ssh from here reaches it, or raise timeouts.reachable",
}


def failures(results: Iterable[NodeResult]) -> list[str]:
    """Why nodes failed, one sentence each."""
    return [_failure(result) for result in results]


def failure_lines(results: Iterable[NodeResult]) -> list[str]:
    """The same with the tail of the console, once for nodes with the same failure, and at the end what to do next."""
    lines: list[str] = []
    remedies: list[str] = []
    shown: set[str] = set()
    for result in results:
        lines.append(_failure(result))
        lines += [] if result.reason in shown else [f"    | {line}" for line in result.log.splitlines()[-TAIL:]]
        shown.add(result.reason)
        remedies.append(_remedy(result))
    return lines + [f"next: {remedy}" for remedy in dict.fromkeys(remedies)]


def _failure(result: NodeResult) -> str:
    if result.action is Action.DELETE:
        return f"{result.name} could not be deleted: {result.reason}"
    return f"{result.name} failed{_how_far(result)}: {result.reason}"


def _remedy(result: NodeResult) -> str:
    """What to do about a failure: what must be fixed before the next run, if anything."""
    if result.action is Action.DELETE:
        return f"run the same command again; delete by hand what still remains in cloud {result.cloud}"
    refused = next((remedy for error, remedy in REMEDIES.items() if result.error and issubclass(result.error, error)), "")
    again_and_again = "find out why it failed each time" if result.launches >= LAUNCHES else ""
    first = refused or LATE.get(result.late, "") or again_and_again
    return f"{first}, then {AGAIN}" if first else AGAIN


def _how_far(result: NodeResult) -> str:
    stage = next((stage for stage in ("reachable", "booted", "made") if stage in result.seconds), "")
    words = [f"after it was {stage}"] * bool(stage) + [f"{result.launches} attempts"] * (result.launches > 1)
    return f" ({', '.join(words)})" if words else ""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows in columns as wide as they need to be."""
    every = [tuple(headings), *map(tuple, rows)]
    widths = [max(len(row[column]) for row in every) for column in range(len(headings))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every]


def kept_lines(sizes: Mapping[str, int]) -> list[str]:
    """Data volumes that are kept while they have no node, by name, in GiB."""
    if not sizes:
        return []
    return [f"kept: {len(sizes)} data volume(s), {sum(sizes.values())} GiB in all", *(f"  {name} {size} GiB" for name, size in sorted(sizes.items()))]
