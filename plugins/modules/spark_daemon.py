#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, restart and stop the daemons of a Spark standalone cluster with regard to running jobs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spark_daemon
short_description: Run a daemon of a Spark standalone cluster, with regard to running jobs
version_added: 0.1.0
description:
  - Has the systemd unit of a Spark daemon enabled, and running with the settings that stand on the disk; or stopped and disabled.
  - The folders that its unit names are created, or given back to its user, before it starts and also while it runs.
  - A worker is drained before it is restarted or stopped. It takes no new tasks, and its executors hand their blocks to others and end.
  - An action plugin of the same name calls it in slices of a few seconds, and tells between them what a draining worker still runs.
  - A restarted master takes up the running applications again (its recovery is on), so it is not waited for.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  kind:
    description: Which daemon.
    type: str
    choices: [history, master, worker]
    required: true
  page:
    description: Its web page, such as V(http://10.0.0.5:8081).
    type: str
    required: true
  state:
    description:
      - What is wanted. V(stopped) also takes it out of the start of the system. V(absent) also removes its unit.
      - V(draining) has a worker begin to drain and waits for nothing, so that many drain at once.
    type: str
    choices: [absent, draining, started, stopped]
    default: started
  disruption:
    description:
      - What to do where a restart would end running work.
      - V(drain) has a worker drained first, for at most O(drain_seconds); V(refuse) fails; V(force) goes on.
    type: str
    choices: [drain, force, refuse]
    default: drain
  drain_seconds:
    description: Seconds after which executors that still run on a draining worker are ended. Their tasks are run again elsewhere.
    type: int
    default: 600
  slice_seconds:
    description:
      - Seconds after which a worker that still drains is left to go on draining, with RV(draining) as what it still runs. The next call goes on.
      - V(0) waits until it is drained. The action plugin sets it.
    type: int
    default: 0
  wait_seconds:
    description: Seconds to wait until a daemon that was started or restarted serves its page; V(0) does not wait, not even for its process.
    type: int
    default: 60
  pending:
    description: In check mode, that an earlier task would have changed the settings on the disk.
    type: bool
    default: false
extends_documentation_fragment: [sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Have the worker run with its present settings
  sky.clusters.spark_daemon:
    kind: worker
    page: http://10.0.0.5:8081

- name: Drain and stop the worker
  sky.clusters.spark_daemon:
    kind: worker
    page: http://10.0.0.5:8081
    state: stopped
    drain_seconds: 3600
"""

RETURN = r"""
actions:
  description: What was done, in this order; in check mode what would be.
  returned: always
  type: list
  elements: str
  sample: ["repair /data/spark/work", drain, restart]
drained_in:
  description: Seconds that draining took.
  returned: when a worker was drained
  type: int
  sample: 31
draining:
  description: What still runs on a worker that drains; it has been neither restarted nor stopped.
  returned: when O(slice_seconds) had passed before it was drained
  type: dict
  sample: {executors: [app-20261121040000-0003/1], applications: [etl]}
ended:
  description: Executors that were still running when O(drain_seconds) had passed, and were ended.
  returned: when a worker was drained
  type: list
  elements: str
  sample: [app-20261121040000-0003/1]
"""

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._folders import FolderError, folders
from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_log import last_words
from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_page import read

UNITS = Path("/etc/systemd/system")
SETTINGS = Path("/etc/spark/spark-daemons.conf")
HOME = Path("/opt/spark")
RUNTIME = Path("/run")


class DaemonError(Exception):
    """The daemon is not as wanted; the message is one sentence."""


@dataclass(frozen=True)
class Kind:
    """What there is to know about one of the daemons."""

    unit: str
    path: str = "/json/"
    work: str = ""  # field of its page that lists running work
    drains: bool = False  # that work is ended by a restart, and can be moved away before


KINDS = {
    "history": Kind("spark-history-server", path="/api/v1/version"),
    "master": Kind("spark-master", work="activeapps"),
    "worker": Kind("spark-worker", work="executors", drains=True),
}


@dataclass(frozen=True)
class Work:
    """An executor of a worker, or an application of a master."""

    name: str
    application: str  # as its user called it


@dataclass
class Outcome:
    """What was done."""

    actions: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)


def fingerprint(unit: str) -> str:
    """Of the settings on the disk; the unit writes the same of those that it was started with."""
    digest = hashlib.sha256()
    for path in (UNITS / f"{unit}.service", SETTINGS):
        digest.update(path.read_bytes() if path.is_file() else b"")
    digest.update((" ".join(str(path) for path in sorted(HOME.glob(".sha256-*"))) + "\n").encode())
    return digest.hexdigest()


def told_to_drain(unit: str) -> Path:
    """Holds the id of the process that was told to: it never takes work again, whatever became of the run that told it.

    Beside the daemon's own folder, where a job could put a link in the way of what root writes.
    """
    return RUNTIME / f"{unit}.draining"


def in_force(unit: str) -> str:
    path = RUNTIME / unit / "settings"
    return path.read_text().split(" ")[0] if path.is_file() else ""


def _work(item: Mapping[str, Any]) -> Work:
    if "appid" in item:  # an executor, as the page of its worker shows it
        return Work(f"{item['appid']}/{item['id']}", str(item.get("appdesc", {}).get("name", item["appid"])))
    return Work(str(item.get("id", "?")), str(item.get("name", item.get("id", "?"))))


class Daemon:
    """One daemon of this node."""

    def __init__(self, kind: Kind, page: str) -> None:
        self.kind = kind
        self.page = page

    def systemctl(self, *arguments: str) -> str:
        command = ["systemctl", *arguments, f"{self.kind.unit}.service"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DaemonError(f"'{' '.join(command)}' failed: {(done.stderr or done.stdout).strip()}; {self.tail()}")
        return done.stdout

    def status(self) -> Mapping[str, str]:
        shown = self.systemctl("show", "--property=ActiveState,MainPID,NeedDaemonReload,UnitFileState")
        return dict(line.split("=", 1) for line in shown.splitlines())

    def tail(self) -> str:
        """The last words of its journal, for an error."""
        command = ["journalctl", "--unit", self.kind.unit, "--lines=80", "--output=cat", "--no-pager"]
        said = last_words(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        return f"its journal ends with: {said}" if said else "its journal is empty"

    def read(self) -> Mapping[str, Any] | None:
        """Its page; None where nothing serves it."""
        return read(self.page, self.kind.path)

    def work(self) -> list[Work]:
        """What runs."""
        return [_work(item) for item in (self.read() or {}).get(self.kind.work, [])] if self.kind.work else []

    def can_drain(self, pid: int) -> bool:
        """Whether its process minds the signal: until a worker has started up, or with another setting, it would die of it."""
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
        return bool(caught >> (signal.SIGPWR - 1) & 1)

    def begin_drain(self) -> int:
        """Ask its process to drain, once or again; its id."""
        pid = int(self.status()["MainPID"])
        if pid and self.can_drain(pid):
            told_to_drain(self.kind.unit).write_text(str(pid))
            os.kill(pid, signal.SIGPWR)
        return pid

    def drain(self, seconds: int, slice_seconds: int = 0) -> dict[str, Any]:
        """Have the executors hand over and end.

        The worker's process stays, so its own page is watched; the master goes on counting cores of a worker that is drained.
        """
        begun = time.monotonic()
        pid = self.begin_drain()
        end = begun + (min(seconds, slice_seconds) if slice_seconds else seconds)
        quiet = 0
        while quiet < 2 and time.monotonic() < end:
            time.sleep(1)  # an executor that was asked for before the signal may still appear: two quiet looks, not one
            quiet = 0 if self.work() else quiet + 1
            if self.status()["MainPID"] != str(pid):
                raise DaemonError(f"{self.kind.unit} died while it was drained; {self.tail()}")
        passed = time.monotonic() - begun
        left = self.work()
        if quiet < 2 and passed < seconds:
            return {"draining": {"executors": [work.name for work in left], "applications": sorted({work.application for work in left})}}
        return {"drained_in": round(passed), "ended": [work.name for work in left]}

    def wait(self, seconds: int) -> None:
        """Until it serves its page (a worker: until it also knows its master)."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.read()
            if found is not None and ("masterurl" not in found or found["masterurl"]):
                return
            time.sleep(0.5)
        if seconds:
            raise DaemonError(f"{self.kind.unit} did not come up within {seconds} seconds; {self.tail()}")


@dataclass(frozen=True)
class Wish:
    """What the task asks for."""

    disruption: str
    drain_seconds: int
    wait_seconds: int
    pending: bool
    check: bool
    slice_seconds: int = 0


def is_stale(unit: str, pid: str) -> bool:
    """Whether a daemon runs with other settings than those on the disk, or was told to drain and then not stopped."""
    note = told_to_drain(unit)
    return in_force(unit) != fingerprint(unit) or (note.is_file() and note.read_text() == pid)


def make_room(daemon: Daemon, wish: Wish, outcome: Outcome) -> bool:
    """Before a restart or a stop: see to the running work as the wish says; whether that is done."""
    work = sorted({each.application for each in daemon.work()})
    if wish.disruption == "refuse" and work:
        raise DaemonError(
            f"{daemon.kind.unit} must be restarted and runs {', '.join(work)}: wait for its end, or set sky_disruption to drain or force"
        )
    if daemon.kind.drains and wish.disruption == "drain":
        outcome.actions.append("drain")
        if not wish.check:
            outcome.details |= daemon.drain(wish.drain_seconds, wish.slice_seconds)
    return "draining" not in outcome.details


def drain(daemon: Daemon, wish: Wish) -> Outcome:
    """A worker that runs begins to drain."""
    outcome = Outcome()
    if daemon.kind.drains and wish.disruption == "drain" and daemon.status()["ActiveState"] == "active":
        outcome.actions.append("drain")
        if not wish.check:
            daemon.begin_drain()
    return outcome


def repair(daemon: Daemon, wish: Wish, outcome: Outcome) -> None:
    """The folders that it writes to are its own."""
    for folder in folders(UNITS / f"{daemon.kind.unit}.service"):
        if folder.fault() if wish.check else folder.repair():
            outcome.actions.append(f"repair {folder.path}")


def start(daemon: Daemon, wish: Wish) -> Outcome:
    """Enabled, and running with the settings on the disk."""
    outcome = Outcome()
    repair(daemon, wish, outcome)
    status = daemon.status()
    running = status["ActiveState"] == "active"
    stale = running and (is_stale(daemon.kind.unit, status["MainPID"]) or (wish.check and wish.pending))
    if status["UnitFileState"] != "enabled":
        outcome.actions.append("enable")
    if stale and not make_room(daemon, wish, outcome):
        return outcome
    if stale or not running:
        outcome.actions.append("restart" if running else "start")
    if wish.check:
        return outcome
    if status["NeedDaemonReload"] == "yes":
        subprocess.run(["systemctl", "daemon-reload"], check=True)
    if "enable" in outcome.actions:
        daemon.systemctl("enable")
    if stale or not running:
        daemon.systemctl("restart", *([] if wish.wait_seconds else ["--no-block"]))
        daemon.wait(wish.wait_seconds)
    return outcome


def stop(daemon: Daemon, wish: Wish) -> Outcome:
    """Drained, stopped and disabled."""
    outcome = Outcome()
    status = daemon.status()
    if status["ActiveState"] == "active" and not make_room(daemon, wish, outcome):
        return outcome
    if status["ActiveState"] not in ("inactive", "failed"):
        outcome.actions.append("stop")
        if not wish.check:
            daemon.systemctl("stop")
    if status["UnitFileState"] == "enabled":
        outcome.actions.append("disable")
        if not wish.check:
            daemon.systemctl("disable")
    return outcome


def remove(daemon: Daemon, wish: Wish) -> Outcome:
    """Stopped, and its unit is removed."""
    unit = UNITS / f"{daemon.kind.unit}.service"
    if not unit.is_file():
        return Outcome()
    outcome = stop(daemon, wish)
    if "draining" in outcome.details:
        return outcome
    outcome.actions.append("remove")
    if not wish.check:
        unit.unlink()
        subprocess.run(["systemctl", "daemon-reload"], check=True)
    return outcome


STATES = {"absent": remove, "draining": drain, "started": start, "stopped": stop}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "kind": {"type": "str", "choices": sorted(KINDS), "required": True},
            "page": {"type": "str", "required": True},
            "state": {"type": "str", "choices": sorted(STATES), "default": "started"},
            "disruption": {"type": "str", "choices": ["drain", "force", "refuse"], "default": "drain"},
            "drain_seconds": {"type": "int", "default": 600},
            "slice_seconds": {"type": "int", "default": 0},
            "wait_seconds": {"type": "int", "default": 60},
            "pending": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    given = module.params
    daemon = Daemon(KINDS[given["kind"]], given["page"])
    times = (given["drain_seconds"], given["wait_seconds"])
    wish = Wish(given["disruption"], *times, given["pending"], module.check_mode, given["slice_seconds"])
    try:
        outcome = STATES[given["state"]](daemon, wish)
    except (DaemonError, FolderError, OSError, subprocess.SubprocessError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(outcome.actions), actions=outcome.actions, **outcome.details)


if __name__ == "__main__":
    main()
