# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Slurm shows, in PBS's words."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.roles.torque.files.sky_pbs import history, look, show, slurm
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.command import Settings
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.slurm import Job, Node, Reservation

SETTINGS = Settings("s-0", mail=False, history=Path("/nowhere"))
SHARED = Settings("s-0", mail=False, history=Path("/nowhere"), fair_share=True)

RECORD = (
    "JobId=2 UserId=ada(2001) GroupId=ada(2001) Name=my job JobState=FAILED Partition=batch TimeLimit=90 StartTime=2026-11-28T08:00:00 "
    "EndTime=2026-11-28T09:01:02 NodeList=n-0 NodeCnt=1 ProcCnt=2 WorkDir=/home/ada ReservationName= Account= ExitCode=3:0 \n"
)


def job(**fields: str) -> Job:
    common = {"id": "12", "base": "12", "name": "x", "user": "ada", "queue": "batch", "state": "RUNNING", "used": "1:05", "limit": "1:00:00"}
    more = {"nodes": "2", "processors": "4", "hosts": "n-[0-1]", "reason": "None", "submitted": "2026-11-28T08:00:00", "comment": ""}
    return Job(dict.fromkeys(slurm.JOB_FIELDS, "") | common | more | fields)


@pytest.mark.parametrize(
    ("state", "reason", "letter"),
    [
        ("RUNNING", "None", "R"), ("COMPLETING", "None", "E"), ("PENDING", "Resources", "Q"), ("PENDING", "JobHeldUser", "H"),
        ("PENDING", "Dependency", "H"), ("PENDING", "BeginTime", "W"),
        ("COMPLETED", "None", "C"), ("TIMEOUT", "None", "C"), ("SUSPENDED", "None", "S"),
    ],
)  # fmt: skip
def test_letters_of_states(state: str, reason: str, letter: str) -> None:
    assert job(state=state, reason=reason).letter == letter


@pytest.mark.parametrize(
    ("text", "expected"),
    [("n-0", ["n-0"]), ("n-[0-2,7]", ["n-0", "n-1", "n-2", "n-7"]), ("a,b-[08-10]-x", ["a", "b-08-x", "b-09-x", "b-10-x"]), ("", [])],
)
def test_lists_of_hosts(text: str, expected: list[str]) -> None:
    assert slurm.expand(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1:05", 65), ("10", 10), ("1-00:00:01", 86401), ("10:00:00", 36000), ("UNLIMITED", None), ("INVALID", None), ("", None)]
)
def test_durations_of_slurm(text: str, expected: int | None) -> None:
    assert slurm.duration(text) == expected


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        ("COMPLETED", "0:0", 0),
        ("FAILED", "3:0", 3),
        ("FAILED", "0:11", 267),
        ("TIMEOUT", "0:15", -11),
        ("CANCELLED", "0:15", 271),
        ("OUT_OF_MEMORY", "0:125", 265),
        ("", "", None),
    ],
)
def test_exit_statuses(state: str, code: str, expected: int | None) -> None:
    assert slurm.status_of(state, code) == expected


def test_values_with_blanks_are_read() -> None:
    (found,) = slurm.records("NodeName=n-0 CPUTot=2 OS=Linux 6.1 #1 SMP Reason=it is broken [root@2026-11-28T08:00:00]")
    assert (found["OS"], found["Reason"]) == ("Linux 6.1 #1 SMP", "it is broken [root@2026-11-28T08:00:00]")


@pytest.mark.parametrize(
    ("states", "used", "expected"),
    [
        ("IDLE", 0, "free"),
        ("MIXED", 1, "free"),
        ("ALLOCATED", 2, "job-exclusive"),
        ("IDLE+DRAIN", 0, "offline"),
        ("DOWN", 0, "down"),
        ("DOWN+DRAIN", 0, "down,offline"),
    ],
)
def test_states_of_nodes(states: str, used: int, expected: str) -> None:
    assert Node("n", "", 2, used, 1, tuple(states.split("+")), (), (), "").state == expected


def test_the_past_is_read_from_the_accounting() -> None:
    (found,) = history.jobs(RECORD + "nonsense\n")
    assert (found.name, found.user, found.used, found.limit, found.letter) == ("my job", "ada", "01:01:02", "01:30:00", "C")
    assert slurm.status_of(found.state, found.exit) == 3


def test_indices_of_arrays_are_known_by_the_number_of_their_array() -> None:
    (found,) = history.jobs(RECORD.replace("JobId=2 ", "JobId=15 ").replace("Account= ", "Account= ArrayJobId=12 ArrayTaskId=3 "))
    assert (found.id, found.base, found.raw) == ("12_3", "12", "15")


def test_what_users_have_used_by_month() -> None:
    other = RECORD.replace("FAILED", "COMPLETED").replace("ada(2001) G", "bob(2002) G").replace("EndTime=2026-11-28", "EndTime=2026-12-28")
    second = RECORD.replace("FAILED", "COMPLETED").replace("JobId=2 ", "JobId=3 ")
    used = [use.plain() for use in history.usage(history.jobs(RECORD + second + other.replace("JobId=2 ", "JobId=4 ")))]
    assert used[0] == {"user": "ada", "month": "2026-11", "jobs": 2, "failed": 1, "core_hours": round(2 * 2 * 3662 / 3600, 2)}
    assert [(use["user"], use["month"], use["jobs"]) for use in used[1:]] == [("bob", "2026-12", 1)]


def test_a_job_that_was_queued_again_counts_once_with_the_time_of_all_its_runs(tmp_path: Path) -> None:
    (tmp_path / "completed").write_text(RECORD.replace("FAILED", "NODE_FAIL") + RECORD.replace("FAILED", "COMPLETED").replace("3:0", "0:0"))
    (use,) = history.usage(history.read(tmp_path / "completed"))
    assert use.plain() == {"user": "ada", "month": "2026-11", "jobs": 1, "failed": 0, "core_hours": round(2 * 2 * 3662 / 3600, 2)}
    (found,) = history.ended(tmp_path / "completed")
    assert (found.state, slurm.status_of(found.state, found.exit)) == ("COMPLETED", 0)


def test_the_table_of_jobs() -> None:
    lines = list(show.jobs_table([job(), job(id="13", state="PENDING", reason="Resources")], "s-0"))
    assert lines[2].split() == ["12.s-0", "x", "ada", "00:01:05", "R", "batch"]
    assert lines[3].split() == ["13.s-0", "x", "ada", "0", "Q", "batch"]
    assert list(show.jobs_table([], "s-0")) == []


def test_the_wide_table_of_jobs() -> None:
    row, hosts = list(show.wide_table([job()], "s-0", nodes=True))[-2:]
    assert row.split() == ["12.s-0", "ada", "batch", "x", "--", "2", "4", "--", "01:00:00", "R", "00:01:05"]
    assert hosts.strip() == "n-0/0-1+n-1/0-1"


def test_all_attributes_of_a_job() -> None:
    kept: dict[str, Any] = {"list": {"nodes": "2:ppn=2", "mem": "1gb"}, "out": "/h/x.o%j", "err": "/h/50%%", "join": "n", "host": "s-0", "rerun": "n"}
    found = show.attributes(job(comment=json.dumps(kept), nice="1018000000"), SETTINGS)
    assert found["Resource_List.nodes"] == "2:ppn=2"
    assert found["Resource_List.mem"] == "1gb"
    assert (found["Output_Path"], found["Error_Path"]) == ("s-0:/h/x.o12", "s-0:/h/50%")
    assert (found["Rerunable"], found["Priority"], found["job_state"]) == ("False", "5", "R")


def test_a_job_that_qsub_did_not_submit_is_shown_too() -> None:
    found = show.attributes(job(comment="by hand"), SETTINGS)
    assert (found["Resource_List.nodes"], found["Priority"]) == ("2:ppn=2", "0")


def test_the_account_and_the_priority_of_a_job_where_users_have_shares() -> None:
    found = show.attributes(job(comment='{"account": "theory"}', account="users", nice="1018000"), SHARED)
    assert (found["Account_Name"], found["Priority"]) == ("theory", "5")
    assert show.attributes(job(account="(null)"), SETTINGS)["Account_Name"] == ""


def test_a_job_without_a_limit_is_shown_as_such() -> None:
    year = "365-00:00:00"
    assert job(limit=year).walltime is None
    assert job(limit="UNLIMITED").walltime is None
    assert job(limit=year, comment='{"list": {"walltime": "8760:00:00"}}').walltime == 365 * 24 * 3600
    assert "Resource_List.walltime" not in dict(line.strip().split(" = ", 1) for line in list(show.full(job(limit=year), SETTINGS))[1:])


def test_reservations_are_listed_by_their_times_from_now() -> None:
    day = datetime.datetime(2026, 12, 1, 8)
    rows = [
        Reservation("update", day, day + datetime.timedelta(hours=4), "n-[0-1]"),
        Reservation("disk", day.replace(day=2), day.replace(day=3), "n-0"),
    ]
    shown = list(show.showres(rows, day + datetime.timedelta(hours=1)))
    assert shown[2].split()[:6] == ["update", "A", "-01:00:00", "03:00:00", "04:00:00", "2"]
    assert shown[3].split()[:2] == ["disk", "I"]
    assert shown[-1] == "2 reservations located"


def test_indices_of_an_array_are_one_row() -> None:
    array = [job(id=f"20_{index}", base="20", state=state) for index, state in enumerate(("COMPLETED", "RUNNING", "COMPLETED"))]
    (row,) = look.collapsed(array, arrays=False)
    assert (row.id, row.letter) == ("20_*", "R")
    assert len(look.collapsed(array, arrays=True)) == 3


def test_what_is_running_waiting_and_held() -> None:
    nodes = [Node("n-0", "", 4, 4, 1, ("ALLOCATED",), (), (), ""), Node("n-1", "", 4, 0, 1, ("DOWN",), (), (), "")]
    jobs = [job(), job(id="13", state="PENDING", reason="Resources"), job(id="14", state="PENDING", reason="JobHeldUser")]
    text = "\n".join(show.showq(jobs, nodes))
    assert "1 Active Job       4 of    4 Processors Active (100.00%)" in text
    assert text.endswith("Total Jobs: 3   Active Jobs: 1   Idle Jobs: 1   Blocked Jobs: 1")
