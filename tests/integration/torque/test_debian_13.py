# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch cluster of Debian 13 on this machine, while that of the other file works beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.sky.clusters.tests.support.batch import Cluster, batch
from ansible_collections.sky.clusters.tests.support.site import Site, machine_state

pytestmark = [pytest.mark.real, pytest.mark.chained]

ZONE = "tbatchd"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    before = machine_state(ZONE)
    made = Site(tmp_path_factory.mktemp("debian"), ZONE, batch(ZONE, 1, suite="trixie"))
    yield made
    made.must("destroy", "-e", "sky_destroy_data=true")
    assert machine_state(ZONE) == before


def test_it_is_built_and_proved(site: Site, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    built = site.must("torque_cluster")
    figure(f"a batch cluster of Debian 13, its image included: {time.monotonic() - began:.0f} s")
    assert "proved by a job: MPI on 1 node(s)" in built.output
    assert set(site.must("torque_cluster").changed.values()) == {0}


def test_it_knows_its_own_nodes_and_runs_its_own_jobs(site: Site) -> None:
    cluster = Cluster(site)
    assert cluster.at(cluster.server, "pbsnodes -l all").split()[0] == f"{ZONE}-node-0"
    job = cluster.qsub("hostname; sleep 1; exit 3", "-o", "there", "-j", "oe", "-l", "nodes=1:ppn=2,walltime=60")
    cluster.wait([job])
    assert cluster.output("there") == f"{ZONE}-node-0\n"
    assert "exit_status = 3" in cluster.at(cluster.server, f"qstat -f {job}")
