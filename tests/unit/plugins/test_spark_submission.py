# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be submitted, and how faults are reported."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.action.spark_submit import KEPT, ActionModule, Output, shown, why_failed
from ansible_collections.sky.clusters.plugins.plugin_utils._spark_submission import RequestError, job_of, request

CLASS = "org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver"


def asked(**args: Any) -> dict[str, Any]:
    return {"application": "", "main_class": "", "arguments": [], "files": [], "settings": {}, "timeout": 0} | args


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the user."""
    for name in ("job.py", "job.jar", "lib.zip", "data.csv", "notes.txt", "my job.py"):
        (tmp_path / name).touch()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "job.py").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_file_is_transferred_with_the_further_files() -> None:
    wanted = request(asked(application="job.py", files=["lib.zip", "data.csv"], arguments=["10"], settings={"spark.ui.enabled": False}))
    assert wanted.application == wanted.what() == "job.py"
    assert sorted(wanted.uploads) == ["data.csv", "job.py", "lib.zip"]
    assert wanted.settings == {"spark.ui.enabled": "false"}


def test_a_class_needs_no_file() -> None:
    wanted = request(asked(application=CLASS))
    assert (wanted.application, wanted.main_class, wanted.what(), wanted.uploads) == ("spark-internal", CLASS, CLASS, {})


def test_a_file_on_the_node_is_not_transferred() -> None:
    wanted = request(asked(application="local:/opt/spark/examples/src/main/python/pi.py", settings={"spark.x": "1"}))
    assert (wanted.application, wanted.main_class, wanted.uploads) == ("/opt/spark/examples/src/main/python/pi.py", "", {})
    assert wanted.plain()["settings"] == {"spark.x": "1"}


class Recorded(ActionModule):
    """The action, with what it would call on the node and what it would bring there."""

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {}
        self.steps: list[dict[str, Any]] = []
        self.brought: dict[str, str] = {}

    def _step(self, step: str, job: str, **more: Any) -> dict[str, Any]:
        self.steps.append({"step": step, "job": job, **more})
        return {}

    def _make_tmp_path(self, _remote_user: str | None = None) -> str:
        return "/root/tmp"

    def _remove_tmp_path(self, *_: object) -> None:
        """There is none."""

    def _transfer_data(self, remote_path: str | bytes, data: str | bytes) -> str | bytes:
        self.brought[str(remote_path)] = str(data)
        return remote_path


def test_no_setting_or_argument_is_an_argument_of_a_module() -> None:
    args = asked(application=CLASS, arguments=["canary-1"], settings={"spark.x.password": "canary-2"}) | {"user": "sky"}
    action = Recorded()
    action._submit("3f9a01bc", request(args), args)
    assert "canary" not in str(action.steps)
    assert json.loads(action.brought[action.steps[-1]["request"]])["settings"] == {"spark.x.password": "canary-2"}


def test_of_sparks_own_log_only_warnings_are_shown() -> None:
    log = "26/11/21 04:21:04 INFO X: begun\n26/11/21 04:21:05 WARN Y: no room\nown\n26/11/21 04:21:06 ERROR Z: lost\n"
    assert [line.split(" ", 2)[-1] for line in shown(log, "stderr", info=False)] == ["WARN Y: no room", "own", "ERROR Z: lost"]
    assert len(shown(log, "stderr", info=True)) == len(shown(log, "stdout", info=False)) == 4


def test_the_first_example_of_sparks_guide_names_what_to_run_instead() -> None:
    words = why_failed({"stderr": "Error: Failed to load class org.apache.spark.examples.SparkPi.\n", "stdout": ""})
    assert words.startswith("org.apache.spark.examples.SparkPi is not installed, ")
    assert words.endswith("run -e sky_application=local:/opt/spark/examples/src/main/python/pi.py instead")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"application": "local:job.py"}, "sky_application: local:job.py must be local: and an absolute path that ends in .py, .jar or .R"),
        ({"application": "local:/a.txt"}, "sky_application: local:/a.txt must be local: and an absolute path"),
        ({"application": "local:/a.py", "main_class": "a.B"}, "sky_class: 'a.B' must be the name of a class in a .jar file"),
        ({}, "sky_application: is required, a file or a class: -e sky_application=job.py"),
        ({"application": "jbo.py"}, "sky_application: no such file jbo.py, and it is not a class name"),
        ({"application": "wordcount"}, "sky_application: no such file wordcount, and it is not a class name"),
        ({"application": "more/none.py"}, "sky_application: no such file more/none.py, and it is not a class name"),
        ({"application": "notes.txt"}, "sky_application: notes.txt must end in .py, .jar or .R, so that Spark knows its type"),
        ({"application": "more"}, "sky_application: more is a folder"),
        ({"application": "my job.py"}, "sky_application: 'my job.py' must consist of letters, digits and ._+@=-, since Spark reads file names"),
        ({"application": "job.py", "main_class": "a.B"}, "sky_class: can only be used with a .jar file, and sky_application is job.py"),
        ({"application": CLASS, "main_class": "a.B"}, f"sky_class: can only be used with a .jar file, and sky_application is the class {CLASS}"),
        ({"application": "job.jar", "main_class": "a b"}, "sky_class: 'a b' is not a class name"),
        ({"application": "job.py", "files": ["none.csv"]}, "sky_files: no such file none.csv"),
        ({"application": "job.py", "files": ["more/job.py"]}, "sky_files: two files are named job.py"),
        (
            {"application": "job.py", "settings": {"cores": 1}},
            "sky_spark_conf.cores: not a setting of Spark: the names of settings begin with 'spark.'",
        ),
        (
            {"application": "job.py", "settings": {"spark.executor.memmory": "2g"}},
            "sky_spark_conf.spark.executor.memmory: no such setting; did you mean 'spark.executor.memory'?",
        ),
        ({"application": "job.py", "settings": {"spark.x": [1]}}, "sky_spark_conf.spark.x: must be a string, a number, true or false"),
        ({"application": "job.py", "timeout": -1}, "sky_timeout: must be 0 or more seconds, got -1"),
    ],
)
def test_an_invalid_request_is_reported(args: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError) as refusal:
        request(asked(**args))
    (line,) = str(refusal.value).splitlines()
    assert line.startswith(sentence)


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(RequestError) as refusal:
        request(asked(application="none.py", files=["none.csv"], timeout=-1))
    assert len(str(refusal.value).splitlines()) == 3


def test_a_job_is_named_by_its_unit_or_its_identifier() -> None:
    assert job_of("sky-submit-3f9a01bc") == job_of("3f9a01bc") == "3f9a01bc"
    with pytest.raises(RequestError, match=r"sky_submission: '\.\./x' is not a job"):
        job_of("../x")


def test_only_the_last_part_of_an_output_is_kept() -> None:
    output = Output()
    for number in range(100):
        output.add(
            {"stdout": f"{number:03}" * 1000, "stderr": "INFO Connected to Spark cluster with app ID app-20261121042104-0003\n" * (number == 3)}
        )
    assert len(output.text["stdout"]) == KEPT
    assert output.text["stdout"].endswith("099")
    assert output.application == "app-20261121042104-0003"


@pytest.mark.parametrize(
    ("stderr", "stdout", "words"),
    [
        ("", "", ""),
        ("26/11/21 04:21:04 INFO ShutdownHookManager: gone\n", "one\ntwo\nthree\n", "two | three"),
        (
            'Traceback (most recent call last):\n  File "job.py", line 1\n    1 / 0\nZeroDivisionError: no\n26/11/21 04:21:04 INFO X: bye\n',
            "",
            "ZeroDivisionError: no",
        ),
        (
            "Error: Failed to load class a.B.\n",
            "",
            "a.B is not on the class path of Spark: submit the .jar file that contains it, with -e sky_class=a.B",
        ),
    ],
)
def test_the_reason_is_taken_from_the_most_informative_lines(stderr: str, stdout: str, words: str) -> None:
    assert why_failed({"stderr": stderr, "stdout": stdout}) == words


def test_an_executor_that_was_killed_goes_before_what_the_log_ends_with() -> None:
    gave_up = (
        "Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent failure: Lost task 0.3 in stage 0.0 (TID 3) "
        "(10.0.0.5 executor 3): ExecutorLostFailure (executor 3 exited caused by one of the running tasks) Reason: Command exited with code 137"
    )
    output = {"stderr": f"org.apache.spark.SparkException: {gave_up}\nDriver stacktrace:\njava.lang.Exception: end\n", "stdout": ""}
    assert why_failed(output, {"10.0.0.5": "demo-worker-0"}).startswith("an executor on demo-worker-0 was killed, probably because")


def test_workers_are_named_by_their_addresses() -> None:
    action = Recorded()
    hosts = {"demo-worker-0": {"sky_address": "10.0.0.5"}, "other": {"sky_address": "10.0.0.6"}}
    action.variables = {"groups": {"spark_worker": ["demo-worker-0"]}, "hostvars": SimpleNamespace(raw_get=hosts.__getitem__)}
    assert action._names() == {"10.0.0.5": "demo-worker-0"}
