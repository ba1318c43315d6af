#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, restart and stop the daemons of a Spark standalone cluster without breaking running jobs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spark_daemon
short_description: Manage a daemon of a Spark standalone cluster without breaking running jobs
version_added: 0.1.0
description:
  - Enables and starts the systemd unit of a Spark daemon with the settings on disk, or stops and disables it.
  - The folders that the unit names are created, and their ownership is repaired, before the daemon starts and also while it runs.
  - A worker is drained before it is restarted or stopped. It accepts no new tasks, and its executors move their blocks to other workers and exit.
  - An action plugin of the same name prints every few seconds what a draining worker still runs.
  - A restarted master recovers the running applications, so it is restarted without waiting for them.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  kind:
    description: The daemon.
    type: str
    choices: [history, master, worker]
    required: true
  page:
    description: Its web page, such as V(http://10.0.0.5:8081).
    type: str
    required: true
  state:
    description:
      - The desired state. V(stopped) also disables the unit. V(absent) also removes it.
      - V(draining) makes a worker start to drain and does not wait, so that many workers drain at the same time.
    type: str
    choices: [absent, draining, started, stopped]
    default: started
  disruption:
    description:
      - What to do if a restart would end running work.
      - V(drain) drains a worker first, for at most O(drain_seconds). V(refuse) fails. V(force) restarts at once.
    type: str
    choices: [drain, force, refuse]
    default: drain
  drain_seconds:
    description: Seconds after which executors that still run on a draining worker are ended. Their tasks run again on other workers.
    type: int
    default: 600
  progress_seconds:
    description: Seconds between two lines that show what a draining worker still runs. V(0) shows none.
    type: int
    default: 5
  wait_seconds:
    description:
      - Seconds to wait until a started or restarted daemon serves its page. V(0) does not wait at all, not even for the process.
      - A master that recovers the workers and applications that it knew is waited for up to 240 seconds longer.
    type: int
    default: 60
  pending:
    description: Whether, in check mode, an earlier task would have changed the settings on disk.
    type: bool
    default: false
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Run the worker with its current settings
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
  description: What was done, in this order, or would be done in check mode.
  returned: always
  type: list
  elements: str
  sample: ["repair /data/spark/work", drain, restart]
drained_in:
  description: How many seconds draining took.
  returned: when a worker was drained
  type: int
  sample: 31
ended:
  description: Executors that still ran after O(drain_seconds) and were ended.
  returned: when a worker was drained
  type: list
  elements: str
  sample: [app-20261121040000-0003/1]
"""

import hashlib
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._drain import DISRUPTIONS, DRAIN, DrainError, Policy, Work, clear, is_draining
from ansible_collections.sky.clusters.plugins.module_utils._nodes._folders import FolderError, folders
from ansible_collections.sky.clusters.plugins.module_utils._nodes._systemd import SystemdError, systemctl
from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_log import last_words
from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_page import read
from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_processes import ask_to_drain, executors, is_leaving, page

UNITS = Path("/etc/systemd/system")
SETTINGS = Path("/etc/spark/spark-daemons.conf")
HOME = Path("/opt/spark")
RUNTIME = Path("/run")
RECOVERY = 240  # seconds; a master waits less (`spark.worker.timeout`) for what it remembers
AGAIN = 5  # seconds after which those that do not drain are asked again


class DaemonError(Exception):
    """The daemon is not in the desired state; the message is one sentence."""


@dataclass(frozen=True)
class Kind:
    """The properties of one kind of daemon."""

    unit: str
    path: str = "/json/"
    drains: bool = False  # whether a restart would end that work, which can be moved away first


KINDS = {
    "history": Kind("spark-history-server", path="/api/v1/version"),
    "master": Kind("spark-master"),
    "worker": Kind("spark-worker", drains=True),
}


@dataclass
class Outcome:
    """What was done."""

    actions: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)


def fingerprint(unit: str) -> str:
    """A hash of the settings on disk. The unit records the same hash of the settings that it starts with."""
    digest = hashlib.sha256()
    for path in (UNITS / f"{unit}.service", SETTINGS):
        digest.update(path.read_bytes() if path.is_file() else b"")
    digest.update((" ".join(str(path) for path in sorted(HOME.glob(".sha256-*"))) + "\n").encode())
    return digest.hexdigest()


def drain_record(unit: str) -> Path:
    """Holds the id of the process that was asked to drain: it never accepts work again, even if the run that asked it was killed.

    It is not in the daemon's own folder, where a job could replace it by a link to a file of root's.
    """
    return RUNTIME / f"{unit}.draining"


def in_force(unit: str) -> str:
    """The hash of the settings that the daemon was started with."""
    path = RUNTIME / unit / "settings"
    return path.read_text().split(" ")[0] if path.is_file() else ""


class Daemon:
    """One daemon of this node."""

    def __init__(self, kind: Kind, page: str) -> None:
        self.kind = kind
        self.page = page
        self._asked = 0.0  # when those that did not drain were last asked again

    @property
    def name(self) -> str:
        return self.kind.unit

    @property
    def drains(self) -> bool:
        return self.kind.drains

    def systemctl(self, *arguments: str) -> str:
        try:
            return systemctl(*arguments, f"{self.kind.unit}.service")
        except SystemdError as error:
            raise DaemonError(f"{error}; {self.tail()}") from error

    def status(self) -> Mapping[str, str]:
        shown = self.systemctl("show", "--property=ActiveState,MainPID,NeedDaemonReload,UnitFileState")
        return dict(line.split("=", 1) for line in shown.splitlines())

    def tail(self) -> str:
        """The last lines of its journal, for an error message."""
        command = ["journalctl", "--unit", self.kind.unit, "--lines=80", "--output=cat", "--no-pager"]
        said = last_words(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        return f"its journal ends with: {said}" if said else "its journal is empty"

    def process(self) -> int:
        """The id of its process; 0 if none runs."""
        return int(self.status()["MainPID"])

    def read(self) -> Mapping[str, Any] | None:
        """Its page, where the running process serves it, which new settings may change; None if nothing does."""
        return read(page(self.process()) or self.page, self.kind.path)

    def work(self) -> list[Work] | None:
        """The executors that run on a worker, or the applications of a master; None if a master does not say."""
        if self.kind.drains:
            running = executors(self.process())
            names = self._names() if running else {}
            return [Work(each.name, names.get(each.application, each.application)) for each in running]
        if self.kind is not KINDS["master"]:
            return []
        found = self.read()
        return None if found is None else [Work(str(each["id"]), str(each.get("name", each["id"]))) for each in found.get("activeapps", [])]

    def _names(self) -> dict[str, str]:
        """The names of the applications whose executors run here, as far as the page tells of them."""
        listed = (self.read() or {}).get("executors", [])
        return {str(each["appid"]): str(each.get("appdesc", {}).get("name", each["appid"])) for each in listed}

    def begin_drain(self) -> int:
        """Ask its process to drain, for the first time or again; the id of the process."""
        pid, record = self.process(), drain_record(self.kind.unit)
        if ask_to_drain(pid) and not (record.is_file() and record.read_text() == str(pid)):
            record.write_text(str(pid))
        return pid

    def check_drain(self, process: int) -> None:
        """The process stays alive while it drains. The master keeps counting the cores of a drained worker, so its own page is watched."""
        if self.process() != process:
            raise DrainError(f"{self.kind.unit} died while it was draining; {self.tail()}")
        self._ask_again(process)

    def _ask_again(self, process: int) -> None:
        """Ask the worker and its executors again, for whom a message may have been lost.

        A worker tells its master of its drain, which drops that while it recovers. The master tells the driver of each executor once, and a driver
        drops what it is told of an executor that has not registered with it yet: it would run until its application ends.
        """
        record, now = drain_record(self.kind.unit), time.time()
        if not record.is_file() or now - max(record.stat().st_mtime, self._asked) < AGAIN:
            return
        self._asked = now
        ask_to_drain(process)
        for executor in executors(process):
            if not is_leaving(executor.pid):
                ask_to_drain(executor.pid)

    def wait(self, seconds: int) -> None:
        """Wait until it serves its page, a worker until it also knows its master, and a master until it has recovered what it knew."""
        begun, limit = time.monotonic(), seconds
        while time.monotonic() - begun < limit:
            found = self.read() or {}
            if found and found.get("masterurl", "-") and found.get("status", "ALIVE") == "ALIVE":
                return
            limit = seconds + (RECOVERY if "RECOVER" in str(found.get("status", "")) else 0)
            time.sleep(0.5)
        if seconds:
            raise DaemonError(f"{self.kind.unit} did not start within {seconds} seconds; {self.tail()}")


@dataclass(frozen=True)
class Request:
    """What the task asks for."""

    policy: Policy
    wait_seconds: int = 0
    pending: bool = False

    @property
    def check(self) -> bool:
        return self.policy.check


def is_stale(unit: str, pid: str) -> bool:
    """Whether a daemon runs with other settings than those on disk, or was asked to drain and never stopped."""
    record = drain_record(unit)
    return in_force(unit) != fingerprint(unit) or (record.is_file() and record.read_text() == pid)


def make_room(daemon: Daemon, request: Request, outcome: Outcome) -> bool:
    """Deal with running work before a restart or a stop; whether the daemon may be restarted or stopped now."""
    actions, details = clear(daemon, request.policy)
    outcome.actions += actions
    outcome.details |= details
    return not is_draining(details)


def begin_drain(daemon: Daemon, request: Request) -> Outcome:
    """Make a running worker start to drain."""
    outcome = Outcome()
    if daemon.drains and request.policy.disruption == DRAIN and daemon.status()["ActiveState"] == "active":
        outcome.actions.append("drain")
        if not request.check:
            daemon.begin_drain()
    return outcome


def repair(daemon: Daemon, request: Request, outcome: Outcome) -> None:
    """Create the folders that it writes to, and repair their ownership."""
    for folder in folders(UNITS / f"{daemon.kind.unit}.service"):
        if folder.fault() if request.check else folder.repair():
            outcome.actions.append(f"repair {folder.path}")


def start(daemon: Daemon, request: Request) -> Outcome:
    """Enable it, and make it run with the settings on disk."""
    outcome = Outcome()
    repair(daemon, request, outcome)
    status = daemon.status()
    running = status["ActiveState"] == "active"
    stale = running and (is_stale(daemon.kind.unit, status["MainPID"]) or (request.check and request.pending))
    if status["UnitFileState"] != "enabled":
        outcome.actions.append("enable")
    if stale and not make_room(daemon, request, outcome):
        return outcome
    if stale or not running:
        outcome.actions.append("restart" if running else "start")
    if request.check:
        return outcome
    if status["NeedDaemonReload"] == "yes":
        systemctl("daemon-reload")
    if "enable" in outcome.actions:
        daemon.systemctl("enable")
    if stale or not running:
        daemon.systemctl("restart", *([] if request.wait_seconds else ["--no-block"]))
        daemon.wait(request.wait_seconds)
    return outcome


def stop(daemon: Daemon, request: Request) -> Outcome:
    """Drain, stop and disable it."""
    outcome = Outcome()
    status = daemon.status()
    if status["ActiveState"] == "active" and not make_room(daemon, request, outcome):
        return outcome
    if status["ActiveState"] not in ("inactive", "failed"):
        outcome.actions.append("stop")
        if not request.check:
            daemon.systemctl("stop")
    if status["UnitFileState"] == "enabled":
        outcome.actions.append("disable")
        if not request.check:
            daemon.systemctl("disable")
    return outcome


def remove(daemon: Daemon, request: Request) -> Outcome:
    """Stop it and remove its unit."""
    unit = UNITS / f"{daemon.kind.unit}.service"
    if not unit.is_file():
        return Outcome()
    outcome = stop(daemon, request)
    if is_draining(outcome.details):
        return outcome
    outcome.actions.append("remove")
    if not request.check:
        unit.unlink()
        systemctl("daemon-reload")
    return outcome


STATES = {"absent": remove, "draining": begin_drain, "started": start, "stopped": stop}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "kind": {"type": "str", "choices": sorted(KINDS), "required": True},
            "page": {"type": "str", "required": True},
            "state": {"type": "str", "choices": sorted(STATES), "default": "started"},
            "disruption": {"type": "str", "choices": list(DISRUPTIONS), "default": "drain"},
            "drain_seconds": {"type": "int", "default": 600},
            "progress_seconds": {"type": "int", "default": 5},
            "wait_seconds": {"type": "int", "default": 60},
            "pending": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    given = module.params
    daemon = Daemon(KINDS[given["kind"]], given["page"])
    policy = Policy(given["disruption"], given["drain_seconds"], given["progress_seconds"], module.check_mode)
    request = Request(policy, given["wait_seconds"], given["pending"])
    try:
        outcome = STATES[given["state"]](daemon, request)
    except (DaemonError, DrainError, FolderError, SystemdError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(outcome.actions), actions=outcome.actions, **outcome.details)


if __name__ == "__main__":
    main()
