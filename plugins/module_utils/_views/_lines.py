# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a plan, and of what a run has done, each with its total."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._changes import CHANGE, CREATE, DELETE, REPLACE

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
class Configuration:
    """What a run would configure, or has configured."""

    visits: Mapping[str, str] = field(default_factory=dict)  # nodes, each with the reason
    removals: Mapping[str, Sequence[str]] = field(default_factory=dict)  # Ansible roles that are removed, by node
    additions: Mapping[str, Sequence[str]] = field(default_factory=dict)  # roles that a standing node gets, by node
    drained: Collection[str] = ()  # nodes that are drained before a role is removed

    def rows(self, named: Collection[str]) -> Iterator[tuple[str, str, str]]:
        """A row for each node.

        Args:
            named: nodes that are created, replaced or deleted, and need no row.
        """
        for name, roles in self.removals.items():
            if name not in named:
                drain = "drain, " if name in self.drained else ""
                yield CHANGE, name, "; ".join([f"{drain}remove {', '.join(roles)}", *self._added(name)])
        for name, why in self.visits.items():
            if name not in named and name not in self.removals:
                yield CHANGE, name, f"configure: {'; '.join(self._added(name)) or why}"

    def _added(self, name: str) -> Iterator[str]:
        if name in self.additions:
            yield f"add {', '.join(self.additions[name])}"


def plan_lines(found: Iterable[Mapping[str, Any]], configuration: Configuration | None = None) -> list[str]:
    """The lines of a plan with its total; none if there is nothing to do.

    Args:
        found: changes as plain data, which may come from a result of a module.
        configuration: what is done on the nodes.
    """
    rows = _rows(found, configuration or Configuration())
    if not rows:
        return []
    wide, wider = max(len(sign) for sign, _name, _text in rows), min(WIDEST, max(len(name) for _sign, name, _text in rows))
    return [*(f"{sign:<{wide}} {name:<{wider}}  {text}" for sign, name, text in rows), f"plan: {_total(rows, TOTALS)}"]


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
    total = [_total(_rows(made, configuration), DONE), *([f"{len(failed)} failed"] if failed else [])]
    return [*lines, f"done: {', '.join(filter(None, total))}"] if any(total) else lines


def _rows(found: Iterable[Mapping[str, Any]], configuration: Configuration) -> list[tuple[str, str, str]]:
    rows = [(str(change["sign"]), str(change["name"]), str(change["text"])) for change in found]
    return [*rows, *configuration.rows({name for sign, name, _text in rows if sign != CHANGE})]


def _total(rows: Iterable[tuple[str, str, str]], words: Mapping[str, str]) -> str:
    """How many things each sign stands for; a node with two rows counts once."""
    names = {(sign, name) for sign, name, _text in rows}
    numbers = {sign: sum(each == sign for each, _name in names) for sign in words}
    return ", ".join(f"{numbers[sign]} {word}" for sign, word in words.items() if numbers[sign])
