# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/proved.tsv: for each part the inputs with which it last passed. Only runs write it, never people."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

PROVED = "tests/proved.tsv"


class RecordError(Exception):
    """The record cannot be read."""


@dataclass(frozen=True)
class Line:
    """A run of a part that passed.

    Attributes:
        date: UTC, ISO 8601, to the second.
        counts: such as ``210 tests``.
    """

    part: str
    inputs: str
    date: str
    seconds: int
    counts: str


HEADING = "\t".join(field.name for field in fields(Line))


def read(path: Path) -> dict[str, Line]:
    """The record by part; empty where there is no file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from None
    heading, *rows = text.splitlines() or [""]
    if heading != HEADING:
        raise RecordError(f"{path}:1: must be the heading {HEADING!r}; delete the file to have all parts run again")
    found: dict[str, Line] = {}
    for number, row in enumerate(rows, start=2):
        line = _line(row, f"{path}:{number}")
        if line.part in found:
            raise RecordError(f"{path}:{number}: part {line.part!r} is there twice; delete both lines to have it run again")
        found[line.part] = line
    return found


def _line(row: str, place: str) -> Line:
    words = row.split("\t")
    if len(words) == len(fields(Line)):
        part, inputs, date, seconds, counts = words
        if re.fullmatch(r"[a-z_]+", part) and re.fullmatch(r"[0-9a-f]+", inputs) and re.fullmatch(r"[0-9]{1,6}", seconds) and _is_date(date):
            return Line(part, inputs, date, int(seconds), counts)
    raise RecordError(f"{place}: is not a line that a run wrote: {row!r}; delete it to have its part run again")


def _is_date(text: str) -> bool:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ") is not None
    except ValueError:
        return False


def write(path: Path, line: Line) -> None:
    """Put a line in the place of the part's last one. Runs of several clones may write the same file."""
    with _alone(path.parent):
        known: Mapping[str, Line] = read(path) | {line.part: line}
        rows = ["\t".join(str(getattr(known[part], field.name)) for field in fields(Line)) for part in sorted(known)]
        new = path.with_name(f".{path.name}.new")
        new.write_text("\n".join([HEADING, *rows]) + "\n", encoding="utf-8")
        new.replace(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
