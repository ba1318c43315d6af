# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's lock, held on every cloud of a cluster while a run writes."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from .._base._processes import Process, ancestors, machine
from .._clouds._contract import Cloud, CloudError, Holding, Lease, Locked, Unavailable
from ._retry import CALL_SECONDS, Backoff, Clock, asked_again
from ._stream import answered

T = TypeVar("T")

SECONDS = 60.0  # a killed run locks its cluster for at most this long, unless a cloud needs longer
RENEWALS = 3  # within this time, so that two may fail
GRACE = 3.0  # s that a run which has just ended may take to release it
LOOK = 1.0  # s between two tries meanwhile
TAG = re.compile(r" \[(?P<machine>[0-9a-f]{8}) (?P<run>\d+) (?P<keeper>\d+)\]")  # in the text of a holder


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: for people, and for runs on the same machine."""

    shown: str
    machine: str = ""  # where the numbers below mean something
    run: int = 0  # the process that the lock is held for
    keeper: int = 0  # the one that renews and releases it

    def __str__(self) -> str:
        return f"{self.shown} [{self.machine} {self.run} {self.keeper}]" if self.machine else self.shown

    @classmethod
    def me(cls, run: int | None = None) -> Holder:
        """This process.

        Args:
            run: the process that it holds the lock for, if that is another one.
        """
        pid = run or os.getpid()
        return cls(f"{_user()}@{socket.gethostname()} (process {pid})", machine(), pid, os.getpid())

    @classmethod
    def read(cls, text: str) -> Holder:
        found = TAG.search(text)
        shown = TAG.sub("", text)
        return cls(shown, found["machine"], int(found["run"]), int(found["keeper"])) if found else cls(shown)

    @property
    def dead(self) -> bool:
        """Whether its processes have ended, so that the lock will not be renewed or released."""
        return self._here and not any(Process.of(pid).alive() for pid in (self.run, self.keeper))

    @property
    def ending(self) -> bool:
        """Whether its run has ended, and the keeper only waits for what the run left behind."""
        return self._here and not Process.of(self.run).alive() and Process.of(self.keeper).alive()

    def serves(self, other: Holder) -> bool:
        """Whether it holds the lock for the run that another one, which is this process, is a part of."""
        run = self._here and self.run != self.keeper and Process.of(self.keeper).alive()
        return run and self.run in (other.run, *ancestors(os.getpid()))

    @property
    def _here(self) -> bool:
        return bool(self.machine) and self.machine == machine()


@dataclass(frozen=True)
class Terms:
    """How a lock is asked for."""

    holder: Holder
    clock: Clock = Clock()
    backoff: Backoff = Backoff()
    wait: float = 0.0  # s to wait for another run
    tell: Callable[[str], None] = dataclasses.field(default=lambda _sentence: None)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in some execution environments
        return str(os.getuid())


def lasting(cloud: Cloud) -> float:
    """Seconds that a lease of this cloud lasts."""
    return cloud.lock_seconds or SECONDS


def who(holding: Holding) -> str:
    """The run that holds a lock, for people."""
    return Holder.read(holding.holder).shown


def shown(holding: Holding) -> str:
    """The same, and since when."""
    return who(holding) + (f" since {holding.since}" if holding.since else "")


def is_kept(clouds: Mapping[str, Cloud], terms: Terms) -> bool:
    """Whether a keeper holds the lock on all clouds already, for the run that it is asked for."""
    holdings = [asked_again(cloud.locked_by, terms.clock, terms.backoff, f"cloud {name}: read the lock") for name, cloud in clouds.items()]
    return all(holding is not None and Holder.read(holding.holder).serves(terms.holder) for holding in holdings)


@contextlib.contextmanager
def held(clouds: Mapping[str, Cloud], terms: Terms) -> Iterator[Callable[[], bool]]:
    """Hold the lock of a cluster on all its clouds, renewed in the background.

    Clouds are locked in the order of their names, so that two runs cannot each hold what the other waits for. What a keeper holds for the run that
    this process is a part of is not taken again.

    Yields:
        What says whether the lock was lost on the way, or can be held no longer.

    Raises:
        Locked: another run holds the lock, and keeps it.
    """
    keeper = _Keeper(clouds, terms.clock)
    others: set[Process] = set()  # who holds it for us
    try:
        for name in sorted(clouds):
            taken = _Taking(clouds[name], terms).take()
            if isinstance(taken, Holder):
                others.add(Process.of(taken.keeper))
                continue
            keeper.keep(name, taken)  # from now on: the next cloud's lock may be a long wait
            if taken.broken:
                terms.tell(f"cloud {name}: the lock of {Holder.read(taken.broken).shown} was stale and has been removed")
        yield lambda: keeper.lost.is_set() or not all(other.alive() for other in others)
    finally:
        keeper.end()


class _Keeper:
    """Renews leases in the background, and releases them."""

    def __init__(self, clouds: Mapping[str, Cloud], clock: Clock) -> None:
        self.lost = threading.Event()
        self._clouds = clouds
        self._beat = min(map(lasting, clouds.values()), default=SECONDS) / RENEWALS  # s, for all: one that hangs keeps the others waiting
        self._leases: dict[str, Lease] = {}
        self._renewed: dict[str, float] = {}  # when, by the run's clock
        self._clock = dataclasses.replace(clock, stopped=lambda: False)  # an interrupted run still releases what it holds
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="sky lock", daemon=True)

    def keep(self, name: str, lease: Lease) -> None:
        self._renewed[name] = self._clock.now()
        self._leases[name] = lease
        if self._thread.ident is None:
            self._thread.start()

    def end(self) -> None:
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join()
        for name, lease in self._leases.items():
            with contextlib.suppress(CloudError):  # it ends by itself
                self._call(lambda name=name, lease=lease: self._clouds[name].unlock(lease), f"cloud {name}: unlock")  # type: ignore[misc]

    def _keep(self) -> None:
        pause = self._beat
        try:
            while not self._done.wait(pause) and self._all_last():
                began = self._clock.now()
                for name, lease in list(self._leases.items()):
                    with contextlib.suppress(Unavailable):  # the next renewal comes before the lease ends
                        self._call(lambda name=name, lease=lease: self._renew(name, lease), f"cloud {name}: renew")  # type: ignore[misc]
                pause = max(0.0, self._beat - (self._clock.now() - began))  # a slow renewal takes nothing from the next
        except CloudError:
            return
        finally:
            if not self._done.is_set():
                self.lost.set()  # nobody renews any more

    def _all_last(self) -> bool:
        return all(self._clock.now() - at <= lasting(self._clouds[name]) for name, at in list(self._renewed.items()))

    def _renew(self, name: str, lease: Lease) -> None:
        """A renewal counts from its start, even if its answer was too late for the caller."""
        began = self._clock.now()
        self._clouds[name].renew(lease, lasting(self._clouds[name]))
        self._renewed[name] = began

    def _call(self, call: Callable[[], None], what: str) -> None:
        answered(call, self._beat, what, self._clock)


class _Taking:
    """Takes the lock of one cloud, once the run that has it has ended."""

    def __init__(self, cloud: Cloud, terms: Terms) -> None:
        self._cloud = cloud
        self._terms = terms
        self._seconds = lasting(cloud)
        self._began = terms.clock.now()
        self._told = False

    def take(self) -> Lease | Holder:
        """The lease, or who holds it for this run already."""
        while True:
            try:
                return self._locked(str(self._terms.holder))
            except Locked as error:
                theirs = self._asked(self._cloud.locked_by, "read the lock")
                holder = Holder.read(theirs.holder) if theirs else Holder("")
                if holder.serves(self._terms.holder):
                    return holder
                if self._terms.clock.now() - self._began >= self._patience(theirs, holder):
                    raise self._refusal(theirs) if theirs else error from None
            if holder.dead:
                self._break(theirs.holder if theirs else "", holder.shown)
            elif theirs:
                self._announce(theirs, holder)
            self._terms.clock.wait(LOOK)

    def _patience(self, theirs: Holding | None, holder: Holder) -> float:
        """Seconds to keep trying. A released lock is free at the next try; the lock of a run that has ended expires with its lease."""
        least = max(self._terms.wait, GRACE)
        return least if theirs and not holder.ending else least + self._seconds

    def _break(self, dead: str, name: str) -> None:
        """Release the lock of a run that was killed on this machine, in its name: it need not end by itself."""
        with contextlib.suppress(Locked):  # somebody else was quicker
            lease = self._locked(dead)
            self._asked(lambda: self._cloud.unlock(lease), "unlock")
            self._terms.tell(f"cloud {self._cloud.name}: the lock of {name} was stale and has been removed")

    def _announce(self, theirs: Holding, holder: Holder) -> None:
        late = self._terms.wait > GRACE or (holder.ending and self._terms.clock.now() - self._began >= GRACE)
        if late and not self._told:
            self._told = True
            state = "has ended, but something that it started still runs" if holder.ending else "is running"
            self._terms.tell(
                f"cluster {self._cloud.scope.cluster}: {shown(theirs)} {state}; waiting up to {self._patience(theirs, holder):.0f} s for it to finish"
            )

    def _refusal(self, theirs: Holding) -> Locked:
        return Locked(
            f"cluster {self._cloud.scope.cluster} is being changed by {shown(theirs)} (cloud {self._cloud.name}): run again when it has finished, or "
            f"wait for it with -e sky_wait=600 (seconds); the lock of a killed run expires within {self._seconds:.0f} s"
        )

    def _locked(self, holder: str) -> Lease:
        """The lease. A cloud may watch a stale lock for as long as one lasts before it breaks it."""
        return self._asked(lambda: self._cloud.lock(holder, self._seconds), "lock", CALL_SECONDS + self._cloud.lock_seconds)

    def _asked(self, call: Callable[[], T], what: str, seconds: float = CALL_SECONDS) -> T:
        return asked_again(call, self._terms.clock, self._terms.backoff, f"cloud {self._cloud.name}: {what}", seconds)
