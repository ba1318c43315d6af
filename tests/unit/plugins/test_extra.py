# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a run: what they may hold, and names that are nearly theirs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._extra import EXTRAS, misspelt, wrong


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("sky_counts", 3, "sky_counts: must be a mapping in JSON, got 3"),
        ("sky_counts", "worker", "sky_counts: must be a mapping in JSON, got 'worker'"),
        ("sky_disruption", "bogus", "sky_disruption: must be one of drain, refuse, force, got 'bogus'"),
        ("sky_look", "maybe", "sky_look: must be true or false, got 'maybe'"),
        ("sky_look", None, "sky_look: must be true or false, got None"),
        ("sky_timeout", "abc", "sky_timeout: must be a whole number of seconds, got 'abc'"),
        ("sky_remove", {"a": 1}, "sky_remove: must be a list, got {'a': 1}"),
        ("sky_confirm", ["demo"], "sky_confirm: must be a text, got ['demo']"),
        ("sky_spark_conf", ["spark.x.password=secret"], "sky_spark_conf: must be a mapping in JSON, got something else"),
    ],
)
def test_what_a_variable_cannot_hold_is_told(name: str, value: Any, sentence: str) -> None:
    assert list(wrong({name: value, "other": object()})) == [sentence]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sky_counts", {"worker": 4}),
        ("sky_counts", '{"worker": 4}'),
        ("sky_remove", "demo-worker-0,demo-worker-2"),
        ("sky_look", "no"),
        ("sky_full", True),
        ("sky_timeout", "30"),
        ("sky_submission", 12345678),
    ],
)
def test_what_it_can_is_taken(name: str, value: Any) -> None:
    assert not list(wrong({name: value}))


def test_every_fault_is_told_at_once() -> None:
    assert len(list(wrong(dict.fromkeys(EXTRAS, object())))) == len(EXTRAS) - sum(kind.words == "a text" for kind in EXTRAS.values())


def test_a_variable_that_is_nearly_one_of_ours_is_told() -> None:
    given = ["sky_application", "sky_argments", "sky_counts", "sky_full", "sky_timeuot", "spark_version", "application"]
    assert list(misspelt(given)) == [
        "sky_argments: no such variable; did you mean 'sky_arguments'?",
        "sky_timeuot: no such variable; did you mean 'sky_timeout'?",
    ]
