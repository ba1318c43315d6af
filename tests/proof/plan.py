# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a proof is going to run, why, and how long that takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .hashes import inputs_hash
from .parts import NAMES, PARTS, Part, Step, Tier, steps
from .record import PROVED, Line

MOST = 75 * 60  # seconds that a proof in CI may take: it is cut off at 90 minutes


@dataclass(frozen=True)
class Entry:
    """A part that is going to run."""

    part: Part
    why: str
    last: Line | None = None

    @property
    def seconds(self) -> int:
        """What it took when it last passed; what is expected of it if it never did."""
        return self.last.seconds if self.last else self.part.expected

    @property
    def basis(self) -> str:
        return "recorded" if self.last else "expected"


@dataclass(frozen=True)
class Plan:
    """The parts in their order, and what they need beside themselves."""

    entries: tuple[Entry, ...]

    @property
    def parts(self) -> list[Part]:
        return [entry.part for entry in self.entries]

    @property
    def steps(self) -> list[Step]:
        return steps(self.parts)

    @property
    def seconds(self) -> int:
        return sum(entry.seconds for entry in self.entries) + sum(step.allowed for step in self.steps)

    @property
    def refusal(self) -> str:
        """Why this cannot be run in CI; empty if it can."""
        if self.seconds <= MOST:
            return ""
        long = " ".join(entry.part.name for entry in self.entries if entry.part.tier is Tier.LONG)
        ahead = f"run long parts first, on a clean tree, and commit {PROVED}: ./test.sh {long}" if long else "a part has become too slow"
        return f"this takes {_minutes(self.seconds)}, more than the {MOST // 60} minutes that there are; {ahead}"

    def lines(self) -> list[str]:
        rows = [(entry.part.name, entry.seconds, f"{entry.basis:<10} {entry.why}") for entry in self.entries]
        rows += [(step.name, step.allowed, "allowed    preparation") for step in self.steps]
        rows.append(("in all", self.seconds, _minutes(self.seconds)))
        return [f"{name:<12} {seconds:6d} s   {why}" for name, seconds, why in rows]


def _minutes(seconds: int) -> str:
    return f"{-(-seconds // 60)} minutes"


def named(names: Sequence[str], record: Mapping[str, Line]) -> Plan:
    """These parts, in the order of the table."""
    return Plan(tuple(Entry(part, "named", record.get(part.name)) for part in PARTS if part.name in names))


def quick(record: Mapping[str, Line]) -> Plan:
    return Plan(tuple(Entry(part, "runs always", record.get(part.name)) for part in PARTS if part.tier is Tier.QUICK))


def everything(record: Mapping[str, Line]) -> Plan:
    return named(NAMES, record)


def unproved(record: Mapping[str, Line], files: Mapping[str, str]) -> Plan:
    """The quick parts, and each long one that did not pass with the inputs that it has now."""
    reasons = {part.name: _why(part, record.get(part.name), files) for part in PARTS}
    return Plan(tuple(Entry(part, why, record.get(part.name)) for part in PARTS if (why := reasons[part.name])))


def _why(part: Part, last: Line | None, files: Mapping[str, str]) -> str:
    if part.tier is Tier.QUICK:
        return "runs always"
    if last is None:
        return "never passed on a clean tree"
    return "" if last.inputs == inputs_hash(part, files) else f"its inputs changed since it passed at {last.date}"
