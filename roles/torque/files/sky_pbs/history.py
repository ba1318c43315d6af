# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that have ended, from the file in which Slurm records each of them at its end."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .slurm import JOB_FIELDS, Job

FIELD = re.compile(r"(\w+)=(.*?)(?= \w+=|$)")
NAMES = {
    "id": "JobId", "base": "JobId", "raw": "JobId", "name": "Name", "queue": "Partition", "state": "JobState", "limit": "TimeLimit",
    "nodes": "NodeCnt", "processors": "ProcCnt", "hosts": "NodeList",
    "submitted": "SubmitTime", "started": "StartTime", "ended": "EndTime", "folder": "WorkDir",
    "account": "Account", "exit": "ExitCode",
}  # fmt: skip


def jobs(text: str) -> Iterator[Job]:
    """The jobs of a file."""
    for line in text.splitlines():
        record = dict(FIELD.findall(line))
        if "JobId" not in record:
            continue
        fields = dict.fromkeys(JOB_FIELDS, "") | {key: record.get(name, "") for key, name in NAMES.items()}
        fields |= {"user": record.get("UserId", "").partition("(")[0], "group": record.get("GroupId", "").partition("(")[0]}
        if record.get("ArrayJobId") and record.get("ArrayTaskId"):
            fields |= {"id": f"{record['ArrayJobId']}_{record['ArrayTaskId']}", "base": record["ArrayJobId"]}
        fields |= {"used": _used(record), "reason": "None", "limit": _limit(record.get("TimeLimit", ""))}
        yield Job(fields)


def _limit(minutes: str) -> str:
    return f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}:00" if minutes.isdigit() else minutes


def _used(record: dict[str, str]) -> str:

    try:
        begun, ended = (datetime.datetime.fromisoformat(record[name]) for name in ("StartTime", "EndTime"))
    except (KeyError, ValueError):
        return "0:00"
    total = max(0, int((ended - begun).total_seconds()))
    return f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}"


@dataclass
class Use:
    """What a user has used in a month."""

    user: str
    month: str
    jobs: int = 0
    failed: int = 0
    core_seconds: int = 0

    def plain(self) -> dict[str, object]:
        hours = round(self.core_seconds / 3600, 2)
        return {"user": self.user, "month": self.month, "jobs": self.jobs, "failed": self.failed, "core_hours": hours}


def usage(ended: Iterable[Job]) -> list[Use]:
    """What each user has used in each month, by the ends of the jobs. One that was queued again has used all of its runs, and ended with the last."""
    runs = list(ended)
    found: dict[tuple[str, str], Use] = {}
    last = {job.raw: number for number, job in enumerate(runs)}
    for number, job in enumerate(runs):
        key = (job.ended[:7], job.user)
        use = found.setdefault(key, Use(job.user, key[0]))
        use.core_seconds += job.seconds * int(job.processors or 1)
        if last[job.raw] == number:
            use.jobs += 1
            use.failed += job.state != "COMPLETED"
    return [found[key] for key in sorted(found)]


def read(path: Path) -> list[Job]:
    """All of their runs; none where the file is on another node, or not there yet."""
    try:
        return list(jobs(path.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return []


def ended(path: Path) -> list[Job]:
    """All of them, each with its last run."""
    return list({job.id: job for job in read(path)}.values())
