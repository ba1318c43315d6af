#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves a batch system by a job on every node. Runs on the server's node, as root, and submits as a user."""

from __future__ import annotations

DOCUMENTATION = r"""
module: torque_proof
short_description: Prove a batch system by a real job
version_added: 0.5.0
description:
  - Submits, as a user, an MPI job with a process on each node, and checks that every node took part, that the processes reached one another, and that
    the output is where PBS puts it.
  - The job is submitted to a queue that takes it. Where no queue takes one with all nodes, several jobs prove the nodes, and the result says so.
  - Its stamp says when and how it ended, and of which nodes. It is run again if these or the configuration have changed, or if it failed.
  - While other jobs keep the nodes from it, it is put off to the next run.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  nodes:
    description: Names of the nodes that must take part.
    type: list
    elements: str
    required: true
  ids:
    description: What the proof holds for; the ids of all nodes of the batch system.
    type: list
    elements: str
    default: []
  program:
    description: Text of the MPI program, in C; empty where there is no MPI.
    type: str
    required: true
  user:
    description: User who submits the job.
    type: str
    default: sky
  stamp:
    description: File in which the result is kept.
    type: path
    default: /var/lib/sky/proof/torque.json
  force:
    description: Run the job although nothing has changed since it succeeded.
    type: bool
    default: false
  seconds:
    description: Seconds that the job may take.
    type: int
    default: 120
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Prove the batch system
  sky.clusters.torque_proof:
    nodes: [demo-node-0, demo-node-1]
    program: "{{ lookup('ansible.builtin.file', 'ring.c') }}"
"""

RETURN = r"""
result:
  description:
    - The job's number, or those of several jobs, the nodes that took part, whether with MPI, and the seconds that it took.
    - C(limited) says what the queues did not allow to prove; empty if all nodes took part in one job.
  returned: when it succeeded
  type: dict
  sample: {job: "1", nodes: [demo-node-0, demo-node-1], mpi: true, seconds: 3.1, limited: ""}
postponed:
  description: Why it was put off.
  returned: when it was
  type: str
  sample: "other jobs use its nodes"
"""

import grp
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._rights import rights_of
from ansible_collections.sky.clusters.plugins.module_utils._systems._proof_stamp import FAILURE, POSTPONED, SUCCESS
from ansible_collections.sky.clusters.plugins.module_utils._systems._torque_proof import STAMP, Job, limited, plan, queues

PROGRAMS = Path("/var/lib/sky/proof")
ENDED = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE")
SCRIPT = """#!/bin/bash
#PBS -N sky_proof
#PBS -j oe
cd "$PBS_O_WORKDIR" || exit 1
pbsdsh -u hostname | sed 's/^/host /'
"""
MPI = "mpirun ./ring\n"


class ProofError(Exception):
    """The batch system does not do its work; the message is one sentence."""


class PostponedError(Exception):
    """It cannot be proved now; the message says why."""


def run(*command: str, **more: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise ProofError(f"'{' '.join(command[:9])}' failed: {(done.stderr or done.stdout).strip()[-400:]}")
    return str(done.stdout)


def checked(output: str, nodes: Sequence[str], mpi: bool) -> list[str]:
    """The nodes that took part, from the output of the job.

    Raises:
        ProofError: one did not, or the processes did not reach one another.
    """
    hosts = re.findall(r"^host (\S+)$", output, re.MULTILINE)
    missing = sorted(set(nodes) - set(hosts))
    if missing:
        raise ProofError(f"no job ran on {', '.join(missing)}; its output: {output.strip()[-300:]!r}")
    ring = re.search(r"^ring of (\d+): (\d+)$", output, re.MULTILINE)
    expected = (len(nodes), len(nodes) * (len(nodes) - 1) // 2)
    if mpi and (not ring or (int(ring[1]), int(ring[2])) != expected):
        raise ProofError(f"the processes of an MPI job did not reach one another; its output: {output.strip()[-300:]!r}")
    return sorted(set(hosts))


class Proof:
    """One job, in a folder of its own in the home of its user, who may put links there: root has the rights of this user in it."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.account = pwd.getpwnam(given["user"])
        self.folder = Path()

    def as_user(self, *command: str) -> str:
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": self.account.pw_dir}
        return run("runuser", "-u", self.given["user"], "--", "env", "-C", str(self.folder), *command, cwd="/", env=environment)

    def run(self) -> dict[str, Any]:
        began = time.monotonic()
        jobs = self._plan()
        with rights_of(self.account):
            self.folder = Path(tempfile.mkdtemp(prefix=".sky-proof-", dir=self.account.pw_dir))
        try:
            self._prepare()
            numbers = self._submitted(jobs)
            self._wait(numbers)
            nodes = sorted(node for number, job in zip(numbers, jobs, strict=True) for node in self._proved(number, job))
        finally:
            with rights_of(self.account):
                shutil.rmtree(self.folder)
        seconds = round(time.monotonic() - began, 1)
        open_points = limited(jobs, self.given["nodes"], self.given["user"])
        return {"job": ", ".join(numbers), "nodes": nodes, "mpi": bool(self.given["program"]), "seconds": seconds, "limited": open_points}

    def _plan(self) -> list[Job]:
        known = queues(run("scontrol", "show", "partition", "--oneliner"), run("sinfo", "--noheader", "--all", "--Node", "--format=%N %R"))
        groups = {grp.getgrgid(number).gr_name for number in os.getgrouplist(self.account.pw_name, self.account.pw_gid)}
        if jobs := plan(self.given["nodes"], known, groups):
            return jobs
        names = ", ".join(queue.name for queue in known) or "there is none"
        raise ProofError(f"no queue takes jobs of {self.given['user']} on these nodes ({names}): torque_proof_user names another user")

    def _submitted(self, jobs: Sequence[Job]) -> list[str]:
        """Their numbers. None is left behind where one is refused."""
        numbers: list[str] = []
        try:
            for job in jobs:
                numbers.append(self.as_user("qsub", *job.options, "-p", "1023", "proof.pbs").partition(".")[0])  # noqa: PERF401  # kept one by one
        except ProofError:
            if numbers:
                run("scancel", *numbers)
            raise
        return numbers

    def _proved(self, number: str, job: Job) -> list[str]:
        with rights_of(self.account):
            output = self._output(number)
        return checked(output, job.nodes, bool(self.given["program"]))

    def _prepare(self) -> None:
        program = self.given["program"]
        with rights_of(self.account):
            (self.folder / "proof.pbs").write_text(SCRIPT + MPI * bool(program), encoding="utf-8")
            if program:
                (self.folder / "ring.c").write_text(program, encoding="utf-8")
        if program:
            self.as_user("mpicc", "-O1", "-o", "ring", "ring.c")

    def _state(self, number: str) -> tuple[str, str]:
        shown = run("squeue", "--noheader", "--all", "--states=all", f"--jobs={number}", "--format=%T %r").split(maxsplit=1)
        return (shown[0], shown[1].strip()) if len(shown) > 1 else ("", "")

    def _wait(self, numbers: Sequence[str]) -> None:
        """Until the jobs have ended; those that have not are taken back."""
        end = time.monotonic() + self.given["seconds"]
        left = list(numbers)
        while time.monotonic() < end:
            state, reason = self._state(left[0])
            if state in ENDED:
                left.pop(0)
                if not left:
                    return
                continue
            time.sleep(0.3)
        others = [job for job in run("squeue", "--noheader", "--states=running", "--format=%A").split() if job not in numbers]
        run("scancel", *left)
        if state == "PENDING" and others:
            raise PostponedError(f"other jobs use its nodes ({', '.join(others[:5])})")
        raise ProofError(f"job {left[0]} has not ended within {self.given['seconds']} s: it is {state} ({reason})")

    def _output(self, number: str) -> str:
        """Where PBS puts it: also what went wrong is said there."""
        path = self.folder / f"sky_proof.o{number}"
        for _look in range(20):
            if path.is_file() and ("ring of" if self.given["program"] else "host ") in path.read_text(encoding="utf-8"):
                break
            time.sleep(0.2)
        if not path.is_file():
            raise ProofError(f"the output of job {number} is not in the home of {self.given['user']}: do all nodes share it?")
        return path.read_text(encoding="utf-8", errors="replace")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "nodes": {"type": "list", "elements": "str", "required": True},
            "ids": {"type": "list", "elements": "str", "default": []},
            "program": {"type": "str", "required": True},
            "user": {"type": "str", "default": "sky"},
            "stamp": {"type": "path", "default": str(STAMP.path)},
            "force": {"type": "bool", "default": False},
            "seconds": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    given = module.params
    stamp, ids = replace(STAMP, path=Path(given["stamp"])), given["ids"]
    if stamp.holds(ids) and not given["force"]:
        module.exit_json(changed=False, result=stamp.read()["result"])
    if module.check_mode:
        module.exit_json(changed=True)
    try:
        result = Proof(given).run()
    except PostponedError as error:
        stamp.write(ids, POSTPONED, why=str(error))
        module.exit_json(changed=True, postponed=str(error))
    except (ProofError, OSError, KeyError) as error:
        stamp.write(ids, FAILURE, why=str(error))
        module.fail_json(msg=f"The batch system cannot run a job: {error}")
    stamp.write(ids, SUCCESS, result=result)
    module.exit_json(changed=True, result=result)


if __name__ == "__main__":
    main()
