# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs of one file at once, on real clusters of this machine: none fails with anything but the sentence that says who is at work."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support.site import Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import spark
from ansible_collections.sky.clusters.tests.support.two_runs import trial

pytestmark = pytest.mark.real

ZONE = "ttwo"
SEED, BARE_TRIALS, SPARK_TRIALS = 10, 18, 12


def trials(site: Site, pool: str, count: int, longest: float) -> str:
    chance = random.Random(f"{SEED} {pool}")
    told = [trial(site, pool, chance, longest) for _trial in range(count)]
    ends = Counter(line.rpartition(": ")[2] for line in told)
    return f"{count} trials, seed {SEED}, 0 to {longest:.0f} s apart: {dict(ends)}; one more run changes nothing each time"


def test_two_runs_on_bare_nodes(site: Site, figure: Callable[[str], None]) -> None:
    figure(f"5  two runs on bare nodes, {trials(site, 'box', BARE_TRIALS, 15)}")


@pytest.fixture
def spark_site(tmp_path: Path) -> Iterator[Site]:
    before = machine_state(ZONE)
    made = Site(tmp_path, ZONE, spark(ZONE, 1))
    yield made
    made.must("destroy", "-e", "sky_destroy_data=true")
    assert machine_state(ZONE) == before


def test_two_runs_on_a_spark_cluster(spark_site: Site, figure: Callable[[str], None]) -> None:
    figure(f"5  two runs on Spark, {trials(spark_site, 'worker', SPARK_TRIALS, 60)}")
