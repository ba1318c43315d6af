# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's lock: a queue of tickets, each a template of the account. A name cannot be a lock: two that are made at once may have the same.

Whose ticket has the lowest number holds the lock. A ticket has a count that its holder raises. It is stale if the count is the same in two lists that
are further apart than the ticket's time, by the clock of whoever looks; the server's clock only says when it is worth looking.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from .._contract import Holding, Lease, Locked, Unavailable
from ._errors import Missing
from ._one import Element, One
from ._template import text

PREFIX = "skylock"
GRACE = 1.0  # s beyond a ticket's time
LOOK = 0.5  # s between two lists while a ticket may be stale
AMISS = 60.0  # s beyond what a ticket lasts, after which its time says that the server's clock was set
DEFAULT = 180.0  # s that a ticket of another client lasts, which does not say it
EXACT = 1.0  # s that the server's clock can be off: the dates of its answers are whole seconds


@dataclass(frozen=True)
class Ticket:
    """One place in the queue."""

    id: int
    name: str
    holder: str
    beat: int
    seconds: float  # that it lasts from each beat
    until: float  # the server's clock; when its holder meant it to end
    since: float

    @property
    def shown_since(self) -> str:
        return datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if self.since else ""

    @property
    def shown(self) -> str:
        return f"{self.holder}, since {self.shown_since}" if self.since else self.holder


def now() -> float:
    """Seconds, also those that the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lock:
    """The lock of one cluster in one account."""

    def __init__(self, one: One, cluster: str) -> None:
        self._one = one
        self._prefix = f"{PREFIX}.{cluster}."
        self._cluster = cluster
        self._first: dict[int, tuple[int, float]] = {}  # beat, and when it was seen first, by ticket
        self._ends: dict[str, float] = {}  # by our clock, of leases that were taken here
        self._mutex = threading.Lock()

    def take(self, holder: str, seconds: float) -> Lease:
        queue = self._queue()
        again = self._again(queue, holder, seconds)
        if again:
            return again
        broken = self._clear(queue, holder)
        return self._enter(holder, seconds, broken)

    def _again(self, queue: list[Ticket], holder: str, seconds: float) -> Lease | None:
        """Who holds it may take it again, since the answer may have been lost; but not when somebody may be about to break it."""
        if not queue or queue[0].holder != holder or (self._left(queue[0]) or 0.0) <= 2 * EXACT:
            return None
        sent = now()
        try:
            self._beat(queue[0], seconds)
        except Missing:
            return None
        return self._lease(queue[0].id, holder, sent + seconds)

    def _lease(self, ticket: int, holder: str, end: float, broken: str = "") -> Lease:
        with self._mutex:
            self._ends[str(ticket)] = end
        return Lease(holder, str(ticket), broken)

    def _clear(self, queue: list[Ticket], holder: str) -> str:
        """Wait until nobody is before us, as long as those who are may be stale; returns who was."""
        broken, counts = "", {ticket.id: ticket.beat for ticket in queue}
        while queue:
            first = queue[0]
            left = self._left(first)
            live = first.beat != counts.get(first.id) if left is None else left > 0  # without a clock only the count says so
            if live:
                raise self._taken(first)
            if self._is_stale(first):
                with contextlib.suppress(Missing):  # somebody else was quicker
                    self._one.delete_document(first.id)
                broken = broken or (first.shown if first.holder != holder else "")
            else:
                time.sleep(LOOK)
            queue = self._queue()
        return broken

    def _enter(self, holder: str, seconds: float, broken: str) -> Lease:
        name, sent = f"{self._prefix}{secrets.token_hex(16)}", now()
        try:
            ticket = self._one.add_document(self._text(name, holder, 0, seconds, self._server_now()))
        except Unavailable:
            found = [each for each in self._queue() if each.name == name]
            if not found:
                raise
            ticket = found[0].id
        queue = self._queue()
        if not queue or queue[0].id != ticket or now() > sent + seconds:
            self._drop(ticket)
            if queue and queue[0].id != ticket:
                raise self._taken(queue[0])
            raise Unavailable(f"taking the lock of cluster {self._cluster} took longer than it would have lasted")
        return self._lease(ticket, holder, sent + seconds, broken)

    def holding(self) -> Holding | None:
        queue = self._queue()
        if not queue:
            return None
        left = self._left(queue[0])
        if left is not None and abs(left) <= EXACT:  # too near to say
            time.sleep(max(0.0, left) + EXACT)
            queue = self._queue()
        return Holding(queue[0].holder, queue[0].shown_since) if queue and self._is_live(queue[0]) else None

    def renew(self, lease: Lease, seconds: float) -> None:
        sent = now()
        with self._mutex:
            end = self._ends.get(lease.token)
        mine = [ticket for ticket in self._queue() if str(ticket.id) == lease.token]
        try:
            if not mine or (end is not None and now() > end):
                raise Locked("the lock was lost: its time had passed before it was renewed")
            self._beat(mine[0], seconds)
            if end is not None and now() > end:
                raise Locked("the lock was lost: its time passed while it was renewed")
            self._lease(mine[0].id, lease.holder, sent + seconds)
        except Missing:
            raise Locked("the lock was lost: somebody else took it for stale") from None

    def release(self, lease: Lease) -> None:
        self._drop(int(lease.token))

    def current(self, elements: Iterable[Element]) -> str:
        """The ticket that holds the lock now, from a list of templates; empty if none does."""
        queue = self._tickets(elements)
        return str(queue[0].id) if queue else ""

    def sweep(self) -> None:
        """Remove tickets of killed runs behind the one that holds the lock."""
        for ticket in self._queue()[1:]:
            if not self._is_live(ticket):
                self._drop(ticket.id)

    # tickets

    def _queue(self) -> list[Ticket]:
        """All tickets, the lowest number first."""
        sent = now()
        found = self._tickets(self._one.documents())
        arrived = now()
        with self._mutex:
            for ticket in found:
                if self._first.get(ticket.id, (-1, 0.0))[0] != ticket.beat:
                    self._first[ticket.id] = (ticket.beat, arrived)
            self._sent = sent
        return found

    def _tickets(self, elements: Iterable[Element]) -> list[Ticket]:
        found = []
        for element in elements:
            name = element.findtext("NAME", "")
            if name.startswith(self._prefix) and name.count(".") == 2:
                found.append(_read(element, name))
        return sorted(found, key=lambda ticket: ticket.id)

    def _is_stale(self, ticket: Ticket) -> bool:
        beat, since = self._first[ticket.id]
        return beat == ticket.beat and self._sent > since + ticket.seconds + GRACE

    def _is_live(self, ticket: Ticket) -> bool:
        left = self._left(ticket)
        return left is None or left > 0

    def _left(self, ticket: Ticket) -> float | None:
        """Seconds until a ticket's holder meant it to end, by the server's clock.

        None where that does not say it: another client wrote no time, or the clock was set since, and the time is further away than a ticket lasts.
        """
        at = self._one.now()
        left = None if at is None or not ticket.until else ticket.until - at
        return None if left is not None and left > ticket.seconds + AMISS else left

    def _server_now(self) -> float:
        return self._one.now() or 0.0

    def _beat(self, ticket: Ticket, seconds: float) -> None:
        self._one.write_document(ticket.id, self._text(ticket.name, ticket.holder, ticket.beat + 1, seconds, ticket.since))

    def _drop(self, ticket: int) -> None:
        with contextlib.suppress(Missing):
            self._one.delete_document(ticket)

    def _text(self, name: str, holder: str, beat: int, seconds: float, since: float) -> str:
        attributes = [
            ("NAME", name),
            ("KIND", "lock"),
            ("HOLDER", base64.b64encode(holder.encode()).decode()),
            ("BEAT", str(beat)),
            ("SECONDS", f"{seconds:.3f}"),
            ("UNTIL", f"{self._server_now() + seconds:.3f}"),
            ("SINCE", f"{since:.3f}"),
        ]
        return text(attributes, f"the lock of cluster {self._cluster}")

    def _taken(self, ticket: Ticket) -> Locked:
        return Locked(f"the cluster is being changed by {ticket.shown}")


def _read(element: Element, name: str) -> Ticket:
    known = {key: element.findtext(f"TEMPLATE/{key}", "") for key in ("HOLDER", "BEAT", "SECONDS", "UNTIL", "SINCE")}
    try:
        holder = base64.b64decode(known["HOLDER"], validate=True).decode() or "somebody"
    except ValueError:
        holder = known["HOLDER"]  # of another client
    return Ticket(
        id=int(element.findtext("ID", "0")),
        name=name,
        holder=holder,
        beat=int(_number(known["BEAT"], 0)),
        seconds=_number(known["SECONDS"], DEFAULT),
        until=_number(known["UNTIL"], 0.0),
        since=_number(known["SINCE"], _number(element.findtext("REGTIME", ""), 0.0)),
    )


def _number(text_: str, default: float) -> float:
    try:
        return float(text_)
    except ValueError:
        return default
