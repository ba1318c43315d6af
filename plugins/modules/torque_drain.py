#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets a node of a batch system leave: no more jobs, those that run to their ends, or elsewhere."""

from __future__ import annotations

DOCUMENTATION = r"""
module: torque_drain
short_description: Let a node of a batch system leave
version_added: 0.5.0
description:
  - Takes a node of a batch system out, and waits until its jobs have ended. While it waits, a line every few seconds says what still runs.
  - After O(drain_seconds), jobs that may run again are queued again. One that may not fails the task, unless O(force) is set.
  - It runs on the node. Where no node of a batch system is installed, it does nothing.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  node:
    description: The node's name in the batch system.
    type: str
    required: true
  state:
    description: V(draining) takes the node out and does not wait.
    type: str
    choices: [draining, drained]
    default: drained
  drain_seconds:
    description: How long its jobs may take to end.
    type: int
    default: 600
  progress_seconds:
    description: Seconds after which the module returns, to be called again. The action plugin of this name sets it.
    type: int
    default: 0
  force:
    description: Do not wait, and end jobs that may not run again.
    type: bool
    default: false
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Drain the node
  sky.clusters.torque_drain:
    node: "{{ inventory_hostname }}"
    drain_seconds: 3600
"""

RETURN = r"""
draining:
  description: The jobs that still run.
  returned: when they have not ended yet
  type: dict
  sample: {work: ["12"], jobs: ["12"]}
drained_in:
  description: Seconds that this call took.
  returned: when the node is drained
  type: int
  sample: 3
requeued:
  description: The jobs that were queued again.
  returned: when the node is drained
  type: list
  elements: str
  sample: []
ended:
  description: The jobs that were ended, since they may not run again.
  returned: when the node is drained
  type: list
  elements: str
  sample: []
"""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

UNIT = Path("/etc/systemd/system/slurmd.service")
CONFIGURATION = Path("/var/spool/slurmd/conf-cache/slurm.conf")  # also there while the node's daemon does not run
REASON = "sky.clusters: leaves"
NOT_KNOWN = " not found"  # the end of what scontrol says of a node that the server does not have
PAUSE = 1.0
SETTLE = 60.0  # seconds that a job which is queued again may take to let go of the node


class DrainError(Exception):
    """The node cannot leave; the message is one sentence."""


@dataclass(frozen=True)
class Job:
    """A job on the node."""

    id: str
    requeue: bool


def run(*command: str) -> str:
    """What a command of Slurm's answers."""
    environment = os.environ | ({"SLURM_CONF": str(CONFIGURATION)} if CONFIGURATION.is_file() else {})
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise DrainError(f"'{' '.join(command)}' failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def jobs(node: str) -> list[Job]:
    """Those that hold the node."""
    shown = run("squeue", "--noheader", "--all", f"--nodelist={node}", "--states=running,completing,suspended,configuring", "--format=%A")
    return [_job(number) for number in dict.fromkeys(shown.split())]


def _job(number: str) -> Job:
    return Job(number, "Requeue=1" in run("scontrol", "show", "job", "--oneliner", number).split())


def known(node: str) -> str:
    """How the server describes the node; empty if it has forgotten it already, as when the node's pool has lost the role."""
    try:
        return run("scontrol", "show", "node", node, "--oneliner")
    except DrainError as error:
        if NOT_KNOWN in str(error):
            return ""
        raise


def take_out(node: str, shown: str) -> bool:
    """Give the node no more jobs; whether it was given some until now."""
    if "DRAIN" in next((word for word in shown.split() if word.startswith("State=")), ""):
        return False
    run("scontrol", "update", f"NodeName={node}", "State=DRAIN", f"Reason={REASON}")
    return True


def wait(node: str, seconds: float) -> list[Job]:
    """The jobs that are left when the time is over."""
    end = time.monotonic() + seconds
    while (left := jobs(node)) and time.monotonic() < end:
        time.sleep(PAUSE)
    return left


def clear(node: str, left: list[Job], force: bool) -> dict[str, list[str]]:
    """Have the jobs that are left run elsewhere."""
    stuck = [job.id for job in left if not job.requeue]
    if stuck and not force:
        raise DrainError(
            f"job {', '.join(stuck)} still runs and may not run again (qsub -r n): wait for its end, end it with qdel, or set sky_disruption to force"
        )
    for job in left:
        run(*(("scontrol", "requeue", job.id) if job.requeue else ("scancel", job.id)))
    remaining = wait(node, SETTLE) if left else []
    if remaining:
        raise DrainError(f"job {', '.join(job.id for job in remaining)} does not let go of the node")
    return {"requeued": [job.id for job in left if job.requeue], "ended": stuck}


def drain(given: dict[str, Any]) -> dict[str, Any]:
    """Let the node leave, or wait for a slice of time."""
    node = given["node"]
    begun = time.monotonic()
    shown = known(node)
    if not shown:
        return {"changed": False, "drained_in": 0, "requeued": [], "ended": []}
    changed = take_out(node, shown)
    if given["state"] == "draining":
        return {"changed": changed}
    seconds = 0 if given["force"] else given["drain_seconds"]
    now = min(seconds, given["progress_seconds"]) if given["progress_seconds"] else seconds
    left = wait(node, now)
    if left and now < seconds:
        return {"changed": changed, "draining": {"work": [job.id for job in left], "jobs": [job.id for job in left]}}
    found = clear(node, left, given["force"])
    return {"changed": changed or bool(left), "drained_in": round(time.monotonic() - begun), **found}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "node": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["draining", "drained"], "default": "drained"},
            "drain_seconds": {"type": "int", "default": 600},
            "progress_seconds": {"type": "int", "default": 0},
            "force": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    if not UNIT.is_file() or module.check_mode:
        module.exit_json(changed=UNIT.is_file())
    try:
        module.exit_json(**drain(module.params))
    except (DrainError, OSError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
