# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's lock: in the description of the cluster's security group, changed only from the revision that was read.

Neutron takes ``If-Match: revision_number=N`` and answers 412 where somebody else was quicker. All times are the cloud's own (that of the login token,
since not every cloud dates its answers), so that no controller's clock matters. A deleted group takes its lock with it.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .._contract import Holding, Lease, Locked, Unavailable
from ._api import NETWORK, Api
from ._errors import Conflict, Missing

TRIES = 5  # while others change the group at the same time
LONGEST = 255  # characters of a description
TEXT = re.compile(r" locked (\S+) until (\S+) since (\S+) by (.*)")


@dataclass(frozen=True)
class Held:
    """The lock as it was read."""

    token: str
    until: datetime
    since: datetime
    holder: str

    def __str__(self) -> str:
        return f" locked {self.token} until {self.until:%Y-%m-%dT%H:%M:%SZ} since {self.since:%Y-%m-%dT%H:%M:%SZ} by {self.holder}"

    @property
    def since_text(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def text(self) -> str:
        return f"{self.holder}, since {self.since_text}"


@dataclass(frozen=True)
class Seen:
    """The group at one moment."""

    now: datetime  # by the cloud's clock
    revision: int
    lock: Held | None


class Lock:
    """The lock in one security group."""

    def __init__(self, api: Api, group: str, mark: str) -> None:
        """
        Args:
            group: identifier of the security group.
            mark: the group's description while it is not locked.
        """
        self._api = api
        self._path = f"/security-groups/{group}"
        self._mark = mark

    def take(self, holder: str, seconds: float) -> Lease:
        holder = _cut(holder, LONGEST - len(self._mark) - 100)
        for _try in range(TRIES):
            seen = self._look()
            theirs = seen.lock if seen.lock and seen.lock.holder != holder else None
            if theirs and seen.now < theirs.until:
                raise Locked(f"the cluster is being changed by {theirs.text}")
            mine = Held(secrets.token_hex(8), seen.now + timedelta(seconds=seconds), seen.now, holder)
            if self._write(seen, str(mine)):
                return Lease(holder, mine.token, theirs.text if theirs else "")
        raise Unavailable("several runs are taking the lock at once")

    def holding(self) -> Holding | None:
        seen = self._look()
        return Holding(seen.lock.holder, seen.lock.since_text) if seen.lock and seen.now < seen.lock.until else None

    def renew(self, lease: Lease, seconds: float) -> None:
        for _try in range(TRIES):
            seen = self._look()
            if seen.lock is None or seen.lock.token != lease.token:
                raise Locked(f"the lock was lost to {seen.lock.text}" if seen.lock else "the lock was lost")
            if self._write(seen, str(Held(lease.token, seen.now + timedelta(seconds=seconds), seen.lock.since, seen.lock.holder))):
                return
        raise Unavailable("the lock could not be renewed: the security group is being changed by others")

    def release(self, lease: Lease) -> None:
        for _try in range(TRIES):
            with contextlib.suppress(Missing):  # it was deleted with its group
                seen = self._look()
                if seen.lock is not None and seen.lock.token == lease.token and not self._write(seen, ""):
                    continue
            return

    def _look(self) -> Seen:
        found = self._api.one(NETWORK, self._path, "security_group")
        return Seen(self._api.now(), int(found["revision_number"]), _read(str(found.get("description") or "").removeprefix(self._mark)))

    def _write(self, seen: Seen, text: str) -> bool:
        """Change the group, unless somebody else did since it was looked at."""
        body = {"security_group": {"description": self._mark + text}}
        try:
            self._api.put(NETWORK, self._path, body, headers={"If-Match": f"revision_number={seen.revision}"})
        except Conflict:
            return False
        return True


def _read(text: str) -> Held | None:
    found = TEXT.fullmatch(text)
    try:
        return Held(found[1], _time(found[2]), _time(found[3]), found[4]) if found else None
    except ValueError:
        return None  # nobody could renew it


def _cut(holder: str, most: int) -> str:
    """A long holder without its middle: its end distinguishes the runs of one machine."""
    return holder if len(holder) <= most else f"{holder[: most - most // 2 - 2]}..{holder[-(most // 2) :]}"


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
