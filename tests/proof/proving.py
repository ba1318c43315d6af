# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proof: the parts of a plan one after another, what they need before them, a table at the end, and the record of those that passed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from . import bounded, hashes, record
from .parts import BUILD, CLOUD_DOWN, ENVIRONMENT, MACHINE, NAMES, Command, Part, Step, needs
from .plan import Plan
from .record import PROVED, Line

ENDING = 120  # seconds before a part's bound: pytest begins no further test, and cleans up


@dataclass(frozen=True)
class Row:
    """A line of the table at the end."""

    name: str
    seconds: float
    passed: bool
    more: str = ""

    def __str__(self) -> str:
        return f"{self.name:<12} {self.seconds:6.0f} s   {'ok' if self.passed else 'FAILED'}{self.more and f'   {self.more}'}"


class Recorder:
    """Writes down which parts passed, if the tree is a commit's, and stays so while a part runs."""

    def __init__(self, root: Path, file: Path) -> None:
        self.root = root
        self.file = file

    def obstacle(self) -> str:
        """Why nothing can be recorded; empty if something can."""
        changed = hashes.changes(self.root)
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        return f"the tree has changes that are not committed: {', '.join(changed[:3])}{more}" if changed else ""

    def watch(self, part: Part) -> Callable[[float, str], str]:
        """Look at a part's inputs before it runs.

        Returns:
            Takes its seconds and counts, once it has passed, and records them; returns why it did not, or an empty text.
        """
        if part.name not in NAMES:
            return lambda _seconds, _counts: ""
        obstacle, before = self.obstacle(), self._hash(part)

        def passed(seconds: float, counts: str) -> str:
            if why := obstacle or self.obstacle():
                return why
            if self._hash(part) != before:
                return "its inputs changed while it ran"
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            record.write(self.file, Line(part.name, before, now, round(seconds), counts))
            return ""

        return passed

    def _hash(self, part: Part) -> str:
        return hashes.inputs_hash(part, hashes.contents(self.root))


@dataclass
class Proof:
    """One run of test.sh."""

    root: Path
    recorder: Recorder
    work: Path
    environment: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    builder: subprocess.Popen[bytes] | None = None
    ready: dict[str, bool] = field(default_factory=dict)  # steps that were done, and whether they ended well

    def run(self, plan: Plan) -> bool:
        """Whether everything passed."""
        began = time.monotonic()
        parts = plan.parts
        try:
            if self._step(ENVIRONMENT):
                self._begin_building(parts)
                for number, part in enumerate(parts):
                    self._part(part)
                    if part.cloud and not any(later.cloud for later in parts[number + 1 :]):
                        self._step(CLOUD_DOWN)
        finally:
            if self.builder is not None and self.builder.poll() is None:
                self.builder.terminate()
        print(f"\n=== in all: {time.monotonic() - began:.0f} s", *self.rows, sep="\n", flush=True)
        return all(row.passed for row in self.rows)

    def _part(self, part: Part) -> None:
        missing = next((step.name for step in self._before(part) if not self._step(step)), "")
        if missing:
            self._note(Row(part.name, 0, passed=False, more=f"not begun: {missing} failed"))
            return
        print(f"\n=== {part.name}", flush=True)
        record_it = self.recorder.watch(part)
        counts, began = bounded.Counts(), time.monotonic()
        commands = [within(part.bound - ENDING, command) for command in part.commands]
        commands = [self._with_key(command) if MACHINE in needs(part) else command for command in commands]
        ended = self._commands(commands, part.bound, counts)
        seconds = time.monotonic() - began
        more = f"killed after {part.bound} s, its bound" if ended.overdue else str(counts)
        if ended.passed and (why := record_it(seconds, str(counts))):
            more += f"; not recorded: {why}"
        self._note(Row(part.name, seconds, ended.passed, more))

    def _before(self, part: Part) -> list[Step]:
        return [step for step in needs(part) if step not in (ENVIRONMENT, CLOUD_DOWN)]

    def _step(self, step: Step) -> bool:
        """Do what parts need, once; whether that ended well."""
        if step.name not in self.ready:
            if step is not ENVIRONMENT:
                self._end_building()  # nothing goes on beside parts that look at the whole machine
            print(f"\n=== {step.name}", flush=True)
            began = time.monotonic()
            ended = self._commands([step.command], step.bound, bounded.Counts())
            self._note(Row(step.name, time.monotonic() - began, ended.passed, f"killed after {step.bound} s" if ended.overdue else ""))
            self.ready[step.name] = ended.passed
        return self.ready[step.name]

    def _commands(self, commands: Sequence[Command], seconds: float, counts: bounded.Counts) -> bounded.Ended:
        end = time.monotonic() + seconds
        ended = bounded.Ended(0)
        for command in commands:
            ended = bounded.run(command, end - time.monotonic(), self.environment, counts)
            if not ended.passed:
                break
        return ended

    def _with_key(self, command: Command) -> Command:
        """Nodes are reached by ssh: an agent holds a key of the proof's own, so that it needs none of the user's."""
        key = self.work / "key"
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "sky.clusters test", "-f", str(key)], check=True)
        return ("ssh-agent", "sh", "-c", 'ssh-add -q "$0" && exec "$@"', str(key), *command)

    def _begin_building(self, parts: Sequence[Part]) -> None:
        """What the test cloud starts from takes minutes to build, once: it goes on beside the parts that touch nothing outside the clone."""
        if any(part.cloud for part in parts) and any(not part.machine for part in parts):
            self.builder = subprocess.Popen(
                ["nice", *BUILD.command], env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )

    def _end_building(self) -> None:
        """If it failed, the step itself says why."""
        if self.builder is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.builder.wait(BUILD.bound)

    def _note(self, row: Row) -> None:
        self.rows.append(row)
        print(row, flush=True)


def within(seconds: int, command: Command) -> Command:
    """A command with its time, which is none of what a part's result depends on."""
    return (command[0], "--session-timeout", str(seconds), *command[1:]) if command[0] == "pytest" else command


@contextlib.contextmanager
def prepared(root: Path, file: Path) -> Iterator[Proof]:
    """A proof with a folder of its own for as long as it runs."""
    environment = os.environ | {"PATH": f"{root / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory(prefix="sky-proof-") as work:
        yield Proof(root, Recorder(root, file), Path(work), environment)


def prove(root: Path, plan: Plan, file: Path) -> int:
    with prepared(root, file) as proof:
        if (obstacle := proof.recorder.obstacle()) and any(part.name in NAMES for part in plan.parts):
            print(f"test.sh: nothing is recorded in {PROVED}: {obstacle}", file=sys.stderr)
        return 0 if proof.run(plan) else 1
