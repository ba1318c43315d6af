# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's lock, held on every cloud of a cluster while a run writes."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping

from ._cloud import Cloud, CloudError, Lease, Locked, Unavailable
from ._retry import Backoff, Clock, asked_again
from ._stream import answered

SECONDS = 60.0  # a run that was killed locks its cluster for at most so long
RENEWALS = 3  # within SECONDS, so that two may fail
PATIENCE = 90.0  # s to wait for another run: a little longer than one that was killed can hold it
LOOK = 2.0  # s between two tries meanwhile


@contextlib.contextmanager
def held(clouds: Mapping[str, Cloud], holder: str, clock: Clock, backoff: Backoff, tell: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Hold the lock of a cluster on all its clouds, renewed in the background.

    Clouds are locked in the order of their names, so that two runs cannot each hold what the other waits for.

    Args:
        holder: who holds it, for people.
        tell: takes the sentence that says that a stale lock was broken.

    Yields:
        What says whether the lock was lost on the way, or can be held no longer.

    Raises:
        Locked: another run is at work on the cluster, and stays so.
    """
    keeper = _Keeper(clouds, clock)
    try:
        for name in sorted(clouds):
            lease = _take(clouds[name], holder, clock, backoff, tell)
            keeper.keep(name, lease)  # from now on: the next cloud's lock may be a long wait
            if lease.broken:
                tell(f"cloud {name}: the lock of {lease.broken} was stale and is broken")
        yield keeper.lost.is_set
    finally:
        keeper.end()


class _Keeper:
    """Renews leases in the background, and releases them."""

    def __init__(self, clouds: Mapping[str, Cloud], clock: Clock) -> None:
        self.lost = threading.Event()
        self._clouds = clouds
        self._leases: dict[str, Lease] = {}
        self._renewed: dict[str, float] = {}  # when, by the run's clock
        self._clock = dataclasses.replace(clock, stopped=lambda: False)  # a run that was told to end still releases what it holds
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
        pause = SECONDS / RENEWALS
        try:
            while not self._done.wait(pause) and self._clock.now() - min(list(self._renewed.values())) <= SECONDS:
                began = self._clock.now()
                for name, lease in list(self._leases.items()):
                    with contextlib.suppress(Unavailable):  # the next renewal comes before the lease ends
                        self._call(lambda name=name, lease=lease: self._renew(name, lease), f"cloud {name}: renew")  # type: ignore[misc]
                pause = max(0.0, SECONDS / RENEWALS - (self._clock.now() - began))  # a slow renewal takes nothing from the next
        except CloudError:
            return
        finally:
            if not self._done.is_set():
                self.lost.set()  # nobody renews any more

    def _renew(self, name: str, lease: Lease) -> None:
        """Also a renewal that nobody waited for any more counts, from when it began."""
        began = self._clock.now()
        self._clouds[name].renew(lease, SECONDS)
        self._renewed[name] = began

    def _call(self, call: Callable[[], None], what: str) -> None:
        answered(call, SECONDS / RENEWALS, what, self._clock)


def _take(cloud: Cloud, holder: str, clock: Clock, backoff: Backoff, tell: Callable[[str], None]) -> Lease:
    """Take the lock of one cloud, once the run that has it is through."""
    deadline = clock.now() + PATIENCE
    waiting = False
    while True:
        try:
            return asked_again(lambda: cloud.lock(holder, SECONDS), clock, backoff, f"cloud {cloud.name}: lock")
        except Locked as error:
            if clock.now() >= deadline:
                raise
            if not waiting:
                tell(f"cloud {cloud.name}: {error}; waiting up to {PATIENCE:.0f} s for it to end")
            waiting = True
        clock.wait(LOOK)
