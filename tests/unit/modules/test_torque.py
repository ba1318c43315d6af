# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of the batch system: what the server says, how nodes leave, and what a proof must show."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.action.torque_submit import faults, why
from ansible_collections.sky.clusters.plugins.action.usage import lines
from ansible_collections.sky.clusters.plugins.modules import torque_drain, torque_info, torque_proof, torque_submit, torque_usage

NODES = """NodeName=n-0 Arch=x86_64 CPUAlloc=1 CPUTot=2 NodeAddr=10.0.0.2 State=MIXED Partitions=batch
NodeName=n-1 CPUAlloc=0 CPUTot=2 NodeAddr=10.0.0.3 State=DOWN* Reason=Not responding [slurm@2026-11-28T08:00:00]
NodeName=n-2 CPUAlloc=0 CPUTot=2 NodeAddr=10.0.0.4 State=IDLE+DRAIN Reason=sky.clusters: leaves [root@2026-11-28T08:00:00]
NodeName=n-3 CPUAlloc=0 CPUTot=2 NodeAddr=10.0.0.5 State=IDLE*
"""
JOBS = "12|ada|RUNNING|2|1|batch|2026-11-28T08:00:00|a|b\n13_[1-4]|bob|PENDING|4|2|short|2026-11-28T08:01:00|x\n"


def test_nodes_as_the_server_knows_them() -> None:
    found = torque_info.members(NODES)
    assert [(node["address"], node["at_work"], node["busy"]) for node in found] == [
        ("10.0.0.2", True, True),
        ("10.0.0.3", False, False),
        ("10.0.0.4", True, False),
        ("10.0.0.5", True, False),
    ]
    assert found[2]["detail"] == "0 of 2 cores, taken out by a run"


def test_jobs_queues_and_nodes_are_counted() -> None:
    jobs = torque_info.work(JOBS)
    assert [(job["id"], job["name"], job["state"]) for job in jobs] == [("12", "a|b", "R"), ("13_[1-4]", "x", "Q")]
    found = torque_info.facts(torque_info.members(NODES), jobs, ["batch", "short"])
    assert found == {
        "queue batch": "1 running, 0 waiting",
        "queue short": "0 running, 1 waiting",
        "jobs": "running 1, waiting 1",
        "nodes": "down* 1, idle* 1, idle+drain 1, mixed 1",
        "cores": 6,
        "cores in use": 1,
    }


def test_reservations_are_among_the_facts() -> None:
    line = "ReservationName=update StartTime=2026-12-01T08:00:00 EndTime=2026-12-01T12:00:00 Duration=04:00:00 Nodes=n-[0-3] NodeCnt=4 Flags=MAINT"
    assert torque_info.reservations(line) == {"reservation update": "2026-12-01T08:00:00 to 2026-12-01T12:00:00, 4 node(s)"}
    assert torque_info.reservations("No reservations in the system") == {}


def test_the_usage_is_asked_by_month_and_user(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_more: object) -> subprocess.CompletedProcess[str]:
        asked.append(command[1:])
        return subprocess.CompletedProcess(command, 0, '[{"user": "ada"}]', "")

    monkeypatch.setattr(subprocess, "run", run)
    assert torque_usage.usage("2026-11", "ada") == [{"user": "ada"}]
    torque_usage.usage("", "")
    assert asked == [["-j", "-m", "2026-11", "-u", "ada"], ["-j"]]
    with pytest.raises(torque_usage.UsageError, match="month: must be a year and a month such as 2026-11, got '2026-13'"):
        torque_usage.usage("2026-13", "")


def test_what_users_have_used_is_a_table() -> None:
    rows = [{"month": "2026-11", "user": "ada", "jobs": 412, "failed": 3, "core_hours": 1031.25}]
    heading, names, values = lines("torque", rows)
    assert (heading, names.split(), values.split()) == (
        "torque:", ["month", "user", "jobs", "failed", "core", "hours"], ["2026-11", "ada", "412", "3", "1031.25"],
    )  # fmt: skip
    assert lines("torque", []) == ["torque: nothing was used"]


class Slurm:
    """Answers of Slurm's commands on a node whose jobs end, or do not."""

    def __init__(self, requeue: dict[str, bool]) -> None:
        self.requeue = requeue
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, *command: str) -> str:
        self.asked.append(command)
        if command[0] == "squeue":
            return "\n".join(self.requeue)
        if command[:3] == ("scontrol", "show", "job"):
            return f"JobId={command[-1]} Requeue={int(self.requeue[command[-1]])} Restarts=0"
        if command[:2] == ("scontrol", "requeue") or command[0] == "scancel":
            del self.requeue[command[-1]]
        return "NodeName=n-0 State=IDLE"


@pytest.fixture
def slurm(monkeypatch: pytest.MonkeyPatch) -> Slurm:
    made = Slurm({"7": True, "8": True})
    monkeypatch.setattr(torque_drain, "run", made)
    monkeypatch.setattr(torque_drain, "PAUSE", 0.01)
    return made


def given(**more: Any) -> dict[str, Any]:
    return {"node": "n-0", "state": "drained", "drain_seconds": 0, "progress_seconds": 0, "force": False} | more


def test_a_node_takes_no_more_jobs_before_anything_else(slurm: Slurm) -> None:
    assert torque_drain.drain(given(state="draining")) == {"changed": True}
    assert slurm.asked[-1][:4] == ("scontrol", "update", "NodeName=n-0", "State=DRAIN")


@pytest.mark.parametrize("state", ["draining", "drained"])
def test_a_node_that_the_server_has_forgotten_has_nothing_to_drain(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    def run(*_command: str) -> str:
        raise torque_drain.DrainError("'scontrol show node n-0 --oneliner' failed: Node n-0 not found")

    monkeypatch.setattr(torque_drain, "run", run)
    assert torque_drain.drain(given(state=state)) == {"changed": False, "drained_in": 0, "requeued": [], "ended": []}


def test_a_server_that_does_not_answer_has_not_forgotten_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_command: str) -> str:
        raise torque_drain.DrainError("'scontrol show node n-0 --oneliner' failed: slurm_load_node error: Unable to contact slurm controller")

    monkeypatch.setattr(torque_drain, "run", run)
    with pytest.raises(torque_drain.DrainError, match="Unable to contact"):
        torque_drain.drain(given())


def test_what_still_runs_is_said_while_there_is_time(slurm: Slurm) -> None:
    found = torque_drain.drain(given(drain_seconds=60, progress_seconds=0.02))
    assert found["draining"]["work"] == ["7", "8"]
    assert not [command for command in slurm.asked if command[1] == "requeue"]


def test_jobs_that_may_run_again_are_queued_again_when_the_time_is_over(slurm: Slurm) -> None:
    assert torque_drain.drain(given()) == {"changed": True, "drained_in": 0, "requeued": ["7", "8"], "ended": []}
    assert slurm.requeue == {}


def test_a_job_that_may_not_run_again_keeps_the_node(slurm: Slurm) -> None:
    slurm.requeue["8"] = False
    with pytest.raises(torque_drain.DrainError, match=r"^job 8 still runs and may not run again"):
        torque_drain.drain(given())
    assert set(slurm.requeue) == {"7", "8"}
    assert torque_drain.drain(given(force=True, drain_seconds=600)) == {"changed": True, "drained_in": 0, "requeued": ["7"], "ended": ["8"]}


OUTPUT = "host n-0\nhost n-1\nring of 2: 1\n"


def test_a_proof_names_the_nodes_that_took_part() -> None:
    assert torque_proof.checked(OUTPUT, ["n-1", "n-0"], mpi=True) == ["n-0", "n-1"]
    assert torque_proof.checked("host n-0\n", ["n-0"], mpi=False) == ["n-0"]


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("host n-0\nring of 2: 1\n", "no job ran on n-1"),
        (OUTPUT.replace(": 1", ": 0"), "the processes of an MPI job did not reach one another"),
        (OUTPUT.replace("ring", "mpirun: error"), "the processes of an MPI job did not reach one another"),
        (OUTPUT.replace("of 2: 1", "of 1: 0"), "the processes of an MPI job did not reach one another"),
    ],
)
def test_a_proof_fails_if_a_node_or_the_network_does(output: str, sentence: str) -> None:
    with pytest.raises(torque_proof.ProofError, match=f"^{sentence}"):
        torque_proof.checked(output, ["n-0", "n-1"], mpi=True)


@pytest.mark.parametrize(
    ("data", "whole", "expected"),
    [(b"one\ntw", False, ("one\n", 4)), (b"one\ntw", True, ("one\ntw", 6)), (b"\xc3", False, ("", 0)), (b"a\xff\n", False, ("a\ufffd\n", 3))],
)
def test_output_is_shown_by_whole_lines_until_the_end(data: bytes, whole: bool, expected: tuple[str, int]) -> None:
    assert torque_submit.decoded(data, whole) == expected


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (3, "ended with exit status 3"),
        (265, "was killed by signal 9"),
        (-11, "exceeded its walltime"),
        (271, "was deleted"),
        (None, "ended, and the server"),
    ],
)
def test_how_a_job_ended(status: int | None, words: str) -> None:
    assert why(status).startswith(words)


def test_all_faults_of_a_submission_at_once() -> None:
    args = {"script": "/no/such.pbs", "files": ["/no/data"], "options": ["-I", "-t", "1-2"], "timeout": -1}
    assert [sentence.partition(":")[0] for sentence in faults(args)] == ["sky_script", "sky_files", "sky_qsub", "sky_qsub", "sky_timeout"]
