# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a log: why a program failed, or what it waits for."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_log import last_words, lost_executor

START = """WARNING: Using incubator modules: jdk.incubator.vector
Using Spark's default log4j profile: org/apache/spark/log4j2-defaults.properties
26/11/21 17:10:55 INFO SparkContext: Running Spark version 3.5.1
Setting default log level to "WARN".
To adjust logging level use sc.setLogLevel(newLevel). For SparkR, use setLogLevel(newLevel).
"""
NATIVE = "26/11/21 17:10:56 WARN NativeCodeLoader: Unable to load native-hadoop library for your platform... using builtin-java classes\n"
WAITING = (
    "26/11/21 17:11:{:02} WARN TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI to ensure that workers are "
    "registered and have sufficient resources\n"
)
WAITS = "Initial job has not accepted any resources; check your cluster UI to ensure that workers are registered and have sufficient resources"


def test_a_job_that_hangs_is_explained_by_what_it_warns_of() -> None:
    """Once, however often it does."""
    log = START + NATIVE + "".join(WAITING.format(second) for second in range(0, 60, 15))
    assert last_words(log, 1) == WAITS
    assert last_words(log) == WAITS


@pytest.mark.parametrize(
    "fault",
    [
        "26/11/21 17:12:00 ERROR SparkContext: java.io.FileNotFoundException: File file:/nowhere does not exist",
        "py4j.protocol.Py4JJavaError: An error occurred while calling o1.load.",
        "java.lang.OutOfMemoryError: Java heap space",
    ],
)
def test_a_fault_goes_before_all_warnings_and_without_its_stack(fault: str) -> None:
    log = (
        f'{START}{WAITING.format(1)}{fault}\n\tat org.apache.spark.Some.method(Some.scala:5)\n  File "x.py", line 3, in <module>\n{WAITING.format(2)}'
    )
    assert last_words(log) == fault


def test_the_last_of_several_warnings_are_reported() -> None:
    log = NATIVE + "".join(f"26/11/21 17:11:00 WARN Some$Class: thing {number}\n" for number in range(5))
    assert last_words(log, 2) == "thing 3 | thing 4"


def test_where_nothing_warns_the_last_lines_are_reported() -> None:
    assert last_words(f"{START}one\n\ntwo\nthree\nfour\n", 2) == "three | four"
    assert last_words("ps: no such process") == "ps: no such process"


@pytest.mark.parametrize("log", ["", "\n \n", START, START + NATIVE, "26/11/21 17:10:55 INFO A: x\n26/11/21 17:10:55 DEBUG B: y"])
def test_chatter_is_nothing(log: str) -> None:
    assert last_words(log) == ""


ABORTED = (
    "py4j.protocol.Py4JJavaError: An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.\n"
    ": org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent failure: "
    "Lost task 0.3 in stage 0.0 (TID 3) ({host} executor 3): {reason}\nDriver stacktrace:\n\tat org.apache.spark.scheduler.DAG.x(A.scala:1)\n"
)
EXITED = "ExecutorLostFailure (executor 3 exited caused by one of the running tasks) Reason: Command exited with code {}"
CRASHED = "org.apache.spark.SparkException: Python worker exited unexpectedly (crashed). Consider setting 'spark.python.worker.faulthandler.enabled'"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (EXITED.format(137), "an executor on demo-worker-0 was killed, probably because the node had no memory left: "),
        (CRASHED, "a Python process of an executor on demo-worker-0 was killed or crashed, probably because the node had no memory left: "),
        (EXITED.format(52), "an executor on demo-worker-0 filled its heap: raise spark.executor.memory, or use more partitions"),
        ("java.lang.OutOfMemoryError: Java heap space", "an executor on demo-worker-0 filled its heap: raise spark.executor.memory"),
    ],
)
@pytest.mark.parametrize("host", ["10.0.0.5", "fd00::5", "[fd00::5]"])
def test_an_executor_that_was_killed_is_named_with_its_node(reason: str, words: str, host: str) -> None:
    names = {"10.0.0.5": "demo-worker-0", "fd00::5": "demo-worker-0"}
    assert lost_executor(START + ABORTED.format(host=host, reason=reason), names).startswith(words)


def test_a_node_without_a_name_is_named_by_its_address() -> None:
    assert lost_executor(ABORTED.format(host="10.0.0.9", reason=EXITED.format(137)), {}).startswith("an executor on 10.0.0.9 was killed")


@pytest.mark.parametrize(
    "log",
    [
        "",
        ABORTED.format(host="10.0.0.5", reason="org.apache.spark.api.python.PythonException: ZeroDivisionError: no"),
        ABORTED.format(host="10.0.0.5", reason=EXITED.format(1)),
        # an executor that was lost while the job went on, which then failed for another reason
        f"26/11/21 17:12:00 ERROR TaskSchedulerImpl: Lost executor 0 on 10.0.0.5: Command exited with code 137\n{ABORTED}".format(
            host="10.0.0.5", reason="java.io.FileNotFoundException: no"
        ),
    ],
)
def test_a_job_that_failed_otherwise_lost_no_executor(log: str) -> None:
    assert lost_executor(log, {}) == ""
