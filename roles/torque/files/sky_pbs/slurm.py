# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Slurm knows of jobs, nodes and queues, and what it is asked to do."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .values import PbsError

SEPARATOR = "\x1f"
JOB_FIELDS = {
    "id": "%i", "base": "%F", "raw": "%A", "name": "%j", "user": "%u", "group": "%g", "queue": "%P", "state": "%T", "used": "%M", "limit": "%l",
    "left": "%L", "nodes": "%D", "processors": "%C", "hosts": "%N", "reason": "%r", "submitted": "%V", "started": "%S", "ended": "%e",
    "folder": "%Z", "comment": "%k", "dependency": "%E", "memory": "%m", "account": "%a", "nice": "%y", "script": "%o", "priority": "%Q",
    "required": "%n", "features": "%f",
}  # fmt: skip
# The letter that PBS shows for a state of Slurm's
LETTERS = {
    "RUNNING": "R", "COMPLETING": "E", "STAGE_OUT": "E", "CONFIGURING": "R", "SUSPENDED": "S", "PENDING": "Q", "REQUEUED": "Q", "REQUEUE_HOLD": "H",
    "SPECIAL_EXIT": "H", "SIGNALING": "R", "RESIZING": "R", "STOPPED": "S", "PREEMPTED": "C",
}  # fmt: skip
HELD = ("JobHeldUser", "JobHeldAdmin", "JobHoldMaxRequeue", "Dependency", "DependencyNeverSatisfied")
WAITING = ("BeginTime",)
YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Job:
    """A job, or an index of an array, in Slurm's words."""

    fields: Mapping[str, str]

    def __getattr__(self, name: str) -> str:
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def letter(self) -> str:
        """Its state as PBS shows it."""
        if self.fields["state"] == "PENDING":
            reason = self.fields["reason"]
            return "H" if reason in HELD else "W" if reason in WAITING else "Q"
        return LETTERS.get(self.fields["state"], "C")

    @property
    def kept(self) -> Mapping[str, Any]:
        """What qsub kept with it; nothing if something else submitted it."""
        try:
            found = json.loads(self.fields["comment"])
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def charged(self) -> str:
        """The account that qsub was given, or that of Slurm."""
        account = str(self.kept.get("account", "")) or self.fields["account"]
        return "" if account == "(null)" else account

    @property
    def walltime(self) -> int | None:
        """How many seconds it may run; None if it may run for ever, which Slurm takes for a year."""
        limit = duration(self.fields["limit"])
        return None if limit == YEAR and "walltime" not in self.kept.get("list", {}) else limit

    @property
    def seconds(self) -> int:
        """How long it has run."""
        return duration(self.fields["used"]) or 0


@dataclass(frozen=True)
class Node:
    """A node of the batch system."""

    name: str
    address: str
    processors: int
    used: int
    memory: int  # MiB
    states: tuple[str, ...]
    properties: tuple[str, ...]
    queues: tuple[str, ...]
    reason: str

    @property
    def down(self) -> bool:
        return bool({"DOWN", "UNKNOWN", "FAIL"} & set(self.states))

    @property
    def offline(self) -> bool:
        return "DRAIN" in self.states

    @property
    def state(self) -> str:
        """Its state as PBS shows it."""
        if self.down:
            return "down,offline" if self.offline else "down"
        if self.offline:
            return "offline"
        return "job-exclusive" if self.used >= self.processors else "free"


NONE = "sky-none"  # a node that the configuration has where there is none


@dataclass(frozen=True)
class Queue:
    """A queue, which is a partition of Slurm's."""

    name: str
    fields: Mapping[str, str]

    @property
    def default(self) -> bool:
        return self.fields.get("Default") == "YES"

    @property
    def enabled(self) -> bool:
        """Whether it takes jobs."""
        return self.fields.get("State") in ("UP", "DOWN")

    @property
    def started(self) -> bool:
        """Whether its jobs are run."""
        return self.fields.get("State") in ("UP", "DRAIN")

    def limit(self, name: str) -> str:
        """One of its limits; empty where it has none."""
        value = self.fields.get(name, "")
        return "" if value in ("UNLIMITED", "NONE", "0", "(null)") else value


@dataclass(frozen=True)
class Reservation:
    """Nodes that are kept free for a time."""

    name: str
    start: datetime.datetime
    end: datetime.datetime
    nodes: str


def run(command: Sequence[str], **more: Any) -> str:
    """What a command of Slurm's answers.

    Raises:
        PbsError: it failed; with its own words.
    """
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, check=False, **more)
    except FileNotFoundError:
        raise PbsError(f"{command[0]} is not installed on this node") from None
    if done.returncode != 0:
        raise PbsError(said(done.stderr or done.stdout) or f"{command[0]} failed")
    return str(done.stdout)


def said(text: str) -> str:
    """The last words of an error of Slurm's, without the name of the program."""
    lines = [re.sub(r"^\w+: (error: |fatal: )?", "", line).strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("Batch job submission failed") or len(lines) == 1 or ":" in line]
    return re.sub(r"^Batch job submission failed: ", "", lines[-1]) if lines else ""


def jobs(wanted: Iterable[str] = (), user: str = "") -> list[Job]:
    """Jobs that wait, run or have ended within the last minutes."""
    layout = SEPARATOR.join(JOB_FIELDS.values())
    chosen = [f"--jobs={','.join(wanted)}"] if wanted else []
    owner = [f"--user={user}"] if user else []
    try:
        text = run(["squeue", "--noheader", "--all", "--states=all", "--array", *chosen, *owner, f"--format={layout}"])
    except PbsError as error:
        if "Invalid job id" not in str(error):
            raise
        return []
    rows = (line.split(SEPARATOR) for line in text.splitlines() if line)
    return [Job(dict(zip(JOB_FIELDS, row, strict=False))) for row in rows if len(row) == len(JOB_FIELDS)]


def records(text: str) -> Iterator[dict[str, str]]:
    """The lines of ``scontrol --oneliner``; a value may hold blanks."""
    for line in text.splitlines():
        found = re.findall(r"(?:^|\s)([A-Z][\w:/]*)=(.*?)(?=\s[A-Z][\w:/]*=|$)", line)
        if found:
            yield {key: value.strip() for key, value in found}


def nodes() -> list[Node]:
    """All nodes, in the order of their names."""
    shown = records(run(["scontrol", "show", "node", "--all", "--oneliner"]))
    found = [_node(record) for record in shown if record.get("NodeName", NONE) != NONE]
    return sorted(found, key=lambda node: natural(node.name))


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts node-10 behind node-9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _node(record: Mapping[str, str]) -> Node:
    reason = re.sub(r"\s*\[\w+@[^]]*\]$", "", record.get("Reason", ""))
    return Node(
        name=record["NodeName"],
        address=record.get("NodeAddr", ""),
        processors=int(record.get("CPUTot", 0)),
        used=int(record.get("CPUAlloc", 0)),
        memory=int(record.get("RealMemory", 0)),
        states=tuple(re.sub(r"[*~#!%$@^-]", "", record.get("State", "")).split("+")),
        properties=tuple(item for item in record.get("AvailableFeatures", "").split(",") if item not in ("", "(null)")),
        queues=tuple(record.get("Partitions", "").split(",")),
        reason=reason,
    )


def queues() -> list[Queue]:
    """All queues, in the order of their names: also those that this user may not use."""
    found = [
        Queue(record["PartitionName"], record)
        for record in records(run(["scontrol", "show", "partition", "--all", "--oneliner"]))
        if "PartitionName" in record
    ]
    return sorted(found, key=lambda queue: queue.name)


def most_index() -> int | None:
    """The highest index of an array; None if the server does not say."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", run(["scontrol", "show", "config"]), re.MULTILINE)
    return int(found[1]) - 1 if found else None


def reservations() -> list[Reservation]:
    """All reservations, in the order of their times."""
    found = [
        Reservation(
            record["ReservationName"],
            datetime.datetime.fromisoformat(record["StartTime"]),
            datetime.datetime.fromisoformat(record["EndTime"]),
            record.get("Nodes", ""),
        )
        for record in records(run(["scontrol", "show", "reservation", "--oneliner"]))
        if "ReservationName" in record
    ]
    return sorted(found, key=lambda each: (each.start, each.name))


def exit_status(job: str) -> int | None:
    """The exit status that PBS shows of a job that has ended: 256 and the number of a signal; None if Slurm no longer knows it."""
    found = next(records(run(["scontrol", "show", "job", "--oneliner", job])), {})
    return status_of(found.get("JobState", ""), found.get("ExitCode", ""))


def status_of(state: str, code: str) -> int | None:
    """PBS's exit status from Slurm's state and its exit code ``0:15``."""
    number, _colon, signal = code.partition(":")
    if not number.isdigit() or not state:
        return None
    if state == "TIMEOUT":
        return -11
    if state == "CANCELLED":
        return 271
    if state == "OUT_OF_MEMORY":  # as a job that is killed for its memory ends in TORQUE; Slurm has a code of its own
        return 265
    return 256 + int(signal) if signal.isdigit() and int(signal) else int(number)


def expand(hosts: str) -> list[str]:
    """The names in ``a-[0-2,5],b``."""
    found: list[str] = []
    for item in re.findall(r"[^,\[]+(?:\[[^]]*\])?[^,\[]*", hosts):
        match = re.fullmatch(r"([^\[]*)\[([^]]*)\](.*)", item)
        if not match:
            found.append(item)
            continue
        before, ranges, after = match.groups()
        for part in ranges.split(","):
            first, _dash, last = part.partition("-")
            width = len(first)
            found += [f"{before}{index:0{width}d}{after}" for index in range(int(first), int(last or first) + 1)]
    return [name for name in found if name]


def duration(text: str) -> int | None:
    """Seconds of Slurm's [days-][[hours:]minutes:]seconds; None where there is no limit."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(?:(\d+):)?(\d+):)?(\d+)", text.strip())
    if not found:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
