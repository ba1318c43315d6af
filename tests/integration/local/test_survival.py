# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed, or told to end: real ones, on bare nodes of this machine. Checks 1 to 4 of docs/reliability.md."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support.bare import boxes, is_whole
from ansible_collections.sky.clusters.tests.support.interruptions import ctrl_c, kill_at, until
from ansible_collections.sky.clusters.tests.support.processes import family
from ansible_collections.sky.clusters.tests.support.site import Site

pytestmark = pytest.mark.real

ZONE = "tsurv"
STAGES = r"^  ta-box-\d+ +(asked for|made|booted|ssh answers|FAILED|deleted) "
POINTS = {
    "before the first line": r"^TASK \[Create, replace and start nodes",
    "made": " made ",
    "booted": " booted ",
    "ssh answers": " ssh answers ",
    "the roles": r"^TASK \[sky.clusters.node : Create the cluster's user",
    "the end of the visits": r"^TASK \[Record that the visited nodes",
}


def counts(box: int) -> tuple[str, str]:
    """Another size for one run."""
    return "-e", f'{{"sky_counts": {{"box": {box}}}}}'


def test_a_run_that_is_killed_at_any_point_is_continued(site: Site) -> None:
    """Each run makes one node more than the last one, and is killed at the next point."""
    for count, point in enumerate(POINTS.values(), start=1):
        site.content["pools"]["box"]["count"] = count
        kill_at(site.start("cluster"), point)
        site.must("cluster")
        is_whole(site, ZONE, boxes("ta", *range(count)))


def test_a_run_that_is_killed_while_nodes_leave_is_gone_on_with(site: Site) -> None:
    site.must("cluster", *counts(4))
    kill_at(site.start("cluster", *counts(1)), " deleted ")
    site.content["pools"]["box"]["count"] = 1
    site.must("cluster")
    is_whole(site, ZONE, boxes("ta", 0))


def test_a_destroy_that_is_killed_is_gone_on_with(site: Site) -> None:
    site.content["pools"]["box"]["volumes"] = {"v": 1}
    for point in (r"^TASK \[Destroy the cluster", " deleted "):
        site.must("provision", *counts(3))
        kill_at(site.start("destroy", *site.with_data), point)
        assert "nothing of it is left" in site.must("destroy", *site.with_data).output
        assert site.hosts("all") == []


def test_a_half_built_cluster_is_destroyed_whole(site: Site) -> None:
    kill_at(site.start("cluster"), POINTS["made"])
    assert "nothing of it is left" in site.must("destroy").output
    assert site.hosts("all") == []


def test_two_kills_in_a_row_and_then_another_size(site: Site) -> None:
    kill_at(site.start("cluster"), POINTS["booted"])
    kill_at(site.start("cluster", *counts(4)), POINTS["made"])
    site.content["pools"]["box"]["count"] = 3
    site.must("cluster")
    is_whole(site, ZONE, boxes("ta", 0, 1, 2))


def terminate(run: subprocess.Popen[str]) -> None:
    os.kill(run.pid, signal.SIGTERM)


def lose(run: subprocess.Popen[str]) -> None:
    """The controller's process is gone; what it started finds out by itself."""
    os.kill(run.pid, signal.SIGKILL)


@pytest.mark.parametrize(("end", "point"), [(ctrl_c, "made"), (ctrl_c, "the roles"), (terminate, "made"), (lose, "made")])
def test_a_run_that_is_told_to_end_does_no_more(
    site: Site, end: Callable[[subprocess.Popen[str]], None], point: str, figure: Callable[[str], None]
) -> None:
    with site.start("cluster") as run:
        until(run, POINTS[point])
        started = family(run.pid)
        told = time.monotonic()
        end(run)
        lines = [(time.monotonic() - told, line) for line in run.stdout or ()]
        assert run.wait(timeout=30) != 0
    while still := [pid for pid in started if at_work(pid)]:
        assert time.monotonic() - told < 5, still
        time.sleep(0.05)
    took = time.monotonic() - told
    assert [line for when, line in lines if when > 5 and re.match(STAGES, line)] == []
    unfinished = site.must("status").output
    assert re.search(r"^  ready: no: .*ta-box-", unfinished, re.MULTILINE), unfinished
    figure(f"4  {end.__name__} at '{point}': all of the run had ended {took:.1f} s after; exit {run.returncode}")
    finished = site.must("cluster").output
    assert "waiting up to" not in finished, finished
    is_whole(site, ZONE, boxes("ta", 0, 1))


def at_work(pid: int) -> bool:
    """Whether a process of a run is still there: one of Ansible's, or the program that works for it as root."""
    try:
        called = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return b"ansible" in called or b"_host.main" in called
