# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of jobs, and which one is to be stopped."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.action.spark_jobs import SHOWN, JobError, chosen, lines, span


def job(number: int = 0, **more: Any) -> dict[str, Any]:
    own = {"job": "sky-submit-3f9a01bc", "application": "app-20261121042104-0003", "name": "job.py", "user": "sky", "state": "running"}
    return own | {"since": f"2026-11-21T04:{number:02}:07+00:00", "seconds": 14.2} | more


OTHER: dict[str, Any] = {"job": "", "application": "app-20261121042104-0004", "user": "ada"}


def test_jobs_are_shown_in_a_table() -> None:
    assert lines([job(21), job(0, state="exit code 3", **OTHER)]) == [
        "job                      name    user  state        since (UTC)       for",
        "sky-submit-3f9a01bc      job.py  sky   running      2026-11-21 04:21  14 s",
        "app-20261121042104-0004  job.py  ada   exit code 3  2026-11-21 04:00  14 s",
    ]
    assert lines([]) == ["no job has run here since the master was started"]


def test_all_that_run_are_shown_and_the_last_ones_that_have_ended() -> None:
    shown = lines([*(job(number, state="succeeded") for number in range(SHOWN + 2)), job(40)])
    assert "2026-11-21 04:40" in shown[1]
    assert len(shown) == 1 + 1 + SHOWN + 1
    assert shown[-1] == "and 2 older"


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (7320, "2 h 2 min")])
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize("asked", ["3f9a01bc", "sky-submit-3f9a01bc", "app-20261121042104-0003"])
def test_a_job_is_named_in_three_ways(asked: str) -> None:
    assert chosen(asked, [job()]) == "3f9a01bc"


def test_what_cannot_be_stopped_is_explained() -> None:
    with pytest.raises(JobError, match=r"sky_stop: the master knows no job 'etl'; sky\.clusters\.spark_jobs lists all of them"):
        chosen("etl", [job()])
    with pytest.raises(
        JobError, match=r"sky_stop: app-20261121042104-0004 was not submitted with .*: end the process of user ada that has started it"
    ):
        chosen("app-20261121042104-0004", [job(**OTHER)])
