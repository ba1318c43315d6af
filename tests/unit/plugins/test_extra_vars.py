# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extra variables of a run: invalid values and misspelt names."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._extra_vars import EXTRAS, given, misspelt


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("sky_counts", 3, "sky_counts: must be a mapping in JSON, got 3"),
        ("sky_counts", "worker", "sky_counts: must be a mapping in JSON, got 'worker'"),
        ("sky_disruption", "bogus", "sky_disruption: must be one of drain, refuse, force, got 'bogus'"),
        ("sky_look", "maybe", "sky_look: must be true or false, got 'maybe'"),
        ("sky_look", "{}", "sky_look: must be true or false, got '{}'"),
        ("sky_timeout", "abc", "sky_timeout: must be a whole number of seconds, got 'abc'"),
        ("sky_wait", -1, "sky_wait: must be a whole number of seconds, 0 or more, got -1"),
        ("sky_wait", "long", "sky_wait: must be a whole number of seconds, 0 or more, got 'long'"),
        ("sky_remove", {"a": 1}, "sky_remove: must be a list, got {'a': 1}"),
        ("sky_confirm", ["demo"], "sky_confirm: must be a string, got ['demo']"),
        ("sky_spark_conf", ["spark.x.password=secret"], "sky_spark_conf: must be a mapping in JSON, got another value"),
    ],
)
def test_an_invalid_value_is_reported(name: str, value: Any, sentence: str) -> None:
    assert given({name: value, "other": object()})[1] == [sentence]


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("sky_counts", {"worker": 4}, {"worker": 4}),
        ("sky_counts", '{"worker": 4}', {"worker": 4}),
        ("sky_counts", "{}", {}),
        ("sky_remove", "demo-worker-0,demo-worker-2", ["demo-worker-0", "demo-worker-2"]),
        ("sky_arguments", '["a, b", 10]', ["a, b", 10]),
        ("sky_look", "no", False),
        ("sky_full", True, True),
        ("sky_timeout", "30", 30),
        ("sky_wait", "600", 600),
        ("sky_submission", 12345678, "12345678"),
    ],
)
def test_a_valid_value_is_accepted(name: str, value: Any, read: Any) -> None:
    values, faults = given({name: value})
    assert not faults
    assert values[name.removeprefix("sky_")] == read


@pytest.mark.parametrize("nothing", [None, "", "  ", "null"])
def test_an_empty_value_has_the_default(nothing: str | None) -> None:
    assert given(dict.fromkeys(EXTRAS, nothing)) == given({})
    assert given({})[0]["look"] is True


def test_all_faults_are_reported_at_once() -> None:
    assert len(given(dict.fromkeys(EXTRAS, object()))[1]) == len(EXTRAS) - sum(kind.words == "a string" for kind in EXTRAS.values())


def test_a_misspelt_variable_is_reported() -> None:
    names = ["sky_application", "sky_argments", "sky_counts", "sky_full", "sky_timeuot", "spark_version", "application"]
    assert list(misspelt(names)) == [
        "sky_argments: no such variable; did you mean 'sky_arguments'?",
        "sky_timeuot: no such variable; did you mean 'sky_timeout'?",
    ]
