# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of one cloud while a plan is carried out: each with a deadline, and repeated where that is safe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from .._clouds._contract import Cloud, CloudError, Event, Listing, Node, Stage, Unavailable
from ._retry import CALL_SECONDS, HANGS, Backoff, Clock, Tries, asked_again
from ._stream import Unanswered, answered, bounded

T = TypeVar("T")


@dataclass(frozen=True)
class Calls:
    """Calls one cloud."""

    cloud: Cloud
    clock: Clock
    backoff: Backoff

    def ask(self, call: Callable[[], T], what: str) -> T:
        """Make a call that changes nothing, or that may be repeated."""
        return asked_again(call, self.clock, self.backoff, f"cloud {self.cloud.name}: {what}")

    def listing(self) -> Listing:
        return asked_again(self.cloud.listing, self.clock, self.backoff, "list")

    def console(self, node: Node) -> str:
        """The tail of a node's console, or why there is none."""
        try:
            return answered(lambda: self.cloud.console(node), CALL_SECONDS, "console", self.clock)
        except CloudError as error:
            return f"(no console: {error})"

    def repeated(self, call: Callable[[], Iterable[Event]], left: Mapping[str, object], what: str) -> Iterator[Event]:
        """The events of a call, made again for what is `left` while the cloud cannot answer.

        If the cloud refuses, or never answers, all that is left has failed.

        Args:
            what: names the call, for people.
        """
        try:
            yield from self._tried(call, left, what, CALL_SECONDS, HANGS)
        except CloudError as error:
            yield from _all_failed(left, error)

    def created(self, call: Callable[[], Iterable[Event]], left: Mapping[str, object], seconds: float) -> Iterator[Event]:
        """The same for a call that creates nodes. It looks for existing ones by their marks, so that it may be repeated.

        A creation that hangs is not repeated: it may still be running, and a second one beside it could create duplicates.

        Args:
            seconds: until the next event.
        """
        try:
            yield from self._tried(call, left, "create", seconds, 1)
        except Unanswered as error:
            made = self._made_meanwhile(left)
            yield from (Event(name, Stage.MADE, node.id, node=node) for name, node in made.items())
            yield from _all_failed(left.keys() - made.keys(), error)
        except CloudError as error:
            yield from _all_failed(left, error)

    def _tried(self, call: Callable[[], Iterable[Event]], left: Mapping[str, object], what: str, seconds: float, hangs: int) -> Iterator[Event]:
        tries = Tries(self.backoff, hangs)
        while left:
            self.clock.wait(0)
            try:
                yield from bounded(call, seconds, f"cloud {self.cloud.name}: {what}", self.clock)
                return
            except CloudError as error:
                pause = tries.pause(error)
                if pause is None:
                    raise
            self.clock.wait(pause)

    def _made_meanwhile(self, left: Mapping[str, object]) -> dict[str, Node]:
        """What a call created although it did not answer: found by its mark."""
        return {node.name: node for node in self.listing().nodes if node.name in left}


def _all_failed(left: Iterable[str], error: CloudError) -> Iterator[Event]:
    """No node of a cloud that stays silent is tried again in this run."""
    for name in sorted(left):
        yield Event(name, Stage.FAILED, str(error), final=error.final or isinstance(error, Unavailable), error=type(error))
