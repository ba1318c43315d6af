# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How large packets to each other cloud may be: found by echo requests of all sizes through the overlay."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ._known import Known
from ._probe import HEADERS, Pinger, sizes

WAIT = 2  # ticks that answers to packets of all sizes may take
AGAIN = 60.0  # s
FRUITLESS = 3  # searches, then not even packets of the smallest size pass
TRIED = 20  # nodes of a cloud through which its MTU is looked for, one after the other


@dataclass
class Search:
    """The search for the MTU to one cloud."""

    target: str
    largest: int
    ticks: int = 0
    answers: bool = False  # to a packet without anything in it


@dataclass
class MtuFinder:
    """The MTU to each cloud."""

    known: Known
    found: dict[str, int] = field(default_factory=dict)
    searches: dict[str, Search] = field(default_factory=dict)
    misses: dict[str, int] = field(default_factory=dict)  # searches since the last that found something, of nodes that answer, by cloud
    _found_at: dict[str, float] = field(default_factory=dict)
    _tried: dict[str, int] = field(default_factory=dict)

    def reset(self) -> None:
        """Nothing is known of a new interface."""
        self.found, self.searches, self.misses, self._found_at = {}, {}, {}, {}

    @property
    def unmeasured(self) -> list[str]:
        """Clouds whose nodes answer, but to no packet of the smallest size that is tried."""
        return sorted(cloud for cloud, times in dict(self.misses).items() if times >= FRUITLESS)

    def doubt(self) -> None:
        """Look again soon: the ways have changed."""
        self._found_at = {}

    def begin(self, pinger: Pinger, most: int) -> None:
        """Begin to look for the MTU to clouds where it is not known, or was found long ago.

        Args:
            most: MTU of the interface.
        """
        now = time.monotonic()
        nodes, me = self.known.nodes, self.known.me
        for cloud in {node.cloud for node in nodes.nodes} - {me.cloud}:
            if cloud in self.searches or now - self._found_at.get(cloud, -AGAIN) < AGAIN:
                continue
            inside = [node for node in nodes.nodes if node.cloud == cloud]
            inside.sort(key=lambda node: (bool(node.public), node.number))
            address = nodes.address(inside[self._tried.get(cloud, 0) % min(len(inside), TRIED)])
            self.searches[cloud] = Search(address, 0)
            pinger.send_all(address, [HEADERS, *sizes(most)])

    def judge(self, pinger: Pinger, most: int, answered: set[tuple[str, int]]) -> bool:
        """Take the answers; whether a search has found something."""
        ended = False
        for cloud, search in list(self.searches.items()):
            search.ticks += 1
            search.answers = search.answers or (search.target, HEADERS) in answered
            search.largest = max([search.largest, *(size for address, size in answered if address == search.target and size > HEADERS)])
            if search.ticks < WAIT:
                pinger.send_all(search.target, (size for size in sizes(most) if size > search.largest))
            if search.ticks <= WAIT:
                continue
            del self.searches[cloud]
            if search.largest:
                self.found[cloud], self._found_at[cloud] = search.largest, time.monotonic()
                self.misses.pop(cloud, None)
                ended = True
            else:  # another of its nodes may be up
                self._tried[cloud] = self._tried.get(cloud, 0) + 1
                self.misses[cloud] = self.misses.get(cloud, 0) + search.answers
        return ended
