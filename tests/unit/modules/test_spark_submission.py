# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What spark_submission makes of words, streams and ends; jobs themselves are run on real clusters (tests/integration/local/test_spark.py)."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems import _spark_page
from ansible_collections.sky.clusters.plugins.modules import spark_submission
from ansible_collections.sky.clusters.plugins.modules.spark_submission import (
    CHUNK,
    Job,
    SubmitError,
    command,
    decoded,
    ended,
    follow,
    properties,
    unit_command,
)

GIVEN: dict[str, Any] = {"application": "job.py", "arguments": [], "main_class": "", "files": [], "settings": {}}
FOLDER = Path("/var/lib/sky-submit/3f9a01bc")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "job.py"),
        ({"arguments": ["10", "a b", "$HOME"]}, "job.py 10 'a b' '$HOME'"),
        ({"application": "spark-internal", "main_class": "a.b.C", "arguments": ["-e", "x"]}, "--class a.b.C spark-internal -e x"),
        (
            {"files": ["a.py", "b.zip", "c.jar", "d.csv", "e.jar"]},
            "--py-files a.py,b.zip --jars c.jar,e.jar --files d.csv job.py",
        ),
        ({"settings": {"spark.x": "1"}}, f"--properties-file {FOLDER}/settings --load-spark-defaults job.py"),
    ],
)
def test_the_command(given: dict[str, Any], words: str) -> None:
    assert command(FOLDER, GIVEN | given) == ["/usr/local/bin/spark-submit", *shlex.split(words)]


def test_a_job_with_a_timeout_ends_by_itself() -> None:
    job = Job("3f9a01bc")
    assert not [word for word in unit_command(job, "sky", 0) if "RuntimeMaxSec" in word]
    assert "--property=RuntimeMaxSec=60" in unit_command(job, "sky", 60)
    assert unit_command(job, "sky", 0)[-2:] == ["/bin/sh", f"{FOLDER}/begin"]


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("spark.a", "1", "spark.a=1"),
        ("spark.a", "-Dx=y z", "spark.a=-Dx=y z"),
        ("spark.a:b", "c\\d", "spark.a\\:b=c\\\\d"),
        ("spark.a", "  two\nlines", "spark.a=\\ \\ two\\nlines"),
    ],
)
def test_settings_in_the_format_of_java(name: str, value: str, line: str) -> None:
    assert properties({name: value}) == line + "\n"


@pytest.mark.parametrize(
    ("data", "whole", "expected"),
    [
        (b"", False, ("", 0)),
        (b"one\ntw", False, ("one\n", 4)),
        (b"one\ntw", True, ("one\ntw", 6)),
        (b"caf\xc3", True, ("caf\ufffd", 4)),
        (b"\xff\n", False, ("\ufffd\n", 2)),
        (b"x" * CHUNK, False, ("x" * CHUNK, CHUNK)),
        (b"x" * (CHUNK - 1) + b"\xc3", False, ("x" * (CHUNK - 1), CHUNK - 1)),
        (b"x\n" + b"y" * (CHUNK - 2), True, ("x\n", 2)),
    ],
)
def test_whole_lines_are_returned_and_no_character_is_cut(data: bytes, whole: bool, expected: tuple[str, int]) -> None:
    assert decoded(data, whole) == expected


@pytest.mark.parametrize(
    ("outcome", "rc", "reason"),
    [
        ("success exited 0", 0, ""),
        ("exit-code exited 3", 3, ""),
        ("timeout exited 143", 124, "timeout"),
        ("timeout killed KILL", 124, "timeout"),
        ("signal killed KILL", 137, "signal KILL"),
        ("success killed TERM", 143, "signal TERM"),
        ("signal killed KILL 0", 137, "signal KILL"),
        ("exit-code exited 3 1", 3, ""),
        ("", 128, "signal unknown"),
    ],
)
def test_how_a_unit_ended(outcome: str, rc: int, reason: str) -> None:
    assert ended(outcome) == {"rc": rc, "reason": reason}


@pytest.mark.parametrize("outcome", ["oom-kill killed KILL", "signal killed KILL 1", "exit-code exited 137 2"])
def test_a_job_that_was_killed_out_of_memory(outcome: str) -> None:
    found = ended(outcome)
    assert (found["rc"], found["reason"]) == (137, "out of memory")
    assert found["memory"] > 0


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job's folder as `start` leaves it, and systemd reports that it runs."""
    monkeypatch.setattr(spark_submission, "PLACE", tmp_path)
    monkeypatch.setattr(Job, "active", lambda _job: True)
    made = Job("3f9a01bc")
    made.work.mkdir(parents=True)
    for name in ("stdout", "stderr"):
        (made.folder / name).touch()
    (made.folder / "end").write_text(spark_submission.END.format(folder=made.folder))
    return made


def test_a_long_output_is_returned_once_in_order_and_in_bounded_answers(job: Job) -> None:
    text = "".join(f"line {number} é\n" for number in range(30_000)) + "the end"
    (job.folder / "stdout").write_text(text)
    (job.folder / "outcome").write_text("success exited 0\n")
    heard, offsets, answers = "", {"stdout": 0, "stderr": 0}, 0
    while True:
        answer = follow(job, offsets, 0)
        assert len(answer["stdout"].encode()) <= CHUNK
        heard, offsets, answers = heard + answer["stdout"], answer["offsets"], answers + 1
        if "outcome" in answer:
            break
    assert heard == text
    assert answers == len(text.encode()) // CHUNK + 1
    assert answer["outcome"] == {"rc": 0, "reason": ""}


def test_an_incomplete_line_is_not_returned(job: Job) -> None:
    (job.folder / "stderr").write_text("a warn")
    answer = follow(job, {"stdout": 0, "stderr": 0}, 0)
    assert (answer["stderr"], answer["offsets"]["stderr"], "outcome" in answer) == ("", 0, False)


def test_the_end_is_recorded_by_systemd_which_removes_the_files_of_the_job(job: Job) -> None:
    for path in (job.work / "job.py", job.folder / "settings", job.folder / "begin"):
        path.touch()
    environment = {"SERVICE_RESULT": "exit-code", "EXIT_CODE": "exited", "EXIT_STATUS": "3", "PATH": "/usr/bin:/bin"}
    subprocess.run(["/bin/sh", str(job.folder / "end")], env=environment, check=True)
    assert ended(job.outcome()) == {"rc": 3, "reason": ""}
    assert sorted(path.name for path in job.folder.iterdir()) == ["end", "outcome", "stderr", "stdout"]


def test_a_lost_job_is_reported(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Job, "active", lambda _job: False)
    with pytest.raises(SubmitError, match=r"sky-submit-3f9a01bc was lost without an exit code: the node was restarted"):
        follow(job, {"stdout": 0, "stderr": 0}, 0)
    with pytest.raises(SubmitError, match=r"there is no job sky-submit-00000000 here"):
        follow(Job("00000000"), {"stdout": 0, "stderr": 0}, 0)


def test_a_node_without_spark_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spark_submission, "SUBMIT", tmp_path / "none")
    with pytest.raises(SubmitError, match=r"spark-submit is not installed here: run sky\.clusters\.spark_cluster first"):
        spark_submission.check_master("sky")
    monkeypatch.setattr(spark_submission, "SUBMIT", Path(sys.executable))
    monkeypatch.setattr(spark_submission, "query", lambda *_words: "failed")
    with pytest.raises(SubmitError, match=r"the Spark master does not run \(spark-master is failed\)"):
        spark_submission.check_master("sky")
    monkeypatch.setattr(spark_submission, "query", lambda *_words: "active")
    with pytest.raises(SubmitError, match=r"user 'nobody-here' does not exist"):
        spark_submission.check_master("nobody-here")


def test_a_job_that_was_stopped_is_no_failure_of_its_own(job: Job) -> None:
    (job.folder / "stopped").touch()
    (job.folder / "outcome").write_text("exit-code exited 143\n")
    assert follow(job, {"stdout": 0, "stderr": 0}, 0)["outcome"] == {"rc": 143, "reason": "stopped"}
    (job.folder / "outcome").write_text("success exited 0\n")  # it ended at that moment
    assert follow(job, {"stdout": 0, "stderr": 0}, 0)["outcome"] == {"rc": 0, "reason": ""}


def test_only_a_job_that_runs_is_stopped(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, ...]] = []
    monkeypatch.setattr(spark_submission, "systemctl", lambda *words: called.append(words))
    assert spark_submission.stop(job)
    assert called == [("stop", "sky-submit-3f9a01bc.service")]
    monkeypatch.setattr(Job, "active", lambda _job: False)
    assert not spark_submission.stop(job)
    with pytest.raises(SubmitError, match=r"there is no job sky-submit-00000000 here: sky\.clusters\.spark_jobs lists those that are"):
        spark_submission.stop(Job("00000000"))
    assert len(called) == 1


def test_old_output_is_removed_by_age_and_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_submission, "PLACE", tmp_path)
    monkeypatch.setattr(spark_submission, "KEPT_JOBS", 3)
    monkeypatch.setattr(Job, "active", lambda job: job.id == "old-but-running")
    now = time.time()
    for name, age in {"new": 10, "week-old": 8 * 24 * 3600, "older": 30, "old-but-running": 9 * 24 * 3600, "oldest": 60, "fourth": 90}.items():
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (now - age, now - age))
    spark_submission.remove_old()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old-but-running", "older", "oldest"]


def test_the_output_of_the_oldest_jobs_is_removed_when_all_of_it_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_submission, "PLACE", tmp_path)
    monkeypatch.setattr(spark_submission, "KEPT_BYTES", 2500)
    monkeypatch.setattr(Job, "active", lambda job: job.id == "runs")
    now = time.time()
    for name, age in {"last": 10, "runs": 90, "large": 50, "small": 70}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "stdout").write_bytes(b"x" * {"large": 2000, "small": 10}.get(name, 1000))
        os.utime(tmp_path / name, (now - age, now - age))
    spark_submission.remove_old()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last", "runs"]


@pytest.mark.parametrize(("check_mode", "kept"), [(False, []), (True, ["3f9a01bc"])])
def test_a_list_removes_old_output_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check_mode: bool, kept: list[str]) -> None:
    monkeypatch.setattr(spark_submission, "PLACE", tmp_path)
    monkeypatch.setattr(Job, "active", lambda _job: False)
    monkeypatch.setattr(_spark_page, "read", lambda _page: {})
    (tmp_path / "3f9a01bc").mkdir()
    os.utime(tmp_path / "3f9a01bc", (0, 0))
    module: Any = SimpleNamespace(params={"step": "list", "page": "", "submission": ""}, check_mode=check_mode)
    assert spark_submission.step(module) == {"jobs": []}
    assert [path.name for path in tmp_path.iterdir()] == kept


def test_a_list_where_nothing_was_submitted_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_submission, "PLACE", tmp_path / "none")
    monkeypatch.setattr(_spark_page, "read", lambda _page: {})
    module: Any = SimpleNamespace(params={"step": "list", "page": "", "submission": ""}, check_mode=False)
    assert spark_submission.step(module) == {"jobs": []}


def test_jobs_are_listed_with_the_applications_that_others_have_started(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def application(name: str, state: str, start: int) -> dict[str, object]:
        return {"id": name, "name": "etl", "user": "ada", "state": state, "starttime": start, "duration": 90_500}

    page = {"activeapps": [application("app-20261121042104-0003", "RUNNING", 1), application("app-20261121042104-0004", "WAITING", 2_000_000)],
            "completedapps": [application("app-20261121042104-0001", "FINISHED", 3_000)]}  # fmt: skip
    monkeypatch.setattr(_spark_page, "read", lambda _page: page)
    (job.folder / "about").write_text('{"name": "job.py", "user": "sky"}')
    (job.folder / "stderr").write_text("INFO: Connected to Spark cluster with app ID app-20261121042104-0003\n")
    found = spark_submission.jobs("http://10.0.0.4:8080")
    assert [(each["job"], each["application"][-4:], each["name"], each["user"], each["state"]) for each in found] == [
        ("sky-submit-3f9a01bc", "0003", "job.py", "sky", "running"),
        ("", "0004", "etl", "ada", "waiting"),
        ("", "0001", "etl", "ada", "finished"),
    ]
    assert (found[1]["since"], found[1]["seconds"]) == ("1970-01-01T00:33:20+00:00", 90.5)
    page["activeapps"][0]["state"] = "WAITING"  # its driver runs, and it has no cores yet
    assert spark_submission.jobs("")[0]["state"] == "waiting"
    (job.folder / "outcome").write_text("exit-code exited 3\n")
    assert spark_submission.jobs("")[0]["state"] == "exit code 3"
    monkeypatch.setattr(_spark_page, "read", lambda _page: None)
    with pytest.raises(SubmitError, match=r"the Spark master does not answer at http://10\.0\.0\.4:8080"):
        spark_submission.jobs("http://10.0.0.4:8080")
