# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of a run as data and as a picture."""

from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.sky.clusters.plugins.plugin_utils._timeline import FAILED, RED, SKIPPED, Recorder, svg


def recorded() -> Recorder:
    found = Recorder(100.0)
    for host, task, stage, began, ended, outcome in (
        ("a", "1", "Prepare", 101.0, 102.0, "ok"),
        ("b", "1", "Prepare", 101.0, 105.0, FAILED),
        ("a", "2", "Prepare", 105.0, 106.5, SKIPPED),
        ("a", "3", "Spark <4>", 107.0, 109.0, "ok"),
        ("a", "4", "HDFS", 109.0, 109.1, SKIPPED),
    ):
        found.start(host, task, began)
        found.end(host, task, stage, ended, outcome)
    return found


def test_tasks_of_a_stage_are_one_span() -> None:
    spans = [(span.host, span.stage, span.began, span.ended, span.tasks, span.outcome) for span in recorded().joined()]
    assert spans == [
        ("a", "Prepare", 1.0, 6.5, 2, "ok"),
        ("b", "Prepare", 1.0, 5.0, 1, FAILED),
        ("a", "Spark <4>", 7.0, 9.0, 1, "ok"),
    ]


def test_events_of_clouds_are_stages_between_them() -> None:
    stages = [("made", 3.0, 2.0), ("booted", 7.0, 6.0), ("reachable", 8.0, 7.0)]  # the first event of a node says when it was asked for
    assert spans_of(stages) == [("cloud: create", 1.0, 3.0), ("cloud: boot", 3.0, 7.0), ("cloud: ssh", 7.0, 8.0)]


def test_a_second_attempt_begins_when_the_node_was_asked_for_again() -> None:
    stages = [("failed", 3.0, 2.0), ("asked", 5.0, 0.0), ("made", 6.0, 1.0)]
    assert spans_of(stages) == [("cloud: failed", 1.0, 3.0), ("cloud: create", 5.0, 6.0)]


def test_a_node_that_is_replaced_waits_between_its_deletion_and_its_creation() -> None:
    stages = [("deleted", 3.0, 2.5), ("made", 9.0, 1.0)]
    assert spans_of(stages) == [("cloud: delete", 0.5, 3.0), ("cloud: create", 8.0, 9.0)]


def spans_of(stages: list[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """The spans of one node, from what happened to it, when, and how many seconds before that it was asked for."""
    found = Recorder(0.0)
    found.events({"node": "n", "cloud": "c", "stage": stage, "time": time, "seconds": seconds} for stage, time, seconds in reversed(stages))
    return [(span.stage, span.began, span.ended) for span in found.joined()]


def test_the_picture_has_a_row_for_each_host_and_a_bar_for_each_span() -> None:
    text = svg(recorded().plain(110.0))
    root = ElementTree.fromstring(text)
    bars = [each for each in root.iter("{http://www.w3.org/2000/svg}rect") if len(each)]
    assert len(bars) == 3
    assert len({drawn.get("y") for drawn in bars}) == 2
    assert [drawn.get("fill") for drawn in bars].count(RED) == 1
    assert "Spark &lt;4&gt;: 2.0 s, ok" in text
    assert max(float(drawn.get("x", 0)) + float(drawn.get("width", 0)) for drawn in bars) <= 190 + 900
