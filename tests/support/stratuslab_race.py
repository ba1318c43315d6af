# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that race for one lock of a StratusLab site, some of which crash or sleep too long while they hold it.

As a program it is one of them: ``python -m ...stratuslab_race USER_FILE CA_FILE NUMBER SECONDS``. It prints a line of JSON for each time that it held
the lock: from when until when, by the clock of the machine, and how that ended.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Lease, Locked, Scope, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, StratusLabOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._lock import now

TTL = 2.0  # s
CRASHES, SLEEPS = 0.1, 0.1  # shares of the holds that end in these ways


@dataclass(frozen=True)
class Hold:
    """One time that a process held the lock, as far as it knew."""

    since: float
    until: float
    how: str
    broken: bool


def race(user_file: str, ca_file: str, seconds: float, count: int = 8) -> list[Hold]:
    """Let so many processes race for so long; all their holds, in the order of their beginning."""
    command = [sys.executable, "-m", __name__, user_file, ca_file]
    racers = [subprocess.Popen([*command, str(number), str(seconds)], stdout=subprocess.PIPE, text=True) for number in range(count)]
    lines = [line for racer in racers for line in racer.communicate(timeout=seconds + 120)[0].splitlines()]
    if any(racer.returncode for racer in racers):
        raise RuntimeError(f"a racer ended with an error: {[racer.returncode for racer in racers]}")
    return sorted((Hold(**json.loads(line)) for line in lines), key=lambda hold: hold.since)


def doubles(holds: Sequence[Hold]) -> list[tuple[Hold, Hold]]:
    """Holds that overlap."""
    return [(one, other) for place, one in enumerate(holds) for other in holds[place + 1 :] if other.since < one.until]


def summary(holds: Sequence[Hold]) -> str:
    ways = Counter(hold.how for hold in holds)
    return f"{len(holds)} holds, {sum(hold.broken for hold in holds)} after a break; ended: {dict(ways)}; double holders: {len(doubles(holds))}"


def main(user_file: str, ca_file: str, number: str, seconds: str) -> None:
    spread = random.Random(int(number))
    cloud = StratusLabCloud("race", StratusLabOptions(image="none", user_file=user_file, ca_file=ca_file), Scope("race"))
    end = now() + float(seconds)
    for turn in range(10**6):
        if now() > end:
            return
        began = now()
        with contextlib.suppress(Locked, Unavailable):
            lease = cloud.lock(f"racer {number} ({turn})", TTL)
            for hold in _held(cloud, lease, began, spread):
                print(json.dumps(hold.__dict__), flush=True)
        time.sleep(spread.random() * 0.2)


def _held(cloud: StratusLabCloud, lease: Lease, began: float, spread: random.Random) -> Iterator[Hold]:
    """Hold the lock for a while. Nobody counts on it longer than its time after the last renewal that was confirmed in time."""
    since, counted = now(), began + TTL
    way = spread.random()
    for _renewal in range(spread.randrange(4)):
        time.sleep(TTL / 4)
        sent = now()
        try:
            cloud.renew(lease, TTL)
        except Locked:
            yield Hold(since, min(now(), counted), "lost", bool(lease.broken))
            return
        counted = sent + TTL
    if way < CRASHES:
        yield Hold(since, counted, "crashed", bool(lease.broken))  # it might have worked until then
        return
    if way < CRASHES + SLEEPS:
        time.sleep(TTL * 1.5)
        with contextlib.suppress(Locked):
            cloud.renew(lease, TTL)
            raise RuntimeError("a lease was renewed after its time had passed")
        yield Hold(since, counted, "overslept", bool(lease.broken))
        return
    until = min(now(), counted)
    cloud.unlock(lease)
    yield Hold(since, until, "released", bool(lease.broken))


if __name__ == "__main__":
    main(*sys.argv[1:])
