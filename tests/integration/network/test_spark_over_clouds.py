# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spark over isolated local clouds: master, a worker and two gateways on one, a worker without a public address on another; a third cloud later."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.bare import ids, nodes_folder
from ansible_collections.sky.clusters.tests.support.isolated_clouds import run
from ansible_collections.sky.clusters.tests.support.site import Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import SHUFFLE, UNPROVED, spark

pytestmark = [pytest.mark.real, pytest.mark.chained]

NEAR, FAR, THIRD = "tspa", "tspb", "tspc"
PACKAGES = ["wireguard-tools", "wireguard-go", "nftables"]
CUT, FAILOVER = 30, 4.0  # seconds
ROUNDS = """
import operator, time
from pyspark.sql import SparkSession
context = SparkSession.builder.getOrCreate().sparkContext
def slow(number):
    time.sleep(0.2)
    return number % 3, number
rounds, began = set(), time.monotonic()
while time.monotonic() - began < 20:
    rounds.add(tuple(sorted(context.parallelize(range(16), 8).map(slow).reduceByKey(operator.add, 2).collect())))
print("answers", rounds)
"""
# For 12 s: says each time at which the other side took a connection
REACHED = """
import socket, sys, time
end = time.monotonic() + 12
while time.monotonic() < end:
    try:
        socket.create_connection((sys.argv[1], 22), 0.3).close()
        print(time.monotonic(), flush=True)
    except OSError:
        pass
    time.sleep(0.1)
"""


def content() -> dict[str, Any]:
    file = spark(NEAR, 1, {"public_ip": True})
    here = file["clouds"]["here"]
    here["packages"] = [*here["packages"], *PACKAGES]
    file["clouds"]["there"] = here | {"zone": FAR}
    here["flavors"] = here["flavors"] | {"gate": {"cores": 1, "memory": 512}}
    file["pools"]["far"] = file["pools"]["worker"] | {"cloud": "there"}
    file["pools"]["gate"] = {"cloud": "here", "count": 2, "flavor": "gate", "roles": ["gateway"], "public_ip": True}
    return file | {"admin_cidrs": ["192.0.2.0/24"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    zones = (NEAR, FAR, THIRD)
    before = [machine_state(zone) for zone in zones]
    made = Site(tmp_path_factory.mktemp("spark"), NEAR, content())
    (made.folder / "shuffle.py").write_text(SHUFFLE, encoding="utf-8")
    (made.folder / "rounds.py").write_text(ROUNDS, encoding="utf-8")
    yield made
    made.must("destroy", *made.with_data)
    assert [machine_state(zone) for zone in zones] == before


def executors(said: str) -> list[str]:
    """The addresses of a job's driver and executors."""
    found = re.search(r"executors \[(.*)\]", said)
    assert found is not None
    return found[1].replace("'", "").split(", ")


def test_a_job_shuffles_between_the_clouds(site: Site, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    site.must("spark_cluster")
    built = time.monotonic() - began
    said = site.must("spark_submit", "-e", "sky_application=shuffle.py").output
    assert "keys 1000 rows 400000" in said
    assert executors(said) == ["10.99.0.1", "10.99.0.2", "10.99.1.1"]  # the first is the driver
    seconds = re.search(r"rows 400000 seconds ([0-9.]+)", said)
    figure(
        f"Spark over two local clouds: built and proved in {built:.0f} s, a shuffle of 400,000 rows {seconds[1] if seconds else '?'} s (wireguard-go)"
    )


def test_nothing_of_it_listens_outside_of_the_overlay(site: Site) -> None:
    for name, variables in site.inventory()["_meta"]["hostvars"].items():
        listening = site.ssh(name, "ss -Hlnt | awk '{print $4}'").split()
        java = [each for each in listening if each.rsplit(":", 1)[1] in ("7077", "7078", "8080", "8081", "18080")]
        assert java or variables["sky_pool"] == "gate", name
        assert {each.rsplit(":", 1)[0].strip("[]").removeprefix("::ffff:") for each in java} <= {variables["sky_address"]}, name


def inside(zone: str, name: str, *command: str) -> list[str]:
    """A command in a node, which needs no connection to it."""
    return ["lxc-attach", "-P", str(nodes_folder(zone)), "-n", name, "--clear-env", "--", *command]


@contextmanager
def a_job(site: Site) -> Iterator[subprocess.Popen[str]]:
    """A job that shuffles between the clouds again and again, from when the far node takes part; it has come to the right result after the block."""
    with site.start("spark_submit", "-e", "sky_application=rounds.py", output=subprocess.PIPE) as job:
        try:
            executor = inside(FAR, f"{NEAR}-far-0", "/usr/bin/pgrep", "-f", "CoarseGrainedExecutorBackend")
            end = time.monotonic() + 60
            while subprocess.run(executor, capture_output=True, check=False).returncode != 0:
                assert job.poll() is None, job.communicate()[0][-3000:]
                assert time.monotonic() < end, "the far node takes no part in the job"
                time.sleep(0.3)
            time.sleep(4)  # its first rounds
            yield job
            said, _unused = job.communicate(timeout=240)
        finally:
            job.kill()
    assert job.returncode == 0, said[-3000:]
    assert "answers {((0, 45), (1, 35), (2, 40))}" in said, said[-3000:]


def test_a_job_outlives_a_cut_of_half_a_minute(site: Site, figure: Callable[[str], None]) -> None:
    table = "add table inet sky_cut\nadd chain inet sky_cut f { type filter hook forward priority -10; }\n"
    rules = "".join(f'add rule inet sky_cut f iifname "sky-{one}" oifname "sky-{other}" drop\n' for one, other in ((NEAR, FAR), (FAR, NEAR)))
    with a_job(site) as job:
        run("nft", "-f", "-", stdin=table + rules)
        try:
            time.sleep(CUT)
            assert job.poll() is None  # it waits for what lies on the other side
        finally:
            run("nft", "delete", "table", "inet", "sky_cut")
        began = time.monotonic()
    figure(f"a job over two clouds, the link cut for {CUT} s: right, ended {time.monotonic() - began:.0f} s after the link was back")


def gateway_in_use() -> str:
    """The node that forwards what the far worker sends to the first cloud."""
    asked = inside(FAR, f"{NEAR}-far-0", "/bin/cat", "/run/sky-network/state.json")
    state = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    return str(state["ways"]["here"]).removeprefix("gateway ")


def test_a_job_outlives_its_gateway_and_the_other_one_is_in_use_at_once(site: Site, figure: Callable[[str], None]) -> None:
    """Nothing of the job runs on the gateways. The far worker reaches the near one through them; the master has a public address."""
    worker = site.inventory()["_meta"]["hostvars"][f"{NEAR}-worker-0"]["sky_address"]
    asked = inside(FAR, f"{NEAR}-far-0", "/usr/bin/python3", "-c", REACHED, worker)
    with a_job(site), subprocess.Popen(asked, text=True, stdout=subprocess.PIPE) as asking:
        time.sleep(2)
        gateway = gateway_in_use()
        assert gateway in (f"{NEAR}-gate-0", f"{NEAR}-gate-1")
        subprocess.run(["lxc-stop", "-P", str(nodes_folder(NEAR)), "-n", gateway, "-k"], check=True, timeout=30)
        said, _unused = asking.communicate(timeout=60)
    times = [float(line) for line in said.split()]
    gap = max(after - before for before, after in pairwise(times))
    assert 0.7 < gap <= FAILOVER, gap  # it was in use before
    figure(f"the gateway that a job's shuffle passes is killed: the other one is in use after {gap:.1f} s, and the job is right")


def test_a_worker_on_a_third_cloud_joins_the_standing_cluster(site: Site, figure: Callable[[str], None]) -> None:
    """It has no way from outside, as the second has none: both meet at a gateway of the first. The gateway that was killed is back, too."""
    before = ids(site)
    site.content["clouds"]["third"] = site.content["clouds"]["there"] | {"zone": THIRD}
    site.content["pools"]["later"] = site.content["pools"]["far"] | {"cloud": "third"}
    began = time.monotonic()
    site.must("spark_cluster", *UNPROVED)
    figure(f"a worker on a third cloud, and a gateway started again: {time.monotonic() - began:.0f} s")
    after = ids(site)
    assert before.items() < after.items()
    assert set(after) - set(before) == {f"{NEAR}-later-0"}
    said = site.must("spark_submit", "-e", "sky_application=shuffle.py").output
    assert "keys 1000 rows 400000" in said
    assert executors(said) == ["10.99.0.1", "10.99.0.2", "10.99.1.1", "10.99.2.1"]
