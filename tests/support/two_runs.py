# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs of one cluster file that meet, or do not: what must hold whatever they are at."""

from __future__ import annotations

import random
import re
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from typing import IO

from ansible_collections.sky.clusters.tests.support.site import Played, Site

REFUSED = re.compile(r"cluster \S+ is being changed by \S+@\S+ \(process \d+\) since \S+ \S+ UTC \(cloud \S+\): run again when it has finished")
FAILURE = re.compile(r"^(?:fatal|failed): .*", re.MULTILINE)
SECONDS = 600


@dataclass(frozen=True)
class Move:
    """What one run is to do."""

    size: int  # of the pool; 0: the cluster is destroyed
    wait: int = 0  # s for another run

    def start(self, site: Site, pool: str, output: IO[str]) -> subprocess.Popen[str]:
        wait = ("-e", f"sky_wait={self.wait}")
        if not self.size:
            return site.start("destroy", *site.with_data, *wait, output=output)
        return site.start("cluster", "-e", f'{{"sky_counts": {{"{pool}": {self.size}}}}}', *wait, output=output)

    def __str__(self) -> str:
        return (f"{self.size} node(s)" if self.size else "destroy") + (" (waits)" if self.wait else "")


class Running:
    """A run on its way; its output goes into a file, since nobody reads it meanwhile."""

    def __init__(self, move: Move, site: Site, pool: str) -> None:
        self.move = move
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  closed by `end`
        self._process = move.start(site, pool, self._said)

    def lives(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def end(self) -> Played:
        """Wait for its end, which must be a good one, or the one sentence before its first change."""
        with self._said:
            code = self._process.wait(SECONDS)
            self._said.seek(0)
            played = Played(code, self._said.read())
        failures = FAILURE.findall(played.output)
        assert code == 0 or (len(failures) == 1 and REFUSED.search(failures[0])), played.output
        assert code == 0 or set(played.changed.values()) <= {0}, played.output
        assert code == 0 or not self.move.wait, played.output
        return played


def trial(site: Site, pool: str, chance: random.Random, longest: float = 60.0) -> str:
    """Start two runs at a random distance, see both end, and run once more: that changes nothing.

    Args:
        pool: the pool that they resize, up to 3 nodes.
        longest: the greatest distance, in seconds. Once the first run has ended the second one begins at once: that is as close as they can miss.

    Returns:
        What happened, in a few words.
    """
    moves = [Move(chance.choice((0, 1, 2, 3, 3)), chance.choice((0, SECONDS))) for _each in range(2)]
    began = time.monotonic()
    first = Running(moves[0], site, pool)
    met = first.lives(chance.uniform(0, longest))
    apart = time.monotonic() - began
    second = Running(moves[1], site, pool)
    ends = [first.end(), second.end()]
    done = [move for move, end in zip(moves, ends, strict=True) if end.code == 0]
    assert done, ends
    sizes = {move.size for move in done}
    size = len(site.hosts(f"pool_{pool}"))
    assert size in sizes, (size, sizes)
    again = Running(Move(size), site, pool).end()
    assert set(again.changed.values()) == {0}, again.output
    words = " and ".join("refused" if end.code else "done" for end in ends)
    return f"{moves[0]}, {apart:.0f} s later{'' if met else ' (the first had ended)'} {moves[1]}: {words}"


def trials(site: Site, pool: str, count: int, longest: float, seed: int) -> str:
    """Several trials, and how often each of their ends came."""
    chance = random.Random(f"{seed} {pool}")
    found = [trial(site, pool, chance, longest) for _trial in range(count)]
    ends = Counter(line.rpartition(": ")[2] for line in found)
    return f"{count} trials, seed {seed}, 0 to {longest:.0f} s apart: {dict(ends)}; one more run changes nothing each time"
