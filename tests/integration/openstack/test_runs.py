# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a real OpenStack that are killed, repeated and at work at the same time: checks 1, 2, 5, 7, 8 and 27 of docs/reliability.md.

The servers exist in the API only; how ssh is left out of it says `tests/support/campus_clusters.py`.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.campus_clusters import (
    POOLS,
    PROJECT,
    Wanted,
    content,
    ids,
    must,
    of_campus,
    parts,
    run_of,
    said,
    started,
)
from ansible_collections.sky.clusters.tests.support.engine_runs import present, wishes
from ansible_collections.sky.clusters.tests.support.fault_proxy import FaultProxy, afterwards, first, reset
from ansible_collections.sky.clusters.tests.support.openstack_site import OpenStackSite
from ansible_collections.sky.clusters.tests.support.processes import KILLED

pytestmark = [pytest.mark.real, pytest.mark.openstack, pytest.mark.xdist_group("chemistry")]

KILLS = 2  # of runs, and as many of destroys: each before the cloud heard of the call, and after
TRIALS = 2  # of two runs at once


WRITING, ANYWHERE = "POST|PUT|DELETE", "^(?!/v3/auth)"  # calls that ask the cloud to change something: all such but logins


def written(proxy: FaultProxy, since: int) -> list[str]:
    """The writing calls since then, which come in one number however often a run looks meanwhile."""
    return [call.kind for call in proxy.since(since) if re.fullmatch(WRITING, call.verb) and re.search(ANYWHERE, call.target)]


def killed(proxy: FaultProxy, what: str, file: dict[str, Any], folder: Path, point: int, made: bool) -> str:
    """Kill a run at a writing call: before the cloud heard of it, or when it was `made` and not answered; the call."""
    victim: list[subprocess.Popen[str]] = []

    def kill() -> None:
        victim[0].kill()

    rule = proxy.rule(afterwards(kill) if made else first(kill, reset), "", WRITING, ANYWHERE, nth=point)
    before = len(proxy.calls)
    victim.append(started(what, file, folder))
    told, _nothing = victim[0].communicate(timeout=300)
    proxy.settle()  # what it had asked for on other threads; the lock of the dead outlasts that
    proxy.heal()
    assert (victim[0].returncode, rule.done) == (KILLED, 1), told
    return written(proxy, before)[point - 1]


def let_time_pass(campus: OpenStackSite, file: dict[str, Any]) -> None:
    """What a minute does: the lock of the dead is void."""
    network = campus.admin().network
    for group in network.security_groups(project_id=campus.project(PROJECT)):
        words = str(group.description).split()
        if words[:1] == ["sky/1"] and words[2] == file["cluster"]:
            network.update_security_group(group, description=" ".join(words[:3]))


def test_a_killed_run_and_a_killed_destroy_are_continued_by_the_next(
    campus: OpenStackSite, proxy: FaultProxy, wanted: Wanted, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    chance = random.Random(12)
    file = wanted(POOLS, "zk", network="")
    before = len(proxy.calls)
    must(file)
    building, whole = written(proxy, before), parts(file)
    before = len(proxy.calls)
    assert said(file, "absent") == ""
    taking = written(proxy, before)
    calls = []
    for trial, (point, end) in enumerate(
        zip(chance.sample(range(2, len(building)), KILLS), chance.sample(range(2, len(taking)), KILLS), strict=True)
    ):
        calls.append(killed(proxy, "present", file, tmp_path, point, made=trial % 2 == 0))
        let_time_pass(campus, file)
        must(file)
        assert parts(file) == whole
        calls.append(killed(proxy, "absent", file, tmp_path, end, made=trial % 2 == 1))
        let_time_pass(campus, file)
        assert said(file, "absent") == ""
        assert parts(file) == []
    figure(f"1, 2  {KILLS} runs and {KILLS} destroys killed ({', '.join(calls)}) and run again: whole, and nothing")


def test_a_second_run_and_check_mode_write_nothing_and_volumes_outlive_a_destroy(
    proxy: FaultProxy, wanted: Wanted, figure: Callable[[str], None]
) -> None:
    file = wanted(POOLS, "zs")
    before = len(proxy.calls)
    foretold = run_of(file, check=True)
    outcome = foretold.present(wishes(foretold))
    assert [spec.name for part in outcome.plan.clouds.values() for spec in part.create] == ["zs-m-0", "zs-w-0"]
    assert written(proxy, before) == []
    must(file)
    stood = ids(file)
    before = len(proxy.calls)
    outcome = present(run_of(file))
    assert not outcome.plan.changes
    assert written(proxy, before) == []
    reading = Counter(call.service for call in proxy.since(before))
    gone = run_of(file).absent()
    assert gone.faults == []
    assert [volume.name for volume in gone.kept] == ["zs-m-0-d"]
    assert parts(file) == ["volume zs-m-0-d"]
    must(file)
    assert ids(file)["zs-m-0-d"] == stood["zs-m-0-d"]
    assert said(file, "absent", data=True) == ""
    assert parts(file) == []
    figure(f"7, 8, 27  a second run: no writing call, {reading.total()} reading ones ({dict(reading)}); a kept volume is the rebuilt node's")


def test_two_users_at_once_make_no_doubles(campus: OpenStackSite, proxy: FaultProxy, tmp_path: Path, figure: Callable[[str], None]) -> None:
    """Both belong to one project, and both files name the same owner."""
    files = {user: content({"w": 2}, "ztwo", user, owner="carol") for user in ("carol", "bob")}
    outcomes: Counter[str] = Counter()
    assert proxy.ports
    try:
        for _trial in range(TRIALS):
            runs = []
            for user, file in files.items():
                folder = tmp_path / user
                folder.mkdir(exist_ok=True)
                runs.append(started("present", file, folder))
            ends_of_runs = [(run.communicate(timeout=300)[0], run) for run in runs]
            for told, run in ends_of_runs:
                assert run.returncode == 0 or "is being changed by" in told, told
                outcomes["done" if run.returncode == 0 else "stopped with the other's name"] += 1
            kinds = Counter(of_campus(campus, "ztwo").values())
            assert {thing: count for thing, count in kinds.items() if not thing.startswith("key pair")} == {
                "server ztwo-w-0": 1, "server ztwo-w-1": 1, "port ztwo-w-0": 1, "port ztwo-w-1": 1, "security group sky-ztwo": 1,
            }  # fmt: skip
            assert said(files["bob"], "absent") == ""  # what carol made, too
    finally:
        ends = [said(file, "absent") for file in files.values()]  # a key pair is its user's, and can be deleted by nobody else
    assert ends == ["", ""]
    figure(f"5  carol and bob at once on one cluster, {TRIALS} times: {dict(outcomes)}; every node once")
