# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of the batch system: what the server says, how nodes leave, and what a proof must show."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.action.torque_submit import faults, why
from ansible_collections.sky.clusters.plugins.action.usage import lines
from ansible_collections.sky.clusters.plugins.module_utils._systems import _torque_proof
from ansible_collections.sky.clusters.plugins.modules import torque_drain, torque_info, torque_proof, torque_submit, torque_usage
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs import qsub
from ansible_collections.sky.clusters.tests.support.users import a_user

NODES = """NodeName=n-0 Arch=x86_64 CPUAlloc=1 CPUTot=2 NodeAddr=10.0.0.2 State=MIXED Partitions=batch
NodeName=n-1 CPUAlloc=0 CPUTot=2 NodeAddr=10.0.0.3 State=DOWN* Reason=Not responding [slurm@2026-11-28T08:00:00]
NodeName=n-2 CPUAlloc=0 CPUTot=2 NodeAddr=10.0.0.4 State=IDLE+DRAIN Reason=sky.clusters: leaves [root@2026-11-28T08:00:00]
NodeName=n-3 CPUAlloc=0 CPUTot=2 NodeAddr=10.0.0.5 State=IDLE*
NodeName=n-4 CPUAlloc=0 CPUTot=2 NodeAddr=10.0.0.6 State=IDLE+DRAIN Reason=Prolog error [slurm@2026-11-28T08:00:00]
"""
JOBS = """12|ada|RUNNING|None|2|1|batch|2026-11-28T08:00:00|a|b
13_[1-4,7,10-15%2]|bob|PENDING|Resources|4|2|short|2026-11-28T08:01:00|x
14|bob|PENDING|JobHeldUser|1|1|short|2026-11-28T08:01:00|held
15_[1-2]|bob|PENDING|Dependency|1|1|short|2026-11-28T08:01:00|after
16|bob|PENDING|BeginTime|1|1|batch|2026-11-28T08:01:00|late
17_3|bob|COMPLETING|None|1|1|short|2026-11-28T08:01:00|x
"""


def test_nodes_as_the_server_knows_them() -> None:
    found = torque_info.members(NODES)
    assert [(node["address"], node["at_work"], node["busy"]) for node in found] == [
        ("10.0.0.2", True, True),
        ("10.0.0.3", False, False),
        ("10.0.0.4", True, False),
        ("10.0.0.5", True, False),
        ("10.0.0.6", True, False),
    ]
    assert [node["detail"] for node in found[2:]] == ["0 of 2 cores, taken out by a run", "0 of 2 cores", "0 of 2 cores, taken out without its homes"]


def test_jobs_queues_and_nodes_are_counted() -> None:
    jobs = torque_info.work(JOBS)
    assert [(job["id"], job["name"], job["state"]) for job in jobs] == [
        ("12", "a|b", "R"),
        ("13_[1-4,7,10-15%2]", "x", "Q"),
        ("14", "held", "H"),
        ("15_[1-2]", "after", "H"),
        ("16", "late", "W"),
        ("17_3", "x", "E"),
    ]
    found = torque_info.facts(torque_info.members(NODES), jobs, ["batch", "short"])
    assert found == {
        "queue batch": "1 running, 0 waiting, 1 delayed",
        "queue short": "1 running, 11 waiting, 3 held",
        "jobs": "delayed 1, ending 1, held 3, running 1, waiting 11",
        "nodes": "down* 1, idle* 1, idle+drain 2, mixed 1",
        "cores": 8,
        "cores in use": 1,
    }


@pytest.mark.parametrize(("number", "count"), [("12", 1), ("13_4", 1), ("13_[4]", 1), ("13_[0-8:2%3]", 5), ("13_[1-400]", 400), ("13_[1,3,5-6]", 4)])
def test_the_indices_of_an_array_are_counted(number: str, count: int) -> None:
    assert torque_info.indices(number) == count


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


def forbidden(path: object, *_ids: int) -> None:
    raise AssertionError(f"root gives {path} away")


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


PARTITION = "PartitionName={} Default={} AllowGroups={} MaxNodes={} MaxTime={} State=UP\n"


def planned(*partitions: tuple[str, str, str, str, str], groups: tuple[str, ...] = ("sky",), here: str = "") -> list[list[str]]:
    """The options of each job of a proof on two nodes that are in all queues, but for those that ``here`` lists."""
    members = here or "".join(f"n-{number} {partition[0]}\n" for partition in partitions for number in range(2))
    known = _torque_proof.queues("".join(PARTITION.format(*partition) for partition in partitions), members)
    return [job.options for job in _torque_proof.plan(["n-0", "n-1"], known, groups)]


BATCH = ("batch", "YES", "ALL", "UNLIMITED", "UNLIMITED")


def test_a_proof_is_one_job_where_a_queue_takes_it() -> None:
    whole = [["-q", "batch", "-l", "nodes=2", "-l", "walltime=300"]]
    assert planned(BATCH, ("short", "NO", "ALL", "1", "00:10:00")) == whole
    assert planned(("short", "YES", "ALL", "1", "00:10:00"), (*BATCH[:1], "NO", *BATCH[2:])) == whole
    assert planned(("theory", "YES", "theory", "UNLIMITED", "UNLIMITED"), (*BATCH[:1], "NO", *BATCH[2:])) == whole


def test_a_proof_asks_for_no_more_than_the_queues_allow() -> None:
    assert planned(("short", "YES", "ALL", "1", "00:02:00")) == [
        ["-q", "short", "-l", f"nodes=n-{number}", "-l", "walltime=120"] for number in range(2)
    ]
    of_property = planned(("big", "YES", "ALL", "UNLIMITED", "1-00:00:00"), BATCH, here="n-1 big\nn-0 batch\n")
    assert sorted(job[1:4:2] for job in of_property) == [["batch", "nodes=1"], ["big", "nodes=1"]]
    assert planned(("theory", "YES", "theory", "UNLIMITED", "UNLIMITED")) == []
    assert len(planned(("theory", "YES", "theory,other", "UNLIMITED", "UNLIMITED"), groups=("sky", "other"))) == 1


def test_a_proof_says_what_the_queues_do_not_allow_to_prove() -> None:
    known = _torque_proof.queues(PARTITION.format("short", "YES", "ALL", "1", "00:02:00"), "n-0 short\nn-1 short\n")
    nodes = ["n-0", "n-1", "n-2"]
    said = _torque_proof.limited(_torque_proof.plan(nodes, known, ["sky"]), nodes, "sky")
    assert said == "by 2 jobs of at most 1 node(s), as the queues allow (short); not on n-2: no queue there takes jobs of sky"
    assert _torque_proof.limited(_torque_proof.plan(["n-0"], known, ["sky"]), ["n-0"], "sky") == ""
    result = {"job": "1, 2", "nodes": ["n-0", "n-1"], "mpi": True, "seconds": 3.1, "limited": said}
    assert torque_info.in_words({"outcome": "success", "result": result})["words"].endswith(f"in 3.1 s; {said}")


def test_a_proof_fails_in_words_where_no_queue_takes_jobs_of_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"scontrol": PARTITION.format("theory", "YES", "nobody-here", "UNLIMITED", "UNLIMITED"), "sinfo": "n-0 theory\n"}
    monkeypatch.setattr(torque_proof, "run", lambda *command, **_more: answers[command[0]])
    proof = torque_proof.Proof({"user": "root", "nodes": ["n-0"], "program": "", "seconds": 5})
    with pytest.raises(
        torque_proof.ProofError, match=r"^no queue takes jobs of root on these nodes \(theory\): torque_proof_user names another user$"
    ):
        proof.run()


def test_a_proof_has_the_rights_of_its_user_in_the_folder_of_this_user(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_user() as account:
        monkeypatch.setattr(os, "chown", forbidden)
        monkeypatch.setattr(pwd, "getpwnam", lambda _name: account)
        secret = Path(account.pw_dir).parent / "secret"
        secret.write_text("host of-root\n")
        secret.chmod(0)
        ran: list[str] = []
        owners: set[int] = set()

        def run(*command: str, **_more: object) -> str:
            if command[0] != "runuser":
                return {"scontrol": PARTITION.format("batch", "YES", "ALL", "UNLIMITED", "UNLIMITED"), "sinfo": "of-root batch"}.get(
                    command[0], "COMPLETED None"
                )
            ran.append(command[7])
            folder = Path(command[6])
            owners.update(path.stat().st_uid for path in (folder, *folder.iterdir()))
            if command[7] == "qsub":  # the job links its output to what its user may not read
                (folder / "sky_proof.o12").symlink_to(secret)
            return "12.n-0"

        monkeypatch.setattr(torque_proof, "run", run)
        proof = torque_proof.Proof({"user": account.pw_name, "nodes": ["of-root"], "program": "int main;", "seconds": 5})
        with pytest.raises(PermissionError):
            proof.run()
        assert (ran, owners) == (["mpicc", "qsub"], {account.pw_uid})
        assert list(Path(account.pw_dir).iterdir()) == []


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
        (265, "was killed, as jobs are that use more memory than they have (-l mem)"),
        (267, "was killed by signal 11"),
        (-11, "exceeded its walltime"),
        (271, "was deleted"),
        (None, "ended, and the server"),
    ],
)
def test_how_a_job_ended(status: int | None, words: str) -> None:
    assert why(status).startswith(words)


def test_all_faults_of_a_submission_at_once() -> None:
    args = {"script": "/no/such.pbs", "files": ["/no/data"], "options": [], "arguments": ["word", "two words", ""], "timeout": -1}
    assert [sentence.partition(":")[0] for sentence in faults(args)] == ["sky_script", "sky_files", "sky_arguments", "sky_arguments", "sky_timeout"]


class Submitter:
    """A user with a home, who submits by root: what was run for this user, and the state of the job."""

    def __init__(self, account: pwd.struct_passwd, upload: Path) -> None:
        self.account, self.upload = account, upload
        self.ran: list[tuple[str, ...]] = []
        self.environment: dict[str, str] = {}
        self.output = ""

    @property
    def home(self) -> Path:
        return Path(self.account.pw_dir)

    def run(self, *command: str, **more: Any) -> str:
        self.ran.append(command)
        if command[0] == "runuser":
            self.environment = more["env"]
            return "12.n-0\n"
        return f"    job_state = C\n    exit_status = 0\n    Output_Path = n-0:{self.output}\n    Error_Path = n-0:\n"

    def start(self) -> str:
        given, asked = {"user": self.account.pw_name}, {"script": "job.pbs", "options": [], "arguments": []}
        return torque_submit.start(given, asked, {"job.pbs": str(self.upload)})

    def folder(self) -> Path:
        (found,) = (self.home / "sky-jobs").iterdir()
        return found


@pytest.fixture
def submitter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Submitter]:
    (tmp_path / "upload").write_text("echo 1\n")
    with a_user() as account:
        made = Submitter(account, tmp_path / "upload")
        monkeypatch.setattr(torque_submit, "RECORDS", tmp_path / "records")
        monkeypatch.setattr(torque_submit, "QSUB", tmp_path / "upload")
        monkeypatch.setattr(torque_submit, "run", made.run)
        monkeypatch.setattr(pwd, "getpwnam", lambda _name: account)
        monkeypatch.setattr(os, "chown", forbidden)
        yield made


def test_a_job_gets_its_files_as_its_user(submitter: Submitter) -> None:
    assert submitter.start() == "12"
    folder = submitter.folder()
    assert [(path.stat().st_uid, path.stat().st_mode & 0o777) for path in (folder, folder / "job.pbs")] == [
        (submitter.account.pw_uid, 0o755),
        (submitter.account.pw_uid, 0o700),
    ]
    assert submitter.ran[0][:7] == ("runuser", "-u", submitter.account.pw_name, "--", "env", "-C", str(folder))
    assert qsub.FOLLOWED in submitter.environment
    assert torque_submit.remove("12") == ""
    assert list((submitter.home / "sky-jobs").iterdir()) == []


def test_a_job_folder_that_leads_elsewhere_is_refused(submitter: Submitter) -> None:
    target = submitter.home.parent / "etc"
    target.mkdir(mode=0o555)
    (submitter.home / "sky-jobs").symlink_to(target)
    with pytest.raises(torque_submit.SubmitError, match=f"^{submitter.account.pw_name} cannot write to {submitter.home}/sky-jobs/job-.*: Permission"):
        submitter.start()
    assert list(target.iterdir()) == []
    assert submitter.ran == []


def test_output_that_its_user_may_not_read_is_not_shown(submitter: Submitter) -> None:
    secret = submitter.home.parent / "closed/secret"
    secret.parent.mkdir()
    secret.write_text("of root\n")
    secret.parent.chmod(0)
    submitter.output = str(secret)
    submitter.start()
    found = torque_submit.follow("12", {}, 0)
    assert (found["stdout"], found["status"]) == ("", 0)


def test_nothing_is_removed_where_a_job_has_put_a_link(submitter: Submitter) -> None:
    submitter.start()
    folder, target = submitter.folder(), submitter.home.parent / "etc"
    target.mkdir()
    (target / "job.pbs").touch()
    target.chmod(0o555)
    folder.rename(folder.with_name("old"))
    folder.symlink_to(target)
    assert torque_submit.remove("12") == str(folder.with_name("12"))
    assert (target / "job.pbs").exists()


def test_what_a_job_has_left_keeps_its_folder(submitter: Submitter) -> None:
    submitter.start()
    (submitter.folder() / "result").touch()
    assert torque_submit.remove("12") == str(submitter.home / "sky-jobs/12")
