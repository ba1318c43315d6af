# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch cluster over two isolated local clouds: the server and a node on one, a node without a public address on the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.batch import Cluster, batch
from ansible_collections.sky.clusters.tests.support.isolated_clouds import run
from ansible_collections.sky.clusters.tests.support.site import Site, machine_state

pytestmark = [pytest.mark.real, pytest.mark.chained]

NEAR, FAR = "tbata", "tbatb"


def content() -> dict[str, Any]:
    file = batch(NEAR, 1, public_ip=True)
    here = file["clouds"]["here"]
    file["clouds"]["there"] = here | {"zone": FAR}
    file["pools"]["far"] = file["pools"]["node"] | {"cloud": "there"}
    return file | {"admin_cidrs": ["192.0.2.0/24"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    before = machine_state(NEAR), machine_state(FAR)
    made = Site(tmp_path_factory.mktemp("two"), NEAR, content())
    yield made
    made.must("destroy", *made.with_data)
    assert (machine_state(NEAR), machine_state(FAR)) == before


def test_an_mpi_job_proves_it(site: Site, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    built = site.must("torque_cluster")
    figure(f"a batch cluster over two local clouds, its image included: {time.monotonic() - began:.0f} s")
    assert "proved by a job: MPI on 2 node(s)" in built.output
    assert set(site.must("torque_cluster").changed.values()) == {0}


def test_users_choose_a_cloud_by_its_name_and_find_their_home_there(site: Site) -> None:
    cluster = Cluster(site)
    job = cluster.qsub("hostname; cat note", "-l", "nodes=1:there", "-j", "oe", "-o", "far.out")
    cluster.at(cluster.server, "echo from the other cloud > note")
    cluster.wait([job])
    assert cluster.output("far.out") == f"{NEAR}-far-0\nfrom the other cloud\n"


def test_a_job_outlives_a_cut_between_the_clouds(site: Site) -> None:
    cluster = Cluster(site)
    job = cluster.qsub("for i in 1 2 3 4 5 6; do sleep 4; echo $i; done", "-l", "nodes=1:there", "-j", "oe", "-o", "cut.out")
    cluster.wait([job], "R")
    table = "add table inet sky_cut\nadd chain inet sky_cut f { type filter hook forward priority -10; }\n"
    rules = "".join(f'add rule inet sky_cut f iifname "sky-{one}" oifname "sky-{other}" drop\n' for one, other in ((NEAR, FAR), (FAR, NEAR)))
    run("nft", "-f", "-", stdin=table + rules)
    time.sleep(20)  # more than a connection may be silent that is not kept
    run("nft", "delete", "table", "inet", "sky_cut")
    cluster.wait([job])
    assert cluster.output("cut.out") == "1\n2\n3\n4\n5\n6\n"


def test_a_node_whose_pool_has_lost_the_role_keeps_no_key_and_no_trust(site: Site) -> None:
    cluster = Cluster(site)
    key, trust, command = "sha256sum < /etc/munge/munge.key", "cat /etc/ssh/shosts.equiv /etc/ssh/sshd_config.d/20-sky-torque.conf", "command -v qsub"
    node = f"{NEAR}-node-0"
    assert cluster.at(node, key, user="root") == cluster.at(cluster.server, key, user="root")
    assert "HostbasedAuthentication yes" in cluster.at(node, f"{trust}; {command}")
    site.content["pools"]["node"]["roles"] = ["nfs_client"]
    site.must("torque_cluster")
    assert cluster.at(node, key, user="root") != cluster.at(cluster.server, key, user="root")
    assert cluster.at(node, f"{trust}; {command}", check=False) == ""
    assert cluster.at(cluster.server, "pbsnodes -l all").split()[0] == f"{NEAR}-far-0"
    assert set(site.must("torque_cluster").changed.values()) == {0}
