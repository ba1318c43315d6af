# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a plan, and of what a run has done, each with its total."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ._changes import CHANGE, CREATE, DELETE, FIRST, NEVER, ON_RESTART, REPLACE

ACTIONS = {CREATE: "create", CHANGE: "change", REPLACE: "replace", DELETE: "delete"}
CONFIGURE = "configure"  # of the action of a row that is about the roles of a node
RESTART = "drained first if a daemon restarts"
TOTALS = {CREATE: "to create", CHANGE: "to change", REPLACE: "to replace", DELETE: "to delete"}
DONE = {CREATE: "created", CHANGE: "changed", REPLACE: "replaced", DELETE: "deleted"}
WIDEST = 36  # columns of a name that others are lined up with
UNCHANGED = "all nodes match the cluster file"
FORETOLD = "check mode: nothing was changed"  # the last line of a plan


def unchanged(differing: Collection[str]) -> str:
    """The line of a run that changes no node.

    Args:
        differing: nodes that differ from the file and are left as they are.
    """
    return f"no node is changed; {len(differing)} node(s) differ from the cluster file" if differing else UNCHANGED


@dataclass(frozen=True)
class Row:
    """One line of a plan, as data."""

    sign: str
    name: str
    text: str
    action: str
    reason: str = ""
    drain: str = NEVER
    adds: tuple[str, ...] = ()  # roles that the node gets
    removes: tuple[str, ...] = ()  # Ansible roles that are removed from it

    def plain(self) -> dict[str, Any]:
        return asdict(self) | {"adds": list(self.adds), "removes": list(self.removes)}


@dataclass(frozen=True)
class Configuration:
    """What a run would configure, or has configured."""

    visits: Mapping[str, str] = field(default_factory=dict)  # nodes, each with the reason
    removals: Mapping[str, Sequence[str]] = field(default_factory=dict)  # Ansible roles that are removed, by node
    additions: Mapping[str, Sequence[str]] = field(default_factory=dict)  # roles that a standing node gets, by node
    drained: Collection[str] = ()  # nodes that are drained before a role is removed
    restarts: Mapping[str, Collection[str]] = field(default_factory=dict)  # by visited node, roles that drain it before they restart a daemon

    def rows(self, named: Collection[str]) -> Iterator[Row]:
        """A row for each node.

        Args:
            named: nodes that are created, replaced or deleted, and need no row.
        """
        for name in (*self.removals, *(name for name in self.visits if name not in self.removals)):
            if name not in named:
                yield self._row(name)

    def _row(self, name: str) -> Row:
        why, drain = self.visits.get(name, ""), self._drain(name)
        adds, removes = tuple(self.additions.get(name, ())), tuple(self.removals.get(name, ()))
        words = [f"add {', '.join(adds)}"] if adds else []
        if name in self.removals:
            words = [f"{'drain, ' if drain == FIRST else ''}remove {', '.join(removes)}", *words]
        else:
            words = [f"configure: {''.join(words) or why}"]
        words += [RESTART] if drain == ON_RESTART else []
        return Row(CHANGE, name, "; ".join(words), CONFIGURE, why, drain, adds, removes)

    def _drain(self, name: str) -> str:
        if name in self.removals and name in self.drained:
            return FIRST
        running = set(self.restarts.get(name, ())) - {*self.additions.get(name, ())}
        return ON_RESTART if running else NEVER


def plan_lines(found: Iterable[Mapping[str, Any]], configuration: Configuration | None = None) -> list[str]:
    """The lines of a plan with its total; none if there is nothing to do.

    Args:
        found: changes as plain data, which may come from a result of a module.
        configuration: what is done on the nodes.
    """
    rows = plan_rows(found, configuration)
    if not rows:
        return []
    wide, wider = max(len(row.sign) for row in rows), min(WIDEST, max(len(row.name) for row in rows))
    return [*(f"{row.sign:<{wide}} {row.name:<{wider}}  {row.text}" for row in rows), f"plan: {_total(rows, TOTALS)}"]


def plan_rows(found: Iterable[Mapping[str, Any]], configuration: Configuration | None = None) -> list[Row]:
    """The same as data, a row for each line but the last."""
    rows = [
        Row(
            str(change["sign"]),
            str(change["name"]),
            str(change["text"]),
            ACTIONS[change["sign"]],
            change.get("reason", ""),
            change.get("drain", NEVER),
        )
        for change in found
    ]
    named = {row.name for row in rows if row.sign != CHANGE}
    return [*rows, *(configuration or Configuration()).rows(named)]


def totals(rows: Iterable[Row]) -> dict[str, int]:
    """How many things a plan creates, changes, replaces and deletes; a node with two rows counts once."""
    names = {(row.sign, row.name) for row in rows}
    return {action: sum(sign == each for each, _name in names) for sign, action in ACTIONS.items()}


def done_lines(made: Sequence[Mapping[str, Any]], configuration: Configuration, failed: Collection[str] = ()) -> list[str]:
    """What a run has done, with its total; none if it has done nothing.

    Args:
        made: its changes as plain data, without those that have failed.
        configuration: what it has done on nodes.
        failed: nodes that failed at any step.
    """
    removed: dict[str, list[str]] = {}
    for name, roles in configuration.removals.items():
        removed.setdefault(", ".join(roles), []).append(name)
    lines = [f"{change['name']}: {change['text']}" for change in made]
    lines += [f"removed: {roles} from {', '.join(names)}" for roles, names in removed.items()]
    lines += [f"configured: {', '.join(configuration.visits)}"] if configuration.visits else []
    total = [_total(plan_rows(made, configuration), DONE), *([f"{len(failed)} failed"] if failed else [])]
    return [*lines, f"done: {', '.join(filter(None, total))}"] if any(total) else lines


def _total(rows: Iterable[Row], words: Mapping[str, str]) -> str:
    numbers = totals(rows)
    return ", ".join(f"{numbers[ACTIONS[sign]]} {word}" for sign, word in words.items() if numbers[ACTIONS[sign]])
