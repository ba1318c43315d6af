# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of bare nodes on this machine, from birth to nothing left: what needs no Spark is shown here, where a run takes seconds."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.site import Site, machine_state

pytestmark = pytest.mark.real

ZONE = "tlife"
NODES = Path("/var/lib/sky-clusters") / ZONE / "nodes"


def content(cluster: str, count: int, **pool: Any) -> dict[str, Any]:
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": cluster,
        "clouds": {"here": {"provider": "lxc", "zone": ZONE, "flavors": {"tiny": {"cores": 1, "memory": 512}}, "flavor": "tiny"}},
        "pools": {"box": {"cloud": "here", "count": count, **pool}},
    }


@pytest.fixture
def clean() -> Iterator[None]:
    """What stood on the machine before stands after, and nothing else."""
    before = machine_state(ZONE)
    yield
    assert machine_state(ZONE) == before


@pytest.fixture
def site(clean: None, tmp_path: Path) -> Iterator[Site]:  # noqa: ARG001  # a mark asks for no fixture of a fixture
    made = Site(tmp_path, "ta", content("ta", 2))
    yield made
    made.must("destroy", "-e", "sky_destroy_data=true")


def ids(site: Site) -> dict[str, str]:
    return {name: variables["sky_id"] for name, variables in site.inventory()["_meta"]["hostvars"].items()}


def test_two_clusters_one_the_prefix_of_the_other_live_side_by_side(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path, "ta-b", content("ta-b", 1))
    runs = [site.start("spark_cluster"), other.start("spark_cluster")]
    outputs = [run.communicate(timeout=300)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert (site.hosts("pool_box"), other.hosts("pool_box")) == (["ta-box-0", "ta-box-1"], ["ta-b-box-0"])
    standing = ids(other)
    site.must("destroy")
    assert site.hosts("all") == []
    assert ids(other) == standing
    other.must("destroy")


def test_a_second_run_changes_nothing_and_check_mode_foretells(site: Site) -> None:
    foretold = site.must("spark_cluster", "--check")
    assert site.hosts("pool_box") == []
    assert all(f"ta-box-{index}: make in here" in site.must("spark_cluster", "--check", "--diff").output for index in (0, 1)), foretold.output
    site.must("spark_cluster")
    assert set(site.must("spark_cluster").changed.values()) == {0}
    assert "a run would: change nothing" in site.must("status").output


def test_growth_and_shrinking_keep_ids_and_data(site: Site) -> None:
    site.content = content("ta", 2, volumes={"v": 1})
    site.must("spark_cluster")
    first = ids(site)
    site.ssh("ta-box-1", "findmnt -n /data/v && sha256sum /etc/hostname > /data/v/proof && sync")
    proof = site.ssh("ta-box-1", "cat /data/v/proof")
    site.must("spark_cluster", "-e", '{"sky_counts": {"box": 4}}')
    assert {name: id for name, id in ids(site).items() if name in first} == first
    assert site.hosts("pool_box") == [f"ta-box-{index}" for index in range(4)]
    site.must("spark_cluster", "-e", '{"sky_counts": {"box": 1}}')
    assert site.hosts("pool_box") == ["ta-box-0"]
    status = site.must("status").output
    assert "kept: 3 data volume(s), 3 GiB in all" in status
    assert "a run would: ta-box-1: make in here" in status
    site.must("spark_cluster")
    assert site.ssh("ta-box-1", "cat /data/v/proof") == proof
    assert site.ssh("ta-box-0", "findmnt -n -o TARGET /data/v").strip() == "/data/v"


@pytest.mark.parametrize("stage", ["made", "booted"])
def test_a_run_that_was_killed_is_gone_on_with(site: Site, stage: str) -> None:
    run = site.start("spark_cluster")
    kill_at(run, stage)
    site.must("spark_cluster")
    assert site.hosts("pool_box") == ["ta-box-0", "ta-box-1"]
    assert set(site.must("spark_cluster").changed.values()) == {0}


def test_a_half_built_cluster_is_destroyed_whole(site: Site) -> None:
    kill_at(site.start("spark_cluster"), "made")
    site.must("destroy")
    assert site.hosts("all") == []


def test_a_node_that_dies_at_boot_is_replaced_twice_and_then_named(site: Site) -> None:
    site.content = content("ta", 2, min_count=1)
    with killed_at_boot("ta-box-1") as deaths:
        played = site.play("spark_cluster")
    assert played.code == 0, played.output
    assert len(deaths) >= 3
    assert "ta-box-1 failed" in played.output
    assert "3 attempts" in played.output
    assert site.hosts("pool_box") == ["ta-box-0"]
    site.must("spark_cluster")
    assert site.hosts("pool_box") == ["ta-box-0", "ta-box-1"]


def test_too_few_nodes_fail_the_run_with_the_reason(site: Site) -> None:
    with killed_at_boot("ta-box-1"):
        played = site.play("spark_cluster")
    assert played.code != 0
    assert "pools.box: 1 node(s) where at least 2 are needed" in played.last(14)
    assert "ta-box-1 failed" in played.last(14)


def kill_at(run: subprocess.Popen[str], stage: str) -> None:
    """Kill a run, and all that it started in its group, as soon as it shows that a node reached a stage."""
    if run.stdout is None:
        raise AssertionError("the run has no output")
    for line in run.stdout:
        if f" {stage} " in line:
            break
    os.killpg(run.pid, signal.SIGKILL)
    run.stdout.close()
    run.wait(timeout=30)
    assert run.returncode == -signal.SIGKILL


class killed_at_boot:  # noqa: N801  # a context manager that reads as a word
    """Kill a node's init whenever it has one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.deaths: list[int] = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self) -> list[int]:
        self.thread.start()
        return self.deaths

    def __exit__(self, *_exception: object) -> None:
        self.done.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.done.is_set():
            answer = subprocess.run(["lxc-info", "-P", str(NODES), "-n", self.name, "-p", "-H"], capture_output=True, text=True, check=False)
            pid = answer.stdout.strip()
            if pid.isdigit() and int(pid) not in self.deaths:
                self.deaths.append(int(pid))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.05)
