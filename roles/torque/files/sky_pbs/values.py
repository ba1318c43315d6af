# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers, times and names as PBS writes them."""

from __future__ import annotations

import datetime
import re

UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
WORD = 8  # bytes of a word, the unit of sizes that end in w
SIZE = re.compile(r"(\d+)\s*([kmgtp]?)([bw]?)", re.IGNORECASE)
DATE = re.compile(r"(?:(?:(?:(\d\d)?(\d\d))?(\d\d))?(\d\d))?(\d\d)(\d\d)(?:\.(\d\d))?")
JOB = re.compile(r"(\d+)(?:\[(\d*)\]|_(\d+))?(?:\.[A-Za-z0-9_.-]+)?(?:@[A-Za-z0-9_.-]+)?")


class PbsError(Exception):
    """What a user asked for cannot be done; the message is one sentence."""


class UsageError(PbsError):
    """A command was called in another way than its manual says; TORQUE's commands end with 2 then."""


def items(text: str, what: str) -> list[str]:
    """The parts of a list, in which commas separate and quotes protect.

    Raises:
        PbsError: a quote has no counterpart.
    """
    found, part, quote = [], "", ""
    for letter in text:
        if letter == "," and not quote:
            found.append(part)
            part = ""
            continue
        if letter in "\"'" and quote in ("", letter):
            quote = "" if quote else letter
        part += letter
    if quote:
        raise PbsError(f"{what}: the quote {quote} in {part.strip()} has no counterpart")
    return [each for each in (*found, part) if each.strip()]


def unquoted(text: str) -> str:
    """A value without the pair of quotes around the whole of it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1] else text


def seconds(text: str, what: str) -> int:
    """A duration: seconds, or [[days:]hours:]minutes:seconds.

    Args:
        what: the option or resource, for the error.
    """
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 4 or not all(re.fullmatch(r"\d+", part) for part in parts[:-1]) or not re.fullmatch(r"\d+(\.\d*)?", parts[-1]):
        raise PbsError(f"{what}: must be seconds or [[days:]hours:]minutes:seconds, got '{text}'")
    weights = (1, 60, 3600, 86400)
    return sum(int(float(part)) * weight for part, weight in zip(reversed(parts), weights, strict=False))


def clock(duration: int) -> str:
    """A duration as hours:minutes:seconds."""
    return f"{duration // 3600:02d}:{duration // 60 % 60:02d}:{duration % 60:02d}"


def size(text: str, what: str) -> int:
    """A size in bytes, such as 4gb, 512mw or 1024."""
    found = SIZE.fullmatch(text.strip())
    if not found:
        raise PbsError(f"{what}: must be a size such as 512mb or 4gb, got '{text}'")
    number, unit, kind = found.groups()
    return int(number) * UNITS[unit.lower() or "b"] * (WORD if kind.lower() == "w" else 1)


def number(text: str, what: str, least: int = 1, most: int | None = None) -> int:
    """A whole number within bounds."""
    wanted = f"a whole number from {least} to {most}" if most is not None else f"a whole number, {least} or more"
    if not re.fullmatch(r"[+-]?\d+", text.strip()) or int(text) < least or (most is not None and int(text) > most):
        raise PbsError(f"{what}: must be {wanted}, got '{text}'")
    return int(text)


def moment(text: str, now: datetime.datetime, what: str = "-a") -> datetime.datetime:
    """The time that [[[[CC]YY]MM]DD]hhmm[.SS] names; as with TORQUE, a month that is over is one of the next year, a day that is over one of the
    next month, and a time that is over one of tomorrow."""
    found = DATE.fullmatch(text.strip())
    if not found:
        raise PbsError(f"{what}: must be a time [[[[CC]YY]MM]DD]hhmm[.SS], got '{text}'")
    century, year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups())
    ahead = year is None and (month < now.month if month is not None else day is not None and day < now.day)
    chosen_year = now.year if year is None else (now.year // 100 if century is None else century) * 100 + year
    chosen_month = now.month if month is None else month
    if ahead and (month is not None or chosen_month == 12):
        chosen_year += 1
    if ahead and month is None:
        chosen_month = chosen_month % 12 + 1
    try:
        wanted = now.replace(
            year=chosen_year, month=chosen_month, day=now.day if day is None else day,
            hour=hour or 0, minute=minute or 0, second=second or 0, microsecond=0,
        )  # fmt: skip
    except ValueError as error:
        raise PbsError(f"{what}: '{text}' is no time: {error}") from None
    if day is None and wanted < now:
        wanted += datetime.timedelta(days=1)
    return wanted


def job_id(text: str) -> str:
    """A job as Slurm names it, from 12, 12.server, 12[3], 12[] or 12[3].server."""
    found = JOB.fullmatch(text.strip())
    if not found:
        raise PbsError(f"'{text}' is no job: a job is called by its number, such as 12, 12.server, 12[3] or 12[]")
    number, index, other = found.groups()
    task = index or other
    return f"{number}_{task}" if task else number


def is_job(text: str) -> bool:
    return bool(JOB.fullmatch(text.strip()))


def shown_id(job: str, server: str) -> str:
    """A job as PBS names it, from 12, 12_3 or 12_[4-6]."""
    number, _line, task = job.partition("_")
    if not task:
        return f"{number}.{server}"
    return f"{number}[{task}].{server}" if task.isdigit() else f"{number}[].{server}"
