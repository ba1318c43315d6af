# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keeper of a run's lock: a process that holds the lock from the first change until ansible-playbook has ended, in whatever way.

It is forked, so that it has the cluster, the credentials and the collection without passing them on a command line. It has a session of its own,
since Ctrl-C is meant for the run, which may still need the lock while it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, NoReturn

from ansible_collections.sky.clusters.plugins.module_utils._base._processes import Process, descendants, title
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Cloud, CloudError, MarkError
from ansible_collections.sky.clusters.plugins.module_utils._engine import _lock
from ansible_collections.sky.clusters.plugins.module_utils._engine._lock import Holder, Terms
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Clock, Stopped
from ansible_collections.sky.clusters.plugins.module_utils._engine._stream import answered

NAME = "sky-lock"  # name of the process; at most 15 characters
PIPE = 3  # file descriptor of the pipe to the run
LOOK = 0.5  # s between two checks of the run
LOST = "sky.clusters: the lock on the cluster was lost and another run may have it: this run stops; run it again to continue"


def hold(open_clouds: Callable[[], Mapping[str, Cloud]], wait: float, clock: Clock, tell: Callable[[str], None]) -> None:
    """Hold the lock until the run of this process, a worker of Ansible, has ended. Does nothing if the run holds the lock already.

    Args:
        open_clouds: opens the cluster's clouds, for the keeper alone.
        wait: seconds to wait for another run.

    Raises:
        CloudError: the lock is not available.
        Stopped: the run was interrupted.
    """
    run = Process.of(os.getppid())
    reader, writer = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _become_keeper(open_clouds, run, wait, writer)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        for said in _lines(pipe.fileno(), clock):
            if "tell" in said:
                tell(said["tell"])
            elif "error" in said:
                raise CloudError(said["error"])
            else:
                return
    raise CloudError("the process that holds the cluster's lock ended without a message")


def _lines(pipe: int, clock: Clock) -> Iterator[dict[str, Any]]:
    """The messages of the keeper, until the run is interrupted."""
    text = b""
    while True:
        clock.wait(0)
        if not select.select([pipe], [], [], LOOK)[0]:
            continue
        chunk = os.read(pipe, 4096)
        if not chunk:
            return
        *lines, text = (text + chunk).split(b"\n")
        yield from map(json.loads, lines)


def _become_keeper(open_clouds: Callable[[], Mapping[str, Cloud]], run: Process, wait: float, pipe: int) -> NoReturn:
    """The forked process, which must never return to the code of Ansible."""
    code = 1
    try:
        asker = Process.of(os.getppid())
        os.setsid()
        if os.fork() == 0:  # detached from its parent, so that nobody waits for it
            _detach(pipe)
            Keeper(run, asker, PIPE).keep(open_clouds(), wait)
        code = 0
    finally:
        os._exit(code)


def _detach(pipe: int) -> None:
    """Close everything that belongs to the run, so that a reader of its output does not wait for this process."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)  # this process ends with the run
    os.dup2(pipe, PIPE)
    os.closerange(PIPE + 1, os.sysconf("SC_OPEN_MAX"))
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)
    os.chdir("/")
    with contextlib.suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(NAME)


class Keeper:
    """Holds the lock and watches the run."""

    def __init__(self, run: Process, asker: Process, pipe: int) -> None:
        self._run = run
        self._asker = asker
        self._pipe = pipe

    def keep(self, clouds: Mapping[str, Cloud], wait: float) -> None:
        clock = Clock(stopped=lambda: not (self._run.alive() and self._asker.alive()))
        terms = Terms(Holder.me(self._run.pid), clock, wait=wait, tell=self._tell)
        try:
            if _lock.is_kept(clouds, terms):
                self._say(held=True)
                return
            with _lock.held(clouds, terms) as lost:
                received = self._say(held=True)
                os.close(self._pipe)
                if received:
                    self._watch(clouds, lost)
        except (CloudError, MarkError, Stopped) as error:
            self._say(error=str(error))

    def _tell(self, sentence: str) -> None:
        self._say(tell=sentence)

    def _say(self, **what: Any) -> bool:
        """Send a message; whether the run received it."""
        with contextlib.suppress(OSError):
            os.write(self._pipe, json.dumps(what).encode() + b"\n")
            return True
        return False

    def _watch(self, clouds: Mapping[str, Cloud], lost: Callable[[], bool]) -> None:
        """Wait for the end of the run, and then for processes that it left behind, at most for the time of a lease."""
        family: set[Process] = set()
        with _End(self._run) as ended:
            while not ended.within(LOOK):
                # without this process, which is a descendant of the run until its parent has ended
                found = family | descendants(self._run.pid)
                family = {process for process in found if process.alive() and process.pid != os.getpid()}
                if lost() and not _went_with_the_cluster(clouds):
                    self._end_run()
                    return
        end = time.monotonic() + _lock.SECONDS
        while any(map(_at_work, family)) and time.monotonic() < end and not lost():
            time.sleep(LOOK / 5)

    def _end_run(self) -> None:
        """Stop the run, so that it changes nothing more."""
        with contextlib.suppress(OSError), open(f"/proc/{self._run.pid}/fd/2", "a", encoding="utf-8") as stderr:  # stderr may be a file
            stderr.write(f"{LOST}\n")
        if self._run.alive():
            os.kill(self._run.pid, signal.SIGTERM)


def _went_with_the_cluster(clouds: Mapping[str, Cloud]) -> bool:
    """Whether nobody holds the lock, because the run has destroyed the cluster. A cloud that does not answer proves nothing."""
    seconds = _lock.SECONDS / _lock.RENEWALS
    try:
        return all(answered(cloud.locked_by, seconds, f"cloud {name}: look at the lock", Clock()) is None for name, cloud in clouds.items())
    except CloudError:
        return False


def _at_work(process: Process) -> bool:
    """Whether a process of the run continues without it. An idle shared connection of ssh does not, nor one that leads to it through a gateway."""
    words = title(process.pid).split()
    carries = bool(words) and (words[0] == "ssh:" or (PurePath(words[0]).name == "ssh" and "-W" in words))
    return process.alive() and not carries


class _End:
    """Waits for the end of a process, and notices it at once if the system supports that."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._handle = -1

    def __enter__(self) -> _End:
        with contextlib.suppress(AttributeError, OSError):  # not supported; or the process has ended
            self._handle = os.pidfd_open(self._process.pid)
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._handle >= 0:
            os.close(self._handle)

    def within(self, seconds: float) -> bool:
        """Whether the process ends within this time."""
        if self._process.alive():
            select.select([self._handle] if self._handle >= 0 else [], [], [], seconds)
        return not self._process.alive()
