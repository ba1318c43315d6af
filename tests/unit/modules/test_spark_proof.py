# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What spark_proof makes of pages, answers and event logs; the job itself is run in the molecule scenario."""

from __future__ import annotations

import json
import math
import pwd
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems import _spark_page, _spark_proof
from ansible_collections.sky.clusters.plugins.modules import spark_proof
from ansible_collections.sky.clusters.plugins.modules.spark_proof import (
    Cluster,
    ProofError,
    TooLong,
    compare,
    ended_with,
    random_text,
    run,
    subject,
    tasks_by_host,
    wait_for_room,
)
from ansible_collections.sky.clusters.tests.support.users import a_user

CLUSTER = Cluster("http://10.0.0.1:8080", ("10.0.0.2", "10.0.0.3"), "sky")


def worker(host: str, cores: int = 1, memory: int = 1024, state: str = "ALIVE") -> dict[str, Any]:
    return {"host": host, "coresfree": cores, "memoryfree": memory, "state": state}


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what the master's page shows."""

    def setter(*workers: dict[str, Any], apps: tuple[str, ...] = ()) -> None:
        page = {"workers": list(workers), "activeapps": [{"name": name} for name in apps]}
        monkeypatch.setattr(_spark_page, "read", lambda _master: page)

    return setter


def test_room_on_every_worker(show: Any) -> None:
    show(worker("10.0.0.2"), worker("10.0.0.3"), worker("10.0.0.3", state="DEAD", cores=0))
    assert wait_for_room(CLUSTER, 0) == ""


def test_other_jobs_postpone_the_proof(show: Any) -> None:
    show(worker("10.0.0.2"), worker("10.0.0.3", cores=0), apps=("etl",))
    assert wait_for_room(CLUSTER, 0) == "'etl' uses the cores or the memory of 10.0.0.3"


@pytest.mark.parametrize(
    ("workers", "sentence"),
    [
        ([worker("10.0.0.2")], "no worker on 10.0.0.3 has registered within 0 seconds"),
        ([worker("10.0.0.2"), worker("10.0.0.3", state="DECOMMISSIONED")], "no worker on 10.0.0.3 has registered"),
        ([worker("10.0.0.2"), worker("10.0.0.3", memory=300)], "the workers on 10.0.0.3 are too small"),
    ],
)
def test_the_fault_is_reported(show: Any, workers: list[dict[str, Any]], sentence: str) -> None:
    show(*workers)
    with pytest.raises(ProofError, match=sentence):
        wait_for_room(CLUSTER, 0)


def test_a_missing_worker_is_a_failure_even_if_a_job_runs(show: Any) -> None:
    show(worker("10.0.0.2", cores=0), apps=("etl",))
    with pytest.raises(ProofError, match=r"no worker on 10\.0\.0\.3"):
        wait_for_room(CLUSTER, 0)


def test_an_ending_proof_does_not_postpone_the_next(show: Any) -> None:
    show(worker("10.0.0.2"), worker("10.0.0.3", cores=0), apps=("proof",))
    with pytest.raises(ProofError, match="too small"):
        wait_for_room(CLUSTER, 0)


def test_jobs_that_start_later_postpone_the_proof_too(show: Any, node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new master learns of the applications of the old one while the proof runs."""

    def too_long(*_arguments: object) -> dict[str, Any]:
        show(worker("10.0.0.2"), worker("10.0.0.3", cores=held), apps=("etl",))
        raise TooLong("the job had not ended after 180 seconds")

    show(worker("10.0.0.2"), worker("10.0.0.3"))
    monkeypatch.setattr(spark_proof, "prove", too_long)
    held = 0
    assert run(given(node), check=False)["postponed"] == "'etl' uses the cores or the memory of 10.0.0.3"
    held = 1
    show(worker("10.0.0.2"), worker("10.0.0.3"))
    with pytest.raises(TooLong):
        run(given(node), check=False)


def test_a_silent_master_is_reported() -> None:
    with pytest.raises(ProofError, match=r"master, http://127\.0\.0\.1:1, does not answer"):
        wait_for_room(Cluster("http://127.0.0.1:1", ("10.0.0.2",), "sky"), 0)


def test_correct_results_pass() -> None:
    compare({"pi": math.pi, "words": {"real": {"a": 2, "b": 1}}}, {"real": "a b\na"})


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        ({"pi": 3.14, "words": {"real": {"a": 2}}}, "computed pi as 3.14"),
        ({"pi": math.pi, "words": {"real": {"a": 1}}}, "counted 1 words of the real text incorrectly, such as 'a'"),
        ({"pi": math.pi, "words": {"real": {"a": 2, "c": 1}}}, "such as 'c'"),
    ],
)
def test_wrong_results_fail(result: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProofError, match=sentence):
        compare(result, {"real": "a a"})


def test_only_successful_tasks_count(tmp_path: Path) -> None:
    def task(host: str, reason: str) -> str:
        return json.dumps({"Event": "SparkListenerTaskEnd", "Task End Reason": {"Reason": reason}, "Task Info": {"Host": host}})

    log = tmp_path / "app-1"
    log.write_text("\n".join([json.dumps({"Event": "SparkListenerJobStart"}), task("a", "Success"), task("a", "Success"), task("b", "TaskKilled")]))
    assert tasks_by_host(log) == Counter({"a": 2})


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("WARN x\njava.io.FileNotFoundException: /etc/a (Permission denied)\n\tat java.base/b(C.java:1)\nbad array", "FileNotFoundException: /etc/a"),
        ("one\n\ntwo\n", "its log ends with: one | two"),
        ("", "its log is empty"),
    ],
)
def test_the_end_of_the_log_of_a_failed_job(log: str, words: str) -> None:
    assert words in ended_with(log)


def test_random_text_is_never_the_same() -> None:
    first, second = random_text(), random_text()
    assert first != second
    assert len(first.split()) == 20_000


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A master's /etc/spark and /opt/spark."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "opt").mkdir()
    (tmp_path / "etc" / "spark-defaults.conf").write_text("spark.master spark://10.0.0.1:7077\n")
    monkeypatch.setattr(_spark_proof, "SETTINGS", tmp_path / "etc")
    monkeypatch.setattr(_spark_proof, "HOME", tmp_path / "opt")
    return tmp_path


def test_a_proof_depends_on_members_settings_files_and_version(node: Path) -> None:
    before = subject(CLUSTER, "app", {"nodes": [1]})
    assert before == subject(Cluster(CLUSTER.master, CLUSTER.workers[::-1], "sky"), "app", {"nodes": [1]})
    others = [subject(Cluster(CLUSTER.master, ("10.0.0.2",), "sky"), "app", {"nodes": [1]}), subject(CLUSTER, "app", {"nodes": [2]})]
    (node / "etc" / "spark-defaults.conf").write_text("spark.master spark://10.0.0.9:7077\n")
    others.append(subject(CLUSTER, "app", {"nodes": [1]}))
    (node / "opt" / ".sha256-1").touch()
    others.append(subject(CLUSTER, "app", {"nodes": [1]}))
    assert len({str(other) for other in others} - {str(before)}) == 4


def given(node: Path, **more: Any) -> dict[str, Any]:
    asked = {"master": CLUSTER.master, "workers": list(CLUSTER.workers), "user": "sky", "application": "app", "settings": {"nodes": ["a", "b"]}}
    return asked | {"text": str(node / "text"), "stamp": str(node / "proof" / "spark.json"), "force": False, "seconds": 0} | more


def seen(node: Path) -> dict[str, Any]:
    return _spark_proof.seen(node / "proof" / "spark.json")


def succeed(monkeypatch: pytest.MonkeyPatch, show: Any) -> None:
    show(worker("10.0.0.2"), worker("10.0.0.3"))
    monkeypatch.setattr(spark_proof, "prove", lambda *_arguments: {"pi": 3.14})


def test_nothing_is_run_after_a_success_until_something_changes(node: Path, show: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    succeed(monkeypatch, show)
    assert run(given(node), check=False) == {"changed": True, "result": {"pi": 3.14}}
    assert run(given(node), check=False) == {"changed": False, "result": {"pi": 3.14}}
    assert run(given(node, force=True), check=True) == {"changed": True}
    found = seen(node)
    assert (found["outcome"], found["nodes"], found["current"], len(found["ended"])) == ("success", ["a", "b"], True, 20)
    (node / "etc" / "spark-env.sh").touch()
    (node / "etc" / "spark-defaults.conf").write_text("spark.master spark://10.0.0.9:7077\n")
    assert not seen(node)["current"]
    assert run(given(node), check=False)["changed"]


def test_a_failed_proof_is_remembered_and_run_again(node: Path, show: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    succeed(monkeypatch, show)
    run(given(node), check=False)
    show(worker("10.0.0.2"))
    with pytest.raises(ProofError):
        run(given(node, force=True), check=False)
    assert seen(node)["outcome"] == "failure"
    assert seen(node)["why"].startswith("The cluster cannot run a job: no worker on 10.0.0.3 has registered")
    with pytest.raises(ProofError):
        run(given(node), check=False)
    succeed(monkeypatch, show)
    assert run(given(node), check=False)["changed"]
    assert seen(node)["outcome"] == "success"


def test_a_postponed_proof_is_not_a_success(node: Path, show: Any) -> None:
    show(worker("10.0.0.2", cores=0), worker("10.0.0.3"), apps=("etl",))
    assert run(given(node), check=False)["postponed"].startswith("'etl' uses")
    assert (seen(node)["outcome"], seen(node)["why"][:9]) == ("postponed", "'etl' use")


@pytest.mark.parametrize("text", ['{"key": "1", "result": {"pi": 3.14}}', "{", "[]", ""])
def test_an_unreadable_stamp_is_ignored(node: Path, text: str) -> None:
    (node / "proof").mkdir()
    (node / "proof" / "spark.json").write_text(text)
    assert seen(node) == {}


def test_root_follows_no_link_in_the_folder_of_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_user() as account:
        monkeypatch.setattr(pwd, "getpwnam", lambda _name: account)
        folder = Path(account.pw_dir)
        target = folder.parent / "passwd"
        target.write_text("of root\n")
        target.chmod(0o444)
        (folder / "log").symlink_to(target)
        with pytest.raises(PermissionError):
            spark_proof.submit(CLUSTER, folder, 1)
        assert target.read_text() == "of root\n"
