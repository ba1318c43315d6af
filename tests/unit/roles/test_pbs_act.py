# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands that change jobs have Slurm do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.roles.torque.files.sky_pbs import act, look, main, manage, qsub, slurm
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.command import Command, Settings
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.options import Options
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.slurm import Job
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.values import PbsError, UsageError

SETTINGS = Settings("s-0", mail=False, history=Path("/nowhere"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What scontrol is asked for."""
    found: list[str] = []
    monkeypatch.setattr(act, "control", lambda *words: found.append(" ".join(words)))
    return found


def qalter(monkeypatch: pytest.MonkeyPatch, reason: str, *options: str, fair_share: bool = False) -> int:
    job = Job(dict.fromkeys(slurm.JOB_FIELDS, "") | {"id": "7", "state": "PENDING", "reason": reason, "processors": "1"})
    monkeypatch.setattr(act, "known", lambda _job: [job])
    return act.qalter(Command("qalter", [*options, "7"], Settings("s-0", mail=False, history=Path("/nowhere"), fair_share=fair_share)))


@pytest.mark.parametrize(("reason", "word"), [("JobHeldUser", "uhold"), ("JobHeldAdmin", "hold")])
def test_a_new_priority_leaves_a_held_job_held(monkeypatch: pytest.MonkeyPatch, asked: list[str], reason: str, word: str) -> None:
    """Slurm adds the difference to the priority of the job, which is 0 while it is held, and a job with another priority is never given a new one."""
    assert qalter(monkeypatch, reason, "-p", "5") == 0
    assert asked == ["update JobId=7 Nice=1018000000", f"{word} 7"]


def test_a_job_that_waits_is_not_held(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    assert qalter(monkeypatch, "Priority", "-p", "5", fair_share=True) == 0
    assert asked == ["update JobId=7 Nice=1018000"]


def test_a_held_job_gets_its_priority_before_it_is_released(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    assert qalter(monkeypatch, "JobHeldUser", "-p", "5", "-h", "n") == 0
    assert asked == ["update JobId=7 Nice=1018000000", "uhold 7", "release 7"]


def test_other_changes_leave_a_hold_alone(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    assert qalter(monkeypatch, "JobHeldUser", "-N", "new") == 0
    assert asked == ["update JobId=7 JobName=new"]


def waiting(job: str = "7", **fields: Any) -> Job:
    common = {"id": job, "base": job.partition("_")[0], "state": "PENDING", "reason": "Priority", "processors": "1", "user": "ada"}
    return Job(dict.fromkeys(slurm.JOB_FIELDS, "") | common | fields)


@pytest.fixture
def alter(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> Callable[..., int]:
    """Calls qalter on a cluster of n-0 and n-1, where these jobs wait."""

    def called(*arguments: str, jobs: tuple[Job, ...] = (waiting(),)) -> int:
        asked.clear()
        monkeypatch.setattr(act, "known", lambda _job: list(jobs))
        monkeypatch.setattr(slurm, "nodes", lambda: [slurm.Node(f"n-{number}", "", 4, 0, 1, (), (), (), "") for number in range(2)])
        monkeypatch.setattr(slurm, "jobs", lambda wanted=(), user="": [job for job in jobs if job.base in wanted])  # noqa: ARG005
        return act.qalter(Command("qalter", arguments, SETTINGS))

    return called


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (("-l", "procs=4"), "-l procs: cannot be changed: processors on any nodes"),
        (("-l", "pvmem=1gb"), "-l pvmem: cannot be changed: the limits of processes are set"),
        (("-l", "pcput=5"), "-l pcput: cannot be changed"),
        (("-l", "walltime=5,file=1gb"), "-l file: cannot be changed"),
        (("-l", "naccesspolicy=singlejob"), "-l naccesspolicy: cannot be changed"),
        (("-l", "nodes=2#excl"), "-l nodes: #excl cannot be changed"),
        (("-l", "mem=1gb,pmem=1gb"), "-l pmem: cannot be combined with mem"),
        (("-l", "walltime=0"), "-l walltime: must be at least a second"),
        (("-q", "batch@elsewhere"), "-q batch@elsewhere: there is one server, s-0"),
        (("-W", "umask=022"), "-W umask: cannot be changed"),
        (("-W", "group_list=ada"), "-W group_list: cannot be changed"),
        (("-W", "interactive=true"), "-I: cannot be changed"),
        (("-W", "depend=beforeok:7"), "-W depend=beforeok: cannot be changed"),
        (("-W", "depend=afterok:99999"), "-W depend=afterok:99999: there is no such job"),
        (("-w", "x"), "-w: cannot be changed"),
        (("-d", "x"), "-d: cannot be changed"),
        (("-F", "x"), "-F: cannot be changed"),
        (("-n",), "-n: cannot be changed"),
        (("-x",), "-x: cannot be changed: the scheduler chooses the nodes"),
        (("-z",), "-z: cannot be changed"),
        (("-V",), "-V: cannot be changed"),
        (("-v", "A=1"), "-v: cannot be changed"),
    ],
)
def test_what_cannot_be_changed_is_refused_by_name(alter: Callable[..., int], asked: list[str], option: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(PbsError) as error:
        alter(*option, "7")
    assert str(error.value).startswith(sentence)
    assert asked == []


@pytest.mark.parametrize(
    ("option", "change"),
    [
        (("-l", "nodes=n-1"), "NumNodes=1-1 NumCPUs=1-1 ReqNodeList=n-1"),
        (("-l", "host=n-0"), "NumNodes=1-1 NumCPUs=1-1 ReqNodeList=n-0"),
        (("-l", "nodes=1:big"), "NumNodes=1-1 NumCPUs=1-1 Features=big"),
        (("-l", "feature=new"), "Features=new"),
        (("-q", "short@s-0"), "Partition=short"),
        (("-l", "mem=1gb"), "MinMemoryNode=1024"),
        (("-W", "depend=afterokarray:7[]"), "Dependency=afterok:7"),
    ],
)
def test_what_can_be_changed(alter: Callable[..., int], asked: list[str], option: tuple[str, ...], change: str) -> None:
    assert alter(*option, "7") == 0
    assert asked[0] == f"update JobId=7 {change}"


def test_a_new_request_for_nodes_takes_the_place_of_the_old_one(alter: Callable[..., int], asked: list[str]) -> None:
    kept = {"list": {"ncpus": "2", "host": "n-0", "mem": "4gb", "walltime": "60", "feature": "new"}, "name": "x"}
    old = waiting(required="n-0", features="new", processors="2", comment=json.dumps(kept))
    assert alter("-l", "nodes=2:big", "-N", "y", "7", jobs=(old,)) == 0
    assert asked[0] == "update JobId=7 NumNodes=2-2 NumCPUs=2-2 ReqNodeList= Features=new&big MinMemoryNode=2048 JobName=y"
    assert asked[1] == "update JobId=7 NumTasks=2"
    comment = json.loads(asked[2].removeprefix("update JobId=7 Comment="))
    assert comment == {"list": {"mem": "4gb", "walltime": "60", "feature": "new", "nodes": "2:big"}, "name": "y"}


def test_the_memory_of_a_job_on_any_nodes_is_changed_by_processor(alter: Callable[..., int], asked: list[str]) -> None:
    assert alter("-l", "mem=2gb", "7", jobs=(waiting(comment='{"list":{"procs":"4","mem":"1gb"}}'),)) == 0
    assert asked[0] == "update JobId=7 MinMemoryCPU=512"


def test_what_is_shown_of_a_job_is_what_it_has(alter: Callable[..., int], asked: list[str]) -> None:
    assert alter("-r", "y", "-l", "mem=2gb", "7", jobs=(waiting(comment='{"rerun":"n","list":{"mem":"1gb"}}'),)) == 0
    assert asked[0] == "update JobId=7 MinMemoryNode=2048 Requeue=1"
    assert json.loads(asked[1].partition(" Comment=")[2]) == {"rerun": "y", "list": {"mem": "2gb"}}
    assert alter("-l", "pmem=2gb", "7", jobs=(waiting(comment='{"list":{"mem":"1gb"}}'),)) == 0
    assert asked == ["update JobId=7 MinMemoryCPU=2048", 'update JobId=7 Comment={"list":{"pmem":"2gb"}}']


def test_indices_of_an_array_are_changed_alone(alter: Callable[..., int], asked: list[str]) -> None:
    array = tuple(waiting(f"12_{index}") for index in range(3, 6))
    assert alter("-t", "3-4", "-l", "walltime=60", "12[]", jobs=array) == 0
    assert asked == ["update JobId=12_3 TimeLimit=00:01:00", "update JobId=12_4 TimeLimit=00:01:00"]
    assert alter("-t", "%5", "12[].s-0", jobs=array) == 0
    assert asked == ["update JobId=12 ArrayTaskThrottle=5"]
    assert alter("-t", "3%5", "-l", "walltime=60", "12[]", jobs=array) == 0
    assert asked == ["update JobId=12 ArrayTaskThrottle=5", "update JobId=12_3 TimeLimit=00:01:00"]
    assert alter("-t", "%5", "7") == 1
    with pytest.raises(UsageError, match=r"^-t: must be indices such as 1,3-5, or a limit such as %5, or both, got 'x'$"):
        alter("-t", "x", "12[]", jobs=array)


def test_what_is_no_job_does_not_keep_a_command_from_the_others(
    monkeypatch: pytest.MonkeyPatch, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(act, "known", lambda job: [waiting(job)])
    assert act.qhold(Command("qhold", ["foo", "12", "-t", "3"], SETTINGS)) == 1
    assert (asked, capsys.readouterr().err) == (["uhold 12_3"], "qhold: illegally formed job identifier: foo\n")
    monkeypatch.setattr(slurm, "jobs", lambda: [waiting("12")])
    monkeypatch.setattr(slurm, "queues", list)
    assert look.qstat(Command("qstat", ["foo", "12"], SETTINGS)) == 1
    shown = capsys.readouterr()
    assert ("12.s-0" in shown.out, shown.err) == (True, "qstat: illegally formed job identifier: foo\n")


def test_a_hold_of_no_kind_is_no_hold(asked: list[str]) -> None:
    with pytest.raises(UsageError, match=r"^-h: must be letters of u, o and s, got 'n'$"):
        act.qhold(Command("qhold", ["-h", "n", "12"], SETTINGS))
    assert asked == []


@pytest.mark.parametrize(("user", "command"), [(0, "scancel 12 13"), (1000, "scancel --user=1000")])
def test_all_jobs_are_those_of_the_user_and_for_root_those_of_everybody(monkeypatch: pytest.MonkeyPatch, user: int, command: str) -> None:
    ran: list[str] = []
    monkeypatch.setattr(os, "getuid", lambda: user)
    monkeypatch.setattr(slurm, "jobs", lambda: [waiting("12_1"), waiting("12_2"), waiting("13"), waiting("14", state="COMPLETED")])
    monkeypatch.setattr(slurm, "run", lambda words: ran.append(" ".join(words)))
    assert act.qdel(Command("qdel", ["all"], SETTINGS)) == 0
    assert ran == [command]


class Others:
    """Jobs that are to wait for a new one; Slurm refuses to change one of them."""

    def __init__(self, refused: str = "") -> None:
        self.refused = refused
        self.ran: list[str] = []

    def run(self, words: list[str], **_more: object) -> str:
        self.ran.append(" ".join(words))
        if f"JobId={self.refused}" in words and not words[-1].endswith("="):
            raise PbsError("Job is no longer pending execution")
        return "9"


def test_a_job_that_others_cannot_wait_for_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    others = Others(refused="8")
    monkeypatch.setattr(slurm, "run", others.run)
    with pytest.raises(PbsError, match=r"^-W depend: job 8 cannot be made to wait for the new one, which is deleted: Job is no longer pending"):
        qsub.precede("9", [("afterok", "7"), ("afterok", "8")], {"7": "afterany:3", "8": ""})
    assert others.ran == [
        "scontrol update JobId=7 Dependency=afterany:3,afterok:9",
        "scontrol update JobId=8 Dependency=afterok:9",
        "scontrol update JobId=7 Dependency=afterany:3",
        "scontrol update JobId=8 Dependency=",
        "scancel 9",
    ]


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        (waiting(user="root", state="RUNNING"), "-W depend: job 7 no longer waits"),
        (waiting(user="of-nobody"), "-W depend: job 7 is another user's"),
    ],
)
def test_a_job_that_cannot_wait_is_told_before_the_new_one_is_submitted(monkeypatch: pytest.MonkeyPatch, job: Job, sentence: str) -> None:
    monkeypatch.setattr(qsub, "known", lambda _job: [job])
    with monkeypatch.context() as patch, pytest.raises(PbsError, match=f"^{sentence}"):
        if job.state == "PENDING":
            patch.setattr(os, "getuid", lambda: 1)
        qsub.changeable("afterok", "7")


def test_what_a_job_waits_for_already_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qsub, "known", lambda _job: [waiting(user="root", dependency="afterok:3(unfulfilled),afterany:4_*(unfulfilled)")])
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert qsub.changeable("afterok", "7") == "afterok:3,afterany:4_*"


def test_a_folder_gets_the_usual_name_of_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    monkeypatch.chdir(tmp_path)
    around = qsub.context(Command("qsub", [], SETTINGS))
    given = Options(values={"-o": "logs", "-e": f"host:{tmp_path}/logs", "-N": "x"})
    assert qsub.with_folders(given, around).values == {"-o": f"{tmp_path}/logs/", "-e": f"{tmp_path}/logs/", "-N": "x"}
    assert qsub.with_folders(Options(values={"-o": "logs/x"}), around).values == {"-o": "logs/x"}


def test_faults_of_a_call_end_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "read", lambda: SETTINGS)
    monkeypatch.setitem(sys.modules, "sky_pbs.act", act)
    assert [main.main(words) for words in (["qdel", "-y"], ["qrls"], ["qhold", "-h", "n", "1"], ["qalter", "-A", "x", "1"])] == [2, 2, 2, 1]


def test_a_request_that_cannot_be_read_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert manage.qmgr(Command("qmgr", ["-c", "set node 'x"], SETTINGS)) == 1
    assert capsys.readouterr().err == "qmgr: 'set node 'x': No closing quotation\n"
