# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a run on a cluster: one file a cluster, held for a time by a process that must live."""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .errors import HostError
from .files import locked, read, remove_empty, sweep, write_json
from .places import Zone
from .processes import Process


def take(zone: Zone, cluster: str, holder: str, seconds: float, pid: int) -> dict[str, str]:
    """Take the lock; a stale one is broken, and who holds it already may take it again.

    Raises:
        HostError: somebody holds it.
    """
    with locked(zone.folder, make=True):
        zone.locks.mkdir(exist_ok=True)
        held = holding(zone, cluster)
        broken = held["holder"] if held and stale(held) else ""
        if held and not broken and held["holder"] != holder:
            raise HostError(
                f"cluster {cluster} is being changed by {held['holder']}, since {since_text(held)}: wait until it has finished, or stop it", "locked"
            )
        token = secrets.token_hex(16)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        lock = {"holder": holder, "token": token, "since": since, "process": vars(Process.of(pid)), "until": _clock() + seconds}
        write_json(_file(zone, cluster), lock)
        return {"holder": holder, "token": token, "broken": broken}


def renew(zone: Zone, cluster: str, token: str, seconds: float) -> None:
    """Extend the lock to this time from now.

    Raises:
        HostError: it was lost.
    """
    with locked(zone.folder, make=True):
        held = holding(zone, cluster)
        if held is None or held["token"] != token:
            by = f": {held['holder']} has held it since {since_text(held)}" if held else ""
            raise HostError(f"the lock on cluster {cluster} was lost{by}", "locked")
        write_json(_file(zone, cluster), held | {"until": _clock() + seconds})


def release(zone: Zone, cluster: str, token: str) -> None:
    """Release the lock, if it is still ours, and its folders, if they are empty now."""
    if not zone.folder.is_dir():
        return
    with locked(zone.folder):
        held = holding(zone, cluster)
        if held and held["token"] == token:
            _file(zone, cluster).unlink()
        sweep(zone.folder, zone.locks)
        remove_empty(zone.locks, zone.folder, zone.path)


def holding(zone: Zone, cluster: str) -> dict[str, Any] | None:
    """The lock as it was noted; None if there is none."""
    text = read(_file(zone, cluster))
    return dict(json.loads(text)) if text else None


def stale(lock: dict[str, Any]) -> bool:
    return float(lock["until"]) < _clock() or not Process(**lock["process"]).alive()


def since_text(lock: dict[str, Any]) -> str:
    """When the lock was taken, for people; empty where it was not noted."""
    since = lock.get("since", "")
    return f"{datetime.fromisoformat(since).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if since else ""


def _clock() -> float:
    """Runs on while the machine sleeps, and does not jump when somebody sets the time; a lock of another boot is stale by its process."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _file(zone: Zone, cluster: str) -> Path:
    return zone.locks / f"{cluster}.json"
