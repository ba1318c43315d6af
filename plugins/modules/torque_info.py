#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server of a batch system says of its nodes and jobs. Runs on the server's node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: torque_info
short_description: Show what the server of a batch system knows
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Asks the server for its nodes, queues and jobs, and reads how the last proof of M(sky.clusters.torque_proof) ended. Changes nothing, and does not
    fail if no server answers.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  address:
    description: The server's address.
    type: str
    required: true
  port:
    description: Its TCP port.
    type: int
    default: 6817
  stamp:
    description: File in which the server keeps how the last proof ended.
    type: path
    default: /var/lib/sky/proof/torque.json
"""

EXAMPLES = r"""
- name: Ask the server
  sky.clusters.torque_info:
    address: 10.0.0.4
  register: torque
"""

RETURN = r"""
answers:
  description: Whether the server answers.
  returned: always
  type: bool
  sample: true
page:
  description: The address that was asked.
  returned: always
  type: str
  sample: 10.0.0.4:6817
members:
  description:
    - The nodes that the server knows, by their addresses, with Slurm's words for their states.
    - A node is C(at_work) if it can be given jobs, or runs some while it leaves, and C(busy) if it runs some.
  returned: always
  type: list
  elements: dict
  sample: [{address: 10.0.0.5, state: MIXED, at_work: true, busy: true, detail: "1 of 2 cores"}]
work:
  description: The jobs that run or wait.
  returned: always
  type: list
  elements: dict
  sample: [{id: "12", name: job.pbs, user: ada, state: R, size: 2 core(s) on 1 node(s) in batch, since: "2026-11-28T04:00:00"}]
facts:
  description:
    - Each queue with its jobs, the jobs and the nodes by state, the cores of all nodes that are up, and each reservation.
    - Each index of an array counts as a job. Jobs that C(qstat) shows as C(H) are held, also by others that they wait for, and those that it shows as
      C(W), which may not run yet, are delayed.
  returned: always
  type: dict
  sample: {queue batch: "1 running, 2 waiting, 4 held", jobs: "held 4, running 1, waiting 2", nodes: "idle 1, mixed 1", cores: 4, cores in use: 1}
proof:
  description:
    - When (C(ended)) and how (C(outcome), V(success), V(failure) or V(postponed)) the last proof ended, with its C(result) or the reason (C(why)),
      the ids of its C(nodes), whether the configuration of the server is C(current), the same as then, and a success in C(words).
    - Empty if none was run since a run changed a node.
  returned: always
  type: dict
  sample: {outcome: failure, ended: "2026-11-28T03:40:05Z", why: "node demo-node-1 did not take part", nodes: [], current: true}
"""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._systems._proof_stamp import SUCCESS
from ansible_collections.sky.clusters.plugins.module_utils._systems._torque_proof import STAMP

NONE = "sky-none"  # a node that the configuration has where there is none
SECONDS = 20  # that the server may take to answer
LOST = {"DOWN", "UNKNOWN", "FAIL", "FUTURE"}
OUT = {"Reason=sky.clusters: leaves": "taken out by a run", "Reason=Prolog error": "taken out without its homes"}
BUSY = {"ALLOCATED", "MIXED", "COMPLETING"}
LETTERS = {"RUNNING": "R", "COMPLETING": "E", "CONFIGURING": "R", "SUSPENDED": "S"}
# Letters of qstat for the reasons why a job waits; of others it is Q
REASONS = {"JobHeldUser": "H", "JobHeldAdmin": "H", "JobHoldMaxRequeue": "H", "Dependency": "H", "DependencyNeverSatisfied": "H", "BeginTime": "W"}
KINDS = {"R": "running", "E": "ending", "S": "suspended", "Q": "waiting", "H": "held", "W": "delayed"}
JOB = "%i|%u|%T|%r|%C|%D|%P|%V|%j"


def ask(*command: str) -> str | None:
    """What a command of Slurm's answers; None if it does not."""
    try:
        environment = os.environ | {"SLURM_BITSTR_LEN": "0"}  # or long lists of indices are cut
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def states(text: str) -> set[str]:
    """The words of a state such as ``IDLE*+DRAIN``. A node that does not respond gets a star at once, and is down after a time-out."""
    return {re.sub(r"\W", "", word) for word in text.split("+")}


def members(shown: str) -> list[dict[str, Any]]:
    """The nodes, from the lines of ``scontrol show node``."""
    found = []
    for line in shown.splitlines():
        fields = dict(re.findall(r"(\w+)=(\S*)", line))
        if fields.get("NodeName", NONE) == NONE:
            continue
        words = states(fields.get("State", "UNKNOWN"))
        used, cores = int(fields.get("CPUAlloc", 0)), int(fields.get("CPUTot", 0))
        found.append(
            {
                "address": fields.get("NodeAddr", ""),
                "state": fields.get("State", "UNKNOWN"),
                "at_work": not words & LOST,
                "busy": bool(words & BUSY) or used > 0,
                "detail": ", ".join([f"{used} of {cores} cores", *(words for reason, words in OUT.items() if reason in line)]),
            }
        )
    return found


def work(shown: str) -> list[dict[str, Any]]:
    """The jobs, from the lines of squeue."""
    found = []
    for line in shown.splitlines():
        number, user, state, reason, cores, nodes, queue, since, name = line.split("|", 8)
        size = f"{cores} core(s) on {nodes} node(s) in {queue}"
        letter = REASONS.get(reason, "Q") if state == "PENDING" else LETTERS.get(state, state)
        found.append({"id": number, "name": name, "user": user, "state": letter, "size": size, "since": since})
    return found


def indices(number: str) -> int:
    """How many jobs a line of squeue stands for: the waiting indices of an array are one, such as ``13_[1-4,7%2]`` and ``13_[0-8:2]``."""
    ranges = re.findall(r"[\[,](\d+)(?:-(\d+))?(?::(\d+))?", number)
    return sum((int(last or first) - int(first)) // int(step or 1) + 1 for first, last, step in ranges) or 1


def facts(nodes: Sequence[Mapping[str, Any]], jobs: Sequence[Mapping[str, Any]], queues: Iterable[str]) -> dict[str, Any]:
    """What status shows beside: queues, jobs by state, nodes by state, cores."""
    found: dict[str, Any] = {}
    for queue in queues:
        own = _by_kind(job for job in jobs if job["size"].rsplit(" ", 1)[1] == queue)
        running = own["running"] + own["ending"] + own["suspended"]
        more = [f"{own[kind]} {kind}" for kind in ("held", "delayed") if own[kind]]
        found[f"queue {queue}"] = ", ".join([f"{running} running", f"{own['waiting']} waiting", *more])
    found["jobs"] = _counted(_by_kind(jobs))
    found["nodes"] = _counted(Counter(node["state"].lower() for node in nodes))
    counts = [[int(number) for number in re.findall(r"\d+", node["detail"])[:2]] for node in nodes if node["at_work"]]
    return found | {"cores": sum(count[1] for count in counts), "cores in use": sum(count[0] for count in counts)}


def _by_kind(jobs: Iterable[Mapping[str, Any]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for job in jobs:
        found[KINDS.get(job["state"], job["state"])] += indices(job["id"])
    return found


def reservations(shown: str) -> dict[str, str]:
    """The reservations, from the lines of scontrol."""
    found = (dict(re.findall(r"(\w+)=(\S*)", line)) for line in shown.splitlines())
    return {
        f"reservation {each['ReservationName']}": f"{each['StartTime']} to {each['EndTime']}, {each['NodeCnt']} node(s)"
        for each in found
        if "ReservationName" in each
    }


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def view() -> dict[str, Any]:
    """What the server says, in the shape that all systems share."""
    nodes = ask("scontrol", "show", "node", "--oneliner")
    jobs = ask("squeue", "--noheader", "--all", f"--format={JOB}")
    queues = ask("sinfo", "--noheader", "--format=%R")
    reserved = ask("scontrol", "show", "reservation", "--oneliner")
    if nodes is None or jobs is None or queues is None or reserved is None:
        return {"answers": False, "members": [], "work": [], "facts": {}}
    seen, waiting = members(nodes), work(jobs)
    return {"answers": True, "members": seen, "work": waiting, "facts": facts(seen, waiting, dict.fromkeys(queues.split())) | reservations(reserved)}


def in_words(proof: dict[str, Any]) -> dict[str, Any]:
    """The same, with what a success was."""
    if proof.get("outcome") != SUCCESS:
        return proof
    result = proof["result"]
    words = f"job {result['job']} ran on {len(result['nodes'])} node(s){', with MPI,' if result['mpi'] else ''} in {result['seconds']} s"
    return proof | {"words": "; ".join(filter(None, (words, result.get("limited", ""))))}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "default": 6817},
            "stamp": {"type": "path", "default": str(STAMP.path)},
        },
        supports_check_mode=True,
    )
    address = module.params["address"]
    page = f"{f'[{address}]' if ':' in address else address}:{module.params['port']}"
    stamp = replace(STAMP, path=Path(module.params["stamp"]))
    module.exit_json(changed=False, page=page, proof=in_words(stamp.seen()), **view())


if __name__ == "__main__":
    main()
