# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a log: why a program failed, or what it waits for."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_log import last_words

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
