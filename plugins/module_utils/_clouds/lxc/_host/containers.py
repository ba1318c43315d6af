# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers: LXC's own commands, and what to do where they are of no help."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import cgroups
from .command import last_line, run
from .condition import Inspector, console, monitor
from .errors import HostError
from .files import peek, read
from .places import NodePlace, Zone

CLEAN_STOP = 30  # seconds that a node's services have to end and its file systems to be unmounted


def start(place: NodePlace) -> None:
    """Start the container; returns when its init has been started.

    Raises:
        HostError: it did not start; with LXC's own reason.
    """
    place.log.unlink(missing_ok=True)
    place.console.touch(mode=0o644)
    try:
        run("lxc-start", "-P", str(place.zone.nodes), "-n", place.name, "--daemon", "-o", str(place.log), "-l", "ERROR", timeout=60)
    except HostError as error:
        raise HostError(f"the container did not start: {reason(place) or error}", log=tail(place)) from error


def reason(place: NodePlace) -> str:
    """The first error that LXC noted: those after it follow from it."""
    errors = [line for line in read(place.log).splitlines() if " ERROR " in line]
    return last_line(errors[0].partition(" - ")[2].partition(" - ")[2] or errors[0]) if errors else ""


def stop(place: NodePlace, cleanly: bool) -> None:
    """Stop the container and wait until nothing of it runs; only for who holds the node.

    Args:
        cleanly: let its services end and its file systems be unmounted first, for so long as `CLEAN_STOP`.
    """
    looker = Inspector(place.zone)
    _kill(_starters(place))
    if looker.init(place.name) or _monitors(place):
        words = ["lxc-stop", "-P", str(place.zone.nodes), "-n", place.name]
        with contextlib.suppress(HostError):  # its monitor may be gone; what counts is what still runs
            run(*words, *(["--timeout", str(CLEAN_STOP)] if cleanly else ["--kill"]), timeout=CLEAN_STOP + 15)
    _wait(looker, place)
    _clear(looker, place)


def _wait(looker: Inspector, place: NodePlace) -> None:
    """Wait for the container's end; end what does not end."""
    groups = [looker.layout.group(place.zone, name) for name in (place.name, monitor(place.name))]
    deadline = time.monotonic() + 10
    patience = time.monotonic() + 2  # for a monitor that is cleaning up behind its container
    while inside := [*cgroups.processes(groups[0]), *cgroups.processes(groups[1]), *_monitors(place)]:
        if time.monotonic() > deadline:
            raise HostError(f"processes of {place.name} do not end: see `ps` for {', '.join(map(str, inside))}")
        if time.monotonic() > patience or not _monitors(place):
            _kill(inside)
        time.sleep(0.02)


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _commands() -> Iterator[tuple[int, list[str]]]:
    """All processes and how they were called."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            yield int(folder.name), peek(folder / "cmdline").rstrip("\0").split("\0")


def _starters(place: NodePlace) -> list[int]:
    """Processes that are about to start the container: the node is ours now, so the run that wanted it was killed."""
    wanted = ["-P", str(place.zone.nodes), "-n", place.name]
    return [pid for pid, words in _commands() if words[0].endswith("lxc-start") and words[1:5] == wanted]


def _monitors(place: NodePlace) -> list[int]:
    """LXC's monitor of the container, by the title that it gives itself."""
    return [pid for pid, words in _commands() if words[0].strip() == f"[lxc monitor] {place.zone.nodes} {place.name}"]


def _clear(looker: Inspector, place: NodePlace) -> None:
    """Remove what LXC leaves of a container that ended: its control groups if its monitor was killed, and its lock file."""
    for parent in looker.layout.all_groups(place.zone):
        for name in (place.name, monitor(place.name)):
            cgroups.remove(parent / name)
    (place.zone.lxc_locks / f".{place.name}").unlink(missing_ok=True)


def forget(zone: Zone) -> None:
    """Remove the lock files of containers that were lost outside of a run."""
    looker = Inspector(zone)
    for file in zone.lxc_locks.glob(".?*"):
        if looker.lost(file.name[1:]):
            file.unlink(missing_ok=True)


def tail(place: NodePlace) -> str:
    """What helps to see why a start failed: the console, else LXC's own log."""
    return console(place, 20) or read(place.log)[-2000:]


def add_device(place: NodePlace, device: str, name: str) -> None:
    """Let a running node use a device of the machine, under a name of its own."""
    looker = Inspector(place.zone)
    number = os.stat(device).st_rdev
    rule = f"b {os.major(number)}:{os.minor(number)} rwm"
    groups = looker.layout.device_groups(place.zone, place.name)
    for group in groups:
        (group / "devices.allow").write_text(rule)
    if not groups:  # version 2 has no such files, but a program in the kernel that LXC replaces
        run("lxc-cgroup", "-P", str(place.zone.nodes), "-n", place.name, "devices.allow", rule)
    path = Path(f"/proc/{looker.init(place.name)}/root{name}")  # the node's own /dev, seen from here
    path.parent.mkdir(exist_ok=True)
    os.mknod(path, 0o660 | stat.S_IFBLK, number)
