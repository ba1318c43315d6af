# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a brief output: what is worth one, and its text. Pure: no clock, no output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.sky.clusters.plugins.plugin_utils._failure_text import natural, together
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import HANGING, wrapped

LONG = 5.0  # seconds after which a step is worth a line, whatever it did
AGAIN = 30.0  # seconds between two lines about a step that still runs
LOCAL = ("localhost", "127.0.0.1")
OUTPUTS = ("stdout", "stderr", "module_stdout", "module_stderr")  # of a command that failed, and of a module that died


@dataclass
class Step:
    """One task, on all its hosts."""

    name: str
    begun: float
    hosts: set[str] = field(default_factory=set)  # that are done
    changed: set[str] = field(default_factory=set)
    once: bool = False  # for all nodes at once: how many of them answered means nothing
    shown: float = 0.0  # when the line about it was last shown

    def running(self, now: float, width: int) -> str:
        """The line about a step that runs for long, if one is due."""
        due = AGAIN if self.shown else LONG
        if now - (self.shown or self.begun) < due:
            return ""
        self.shown = now
        done = f", {count(len(self.hosts), 'node')} done" if self.hosts - set(LOCAL) and not self.once else ""
        right = f" ... {now - self.begun:.0f} s{done}"
        return f"  {shortened(self.name, width - len(right) - 2)}{right}"

    def on_nodes(self) -> bool:
        """Whether it changed nodes."""
        return bool(self.changed - set(LOCAL))

    def ended(self, now: float, width: int) -> str:
        """Its line, if it changed something or took long."""
        took = now - self.begun
        if not self.changed and took < LONG:
            return ""
        nodes = set() if self.once else self.changed - set(LOCAL) or self.hosts - set(LOCAL)
        right = f"{count(len(nodes), 'node') if nodes else '':>9} {f'{took:.0f} s' if took >= 1 else '':>6}"
        room = max(width - len(right) - 3, 1)
        return f"  {shortened(self.name, room):<{room}} {right}".rstrip()


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def shortened(text: str, room: int) -> str:
    """A text with three dots where it is cut, even on a screen that has room for nothing."""
    return text if len(text) <= room else f"{text[: max(room - 3, 0)]}..."


def failure(kind: str, host: str, task: str, result: Mapping[str, Any], width: int) -> list[str]:
    """A failure in full: what failed, where, and all that it said.

    Args:
        kind: such as ``failed`` or ``unreachable``.
        task: name of the task.
        result: of the module. Its message, and all output that the message does not repeat. Ansible has put its own sentence (C(censored)) in
            the place of what C(no_log) hides.
    """
    message = str(result.get("msg") or result.get("censored") or "").strip() or "it gave no reason"
    lines = [*wrapped(f"{kind}: {host}, {task}", width), *indented(message, width)]
    item = result.get("_ansible_item_label", result.get("item"))
    if item is not None and not result.get("_ansible_no_log"):
        lines += indented(f"for {item}", width)
    for name in OUTPUTS:
        said = str(result.get(name) or "").strip()
        if said and said not in message:
            lines += [f"    {name}:", *indented(said, width, 6)]
    return lines


def indented(text: str, width: int, by: int = 4) -> list[str]:
    return [line for part in text.splitlines() for line in wrapped(part, width, " " * by)]


def changes(task: str, hosts: Iterable[str], width: int) -> list[str]:
    """What stands before a difference: the hosts that have it, if it is one of nodes, and the task that made it."""
    names = sorted(set(hosts) - set(LOCAL), key=natural)
    return wrapped(f"  {together(names)}, {task}:" if names else f"  {task}:", width, hanging=HANGING)


def ending(seconds: float, *, check: bool, failed: Mapping[str, int], unreachable: Mapping[str, int]) -> str:
    """The last line of all."""
    troubles = [f"{name} on {together(sorted(hosts, key=natural))}" for name, hosts in (("failed", failed), ("unreachable", unreachable)) if hosts]
    if troubles:
        return f"{'; '.join(troubles)} ({seconds:.0f} s)"
    return f"finished in {seconds:.0f} s{' (check mode)' if check else ''}"
