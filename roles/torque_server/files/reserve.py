# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep nodes free for maintenance: the reservations that the cluster's variables list, and no others of theirs.

Argument: the file that keeps which reservations were made here. Standard input: a list of ``name``, ``start``, ``end``, and ``nodes`` unless it is
about all of them.
"""

import datetime
import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ReservationError(Exception):
    """A reservation cannot be made; the message is one sentence."""


@dataclass(frozen=True)
class Reservation:
    """Nodes that are kept free for a time."""

    name: str
    start: datetime.datetime
    end: datetime.datetime
    nodes: frozenset[str]
    all: bool = False

    def same(self, other: "Reservation", now: datetime.datetime) -> bool:
        """Whether another one is as this one should be. When it began counts no more once it has begun."""
        timely = self.start == other.start or (self.start <= now and other.start <= now)
        return timely and self.end == other.end and self.nodes == other.nodes

    def words(self, now: datetime.datetime) -> list[str]:
        """As scontrol takes it."""
        start = f"{self.start:%Y-%m-%dT%H:%M:%S}" if self.start > now else "now"
        return [f"StartTime={start}", f"EndTime={self.end:%Y-%m-%dT%H:%M:%S}", f"Nodes={'ALL' if self.all else ','.join(sorted(self.nodes))}"]


def scontrol(*words: str) -> str:
    done = subprocess.run(["scontrol", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReservationError(f"'scontrol {' '.join(words)}' failed: {' '.join((done.stderr or done.stdout).split())}")
    return done.stdout


def fields(text: str, key: str) -> dict[str, dict[str, str]]:
    """The lines of ``scontrol --oneliner``, by one of their fields."""
    found = (dict(re.findall(r"(\w+)=(\S*)", line)) for line in text.splitlines())
    return {each[key]: each for each in found if key in each}


def asked(entries: Sequence[Mapping[str, Any]], nodes: Collection[str]) -> list[Reservation]:
    """What the variables list.

    Args:
        nodes: names of all nodes.
    """
    found = []
    for each in entries:
        names = each.get("nodes") or []
        unknown = [name for name in names if name not in nodes]
        if unknown:
            raise ReservationError(f"{each['name']}: there is no node {unknown[0]}; there are: {', '.join(sorted(nodes)) or 'none'}")
        start, end = (datetime.datetime.fromisoformat(each[key]) for key in ("start", "end"))
        found.append(Reservation(each["name"], start, end, frozenset(names or nodes), not names))
    return found


def existing(shown: Mapping[str, Mapping[str, str]]) -> dict[str, Reservation]:
    """What Slurm has."""
    found = {}
    for name, each in shown.items():
        start, end = (datetime.datetime.fromisoformat(each[key]) for key in ("StartTime", "EndTime"))
        found[name] = Reservation(name, start, end, frozenset(scontrol("show", "hostnames", each.get("Nodes", "")).split()))
    return found


def plan(wanted: Sequence[Reservation], current: Mapping[str, Reservation], own: Collection[str], now: datetime.datetime) -> Iterator[list[str]]:
    """What scontrol has to do.

    Args:
        own: names of those that were made here.
    """
    coming = {each.name: each for each in wanted if each.end > now and each.nodes}
    yield from (["delete", f"ReservationName={name}"] for name in sorted(own) if name in current and name not in coming)
    for name, each in coming.items():
        if name not in current:
            yield ["create", "reservation", f"ReservationName={name}", "Users=root", "Flags=MAINT,IGNORE_JOBS", *each.words(now)]
        elif name not in own:
            raise ReservationError(f"{name}: there is a reservation of this name that was made by hand: choose another name, or delete it by hand")
        elif not each.same(current[name], now):
            yield ["update", f"ReservationName={name}", *each.words(now)]


def main(record: Path) -> bool:
    entries = json.load(sys.stdin)
    own = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else []
    if not entries and not own:
        return False
    wanted = asked(entries, fields(scontrol("show", "node", "--oneliner"), "NodeName"))
    current = existing(fields(scontrol("show", "reservation", "--oneliner"), "ReservationName"))
    words = list(plan(wanted, current, own, datetime.datetime.now()))
    # before they are made: one that is made and not recorded would be taken for one made by hand
    record.write_text(json.dumps(sorted({*own, *(each.name for each in wanted)})), encoding="utf-8")
    for each in words:
        scontrol(*each)
    record.write_text(json.dumps(sorted(each.name for each in wanted)), encoding="utf-8")
    return bool(words)


if __name__ == "__main__":
    try:
        sys.stdout.write("changed\n" if main(Path(sys.argv[1])) else "")
    except ReservationError as error:
        sys.exit(f"torque_server_reservations: {error}")
