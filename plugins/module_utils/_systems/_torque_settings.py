# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the settings of a batch system, before a node is touched: its server would not start with them. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ._system import Check

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,30}")
PROPERTY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
WALLTIME = re.compile(r"(\d+-)?(\d+:)?\d+:\d\d")
MOST_PRIORITY = 65533
ENGINES = {
    "torque": "TORQUE has had no release since 2020 and is in no Debian release",
    "openpbs": "OpenPBS is in no Debian release",
}
Entry = Mapping[str, Any]


def engine(value: str) -> str:
    """Only Slurm can be installed from what the nodes' distribution ships."""
    return (
        f"'{value}' cannot be installed: {ENGINES[value]}; slurm offers the same commands (see the guide Batch clusters)" if value in ENGINES else ""
    )


def queues(entries: Sequence[Entry]) -> str:
    """The first fault of the queues."""
    if not entries:
        return "must name a queue"
    names = [str(entry["name"]) for entry in entries]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        return f"'{twice[0]}' is listed twice"
    return next((f"entry {number} ('{entry['name']}'): {reason}" for number, entry in enumerate(entries) for reason in _queue(entry)), "")


def _queue(entry: Entry) -> Iterator[str]:
    if not NAME.fullmatch(str(entry["name"])):
        yield "'name' must be letters, digits, _ and -, a letter first, at most 31 characters"
    for key in ("max_walltime", "default_walltime"):
        if entry.get(key) is not None and not WALLTIME.fullmatch(str(entry[key])):
            yield f"'{key}' must be [[days-]hours:]minutes:seconds in quotes, such as \"24:00:00\", got {entry[key]!r}"
            return
    most, default = (_seconds(str(entry[key])) if entry.get(key) is not None else None for key in ("max_walltime", "default_walltime"))
    if most is not None and default is not None and default > most:
        yield f"'default_walltime' must not be more than 'max_walltime', got {entry['default_walltime']} and {entry['max_walltime']}"
    for key in ("max_nodes", "max_ppn", "max_memory"):
        if entry.get(key) is not None and int(entry[key]) < 1:
            yield f"'{key}' must be 1 or more, got {entry[key]}"
    if not 0 <= int(entry.get("priority") or 0) <= MOST_PRIORITY:
        yield f"'priority' must be from 0 to {MOST_PRIORITY}, got {entry['priority']}"
    if entry.get("property") and not PROPERTY.fullmatch(str(entry["property"])):
        yield f"'property' must be letters, digits, _, - and ., a letter first, got {entry['property']!r}"


def _seconds(walltime: str) -> int:
    days, _dash, clock = walltime.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    hours, minutes, seconds = [0] * (3 - len(parts)) + parts
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds


def properties(values: Sequence[Any]) -> str:
    """The first bad name of a property."""
    wrong = [value for value in values if not PROPERTY.fullmatch(str(value))]
    return f"must be names of letters, digits, _, - and ., a letter first, got {wrong[0]!r}" if wrong else ""


def reservations(entries: Sequence[Entry]) -> str:
    """The first fault of the reservations."""
    names = [str(entry["name"]) for entry in entries]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        return f"'{twice[0]}' is listed twice"
    return next((f"entry {number} ('{entry['name']}'): {reason}" for number, entry in enumerate(entries) for reason in _reservation(entry)), "")


def _reservation(entry: Entry) -> Iterator[str]:
    if not NAME.fullmatch(str(entry["name"])):
        yield "'name' must be letters, digits, _ and -, a letter first, at most 31 characters"
    times = {}
    for key in ("start", "end"):
        try:
            times[key] = datetime.datetime.fromisoformat(str(entry[key]))
        except ValueError:
            yield f"'{key}' must be a time such as 2026-12-01T08:00, got {entry[key]!r}"
            return
        if times[key].tzinfo:
            yield f"'{key}' must be a time on the clock of the server, without a time zone, got {entry[key]!r}"
            return
    if times["end"] <= times["start"]:
        yield f"'end' must be after 'start', got {entry['start']} and {entry['end']}"


def shares(values: Mapping[str, Any]) -> str:
    """The first bad number of shares."""
    wrong = [(name, value) for name, value in values.items() if not str(value).isdigit() or int(value) < 1]
    return f"{wrong[0][0]}: must be a whole number, 1 or more, got {wrong[0][1]!r}" if wrong else ""


def half_life(value: int) -> str:
    return "" if value >= 1 else f"must be 1 or more, got {value}"


def confine(value: Any) -> str:
    return "" if value == "auto" or str(value).lower() in ("true", "false", "yes", "no") else f"must be auto, true or false, got {value!r}"


def shared_folders(values: Sequence[Any]) -> str:
    """The first bad path."""
    wrong = [value for value in values if not str(value).startswith("/")]
    return f"must be absolute paths, got {wrong[0]!r}" if wrong else ""


CHECKS: Mapping[str, Check] = {
    "torque_engine": engine,
    "torque_node_properties": properties,
    "torque_server_confine": confine,
    "torque_server_half_life": half_life,
    "torque_server_queues": queues,
    "torque_server_reservations": reservations,
    "torque_server_shares": shares,
    "torque_shared_folders": shared_folders,
}
