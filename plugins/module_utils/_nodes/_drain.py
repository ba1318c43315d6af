# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draining a service before it is stopped or restarted: the part that all systems share. Sent to the nodes: the standard library alone.

A system says how its service is asked to drain and what still runs there. What is waited for, for how long, and what happens when a restart would end
running work, is decided here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

DRAIN, FORCE, REFUSE = "drain", "force", "refuse"
DISRUPTIONS = (DRAIN, FORCE, REFUSE)
QUIET = 2  # checks in a row that must find no work: work that was assigned before the drain began may still appear


class DrainError(Exception):
    """A service cannot be drained, or must not be disrupted; the message is one sentence."""


@dataclass(frozen=True)
class Work:
    """A piece of running work."""

    name: str
    job: str  # the job that it belongs to, as its user named it


@dataclass(frozen=True)
class Policy:
    """What may happen to running work."""

    disruption: str  # one of DISRUPTIONS
    seconds: int  # for which a drain may last
    slice_seconds: int = 0  # after which a call returns and leaves the service draining; 0 waits until it is drained
    check: bool = False


class Service(Protocol):
    """A service as a system describes it."""

    @property
    def name(self) -> str:
        """Its name, for messages."""

    @property
    def drains(self) -> bool:
        """Whether its work ends with it, and can be moved away first."""

    def work(self) -> Sequence[Work] | None:
        """What runs there now; None if it does not say."""

    def begin_drain(self) -> int:
        """Ask it to drain, for the first time or again; the id of its process."""

    def check_drain(self, process: int) -> None:
        """Check that the process still drains.

        Raises:
            DrainError: it does not.
        """


def clear(service: Service, policy: Policy) -> tuple[list[str], dict[str, Any]]:
    """Deal with the running work before a restart or a stop; the actions, and the details as :func:`drain` returns them.

    Raises:
        DrainError: work runs, and it must not be disrupted.
    """
    if policy.disruption == REFUSE:
        _refuse(service)
    if not service.drains or policy.disruption != DRAIN:
        return [], {}
    return ["drain"], {} if policy.check else drain(service, policy.seconds, policy.slice_seconds)


def _refuse(service: Service) -> None:
    """Fail while work runs, or may run."""
    found = service.work()
    if found is None:
        raise DrainError(
            f"{service.name} must be restarted and does not say what it runs: wait until it answers, or set sky_disruption to drain or force"
        )
    jobs = sorted({work.job for work in found})
    if jobs:
        raise DrainError(
            f"{service.name} must be restarted and runs {', '.join(jobs)}: wait until it has ended, or set sky_disruption to drain or force"
        )


def is_draining(details: dict[str, Any]) -> bool:
    """Whether a drain continues after the call that returned these details."""
    return "draining" in details


def drain(service: Service, seconds: int, slice_seconds: int = 0) -> dict[str, Any]:
    """Let a service finish or hand over its work.

    Returns:
        ``draining`` with the ``work`` and the ``jobs`` that are left when the slice has ended; else ``drained_in`` seconds, and in ``ended`` the work
        that was left when the time had passed.

    Raises:
        DrainError: the service died.
    """
    begun = time.monotonic()
    process = service.begin_drain()
    end = begun + (min(seconds, slice_seconds) if slice_seconds else seconds)
    quiet = 0
    while quiet < QUIET and time.monotonic() < end:
        time.sleep(1)
        quiet = quiet + 1 if service.work() == [] else 0
        service.check_drain(process)
    passed = time.monotonic() - begun
    left = service.work() or []
    names = [work.name for work in left]
    if quiet < QUIET and passed < seconds:
        return {"draining": {"work": names, "jobs": sorted({work.job for work in left})}}
    return {"drained_in": round(passed), "ended": names}
