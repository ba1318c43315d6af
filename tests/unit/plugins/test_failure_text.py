# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures of roles in the last lines of a run."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._failure_text import HIDDEN, NEXT, TAIL, WIDTH, each_once, failure_text


def of(result: dict[str, Any], login: str = "", hidden: bool = False) -> list[str]:
    return failure_text("demo-worker-1", "Install Spark", "Install Java", result, login, hidden)


def test_the_cause_is_reported_with_its_place_and_the_next_step() -> None:
    assert of({"msg": "No space\n left", "failed": True}, "ssh root@10.0.0.1") == [
        "demo-worker-1 failed at 'Install Spark' (task 'Install Java'): No space left",
        "    look: ssh root@10.0.0.1",
        f"    {NEXT}",
    ]


@pytest.mark.parametrize(
    "message",
    ["", "non-zero return code", "The command exited with a non-zero return code.", "MODULE FAILURE\nSee stdout/stderr for the exact error"],
)
def test_the_log_replaces_an_uninformative_message(message: str) -> None:
    lines = of({"msg": message, "rc": 100, "stderr": "\n".join(f"line {number}" for number in range(9)), "stdout": "not this"})
    assert lines[0].endswith(": exit code 100; the log ends with:")
    assert lines[1:-1] == [f"    | line {number}" for number in range(9 - TAIL, 9)]


def test_a_crashed_module_shows_the_end_of_its_output() -> None:
    assert of({"msg": "MODULE FAILURE", "module_stderr": "Traceback\nKeyError: 'x'\n"})[:3] == [
        "demo-worker-1 failed at 'Install Spark' (task 'Install Java'): the log ends with:",
        "    | Traceback",
        "    | KeyError: 'x'",
    ]


def test_the_failed_item_of_a_loop_is_reported() -> None:
    lines = of({"msg": "One or more items failed", "results": [{"msg": "fine"}, {"failed": True, "msg": "the second"}]})
    assert lines[0].endswith(": the second")


CANARY = {"failed": True, "msg": "password CANARY", "rc": 3, "stderr": "CANARY", "module_stdout": "CANARY"}


@pytest.mark.parametrize(
    ("result", "hidden"),
    [
        (CANARY, True),  # as core 2.21 hands it over
        (CANARY | {"_ansible_no_log": True}, False),
        ({"msg": "One or more items failed", "results": [CANARY | {"_ansible_no_log": True}]}, False),
        ({"msg": "CANARY", "_ansible_no_log": True, "results": [CANARY]}, False),
    ],
)
def test_what_no_log_hides_stays_hidden(result: dict[str, Any], hidden: bool) -> None:
    first, *rest = of(result, "ssh root@10.0.0.1", hidden)
    assert first == f"demo-worker-1 failed at 'Install Spark' (task 'Install Java'): {HIDDEN}"
    assert rest == ["    look: ssh root@10.0.0.1", f"    {NEXT}"]


def test_a_missing_reason_is_reported_as_missing() -> None:
    assert of({"failed": True})[0].endswith(": no reason was given")


def test_long_lines_are_cut() -> None:
    assert len(of({"stderr": "x" * 1000})[1]) == WIDTH + len("    | ")


def test_what_several_nodes_say_alike_is_said_once_with_their_names() -> None:
    def failed(node: str, cause: str) -> list[str]:
        return failure_text(node, "Install Spark", "Continue", {"msg": cause}, f"ssh root@{node}")

    failures = {name: failed(name, "Spark waits for a job") for name in ("demo-worker-10", "demo-worker-9", "demo-master-0")}
    failures["demo-worker-1"] = failed("demo-worker-1", "No space left")
    assert list(each_once(failures)) == [
        "demo-master-0, demo-worker-9 and demo-worker-10 failed at 'Install Spark' (task 'Continue'): Spark waits for a job",
        "    look: ssh root@demo-master-0",
        f"    {NEXT}",
        *failures["demo-worker-1"],
    ]
