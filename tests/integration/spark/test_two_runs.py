# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs of one file at once, on real clusters of this machine: none fails with anything but the sentence that says who is at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.sky.clusters.tests.support.site import Site, lasting
from ansible_collections.sky.clusters.tests.support.spark import spark
from ansible_collections.sky.clusters.tests.support.two_runs import trials

pytestmark = pytest.mark.real

ZONE = "ttwos"
SEED, TRIALS = 10, 3  # 27 more on bare nodes are in the part survival


@pytest.fixture(scope="module")
def spark_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with lasting(tmp_path_factory.mktemp("spark"), ZONE, spark(ZONE, 1)) as site:
        yield site


def test_two_runs_on_a_spark_cluster(spark_site: Site, figure: Callable[[str], None]) -> None:
    figure(f"5  two runs on Spark, {trials(spark_site, 'worker', TRIALS, 60, SEED)}")


def test_a_run_whose_inventory_is_older_than_the_cluster(spark_site: Site, figure: Callable[[str], None]) -> None:
    """As an AWX job that waited behind another one: a worker is gone, and then comes back as another machine."""
    spark_site.must("spark_cluster", *workers(2))
    old = spark_site.snapshot()
    spark_site.must("spark_cluster", *workers(1))
    began = time.monotonic()
    same = spark_site.play("spark_cluster", *workers(1), inventory=str(old))
    took = time.monotonic() - began
    assert (same.code, set(same.changed.values())) == (0, {0}), same.output
    more = spark_site.play("spark_cluster", *workers(2), inventory=str(old))
    assert more.code == 0, more.output
    assert "tasks on 2 worker(s)" in more.output, more.output
    full = spark_site.play("spark_cluster", *workers(2), "-e", "sky_full=true", "-e", "spark_proof_force=true", inventory=str(old))
    assert full.code == 0, full.output
    figure(f"a run with an inventory in which a worker is gone that was there: {took:.0f} s")


def workers(count: int) -> tuple[str, str]:
    return "-e", f'{{"sky_counts": {{"worker": {count}}}}}'
