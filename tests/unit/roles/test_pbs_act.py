# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands that change jobs have Slurm do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.sky.clusters.roles.torque.files.sky_pbs import act, slurm
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.command import Command, Settings
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.slurm import Job


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
