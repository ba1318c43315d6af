# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark cluster over two isolated local clouds: the master and a worker on one, a worker without a public address on the other."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.isolated_clouds import run
from ansible_collections.sky.clusters.tests.support.site import Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import SHUFFLE, spark

pytestmark = [pytest.mark.real, pytest.mark.chained]

NEAR, FAR = "tspa", "tspb"
PACKAGES = ["wireguard-tools", "wireguard-go", "nftables"]


def content() -> dict[str, Any]:
    file = spark(NEAR, 1, {"public_ip": True})
    here = file["clouds"]["here"]
    here["packages"] = [*here["packages"], *PACKAGES]
    file["clouds"]["there"] = here | {"zone": FAR}
    file["pools"]["far"] = file["pools"]["worker"] | {"cloud": "there"}
    return file | {"admin_cidrs": ["192.0.2.0/24"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    before = machine_state(NEAR), machine_state(FAR)
    made = Site(tmp_path_factory.mktemp("spark"), NEAR, content())
    (made.folder / "shuffle.py").write_text(SHUFFLE, encoding="utf-8")
    yield made
    made.must("destroy", *made.with_data)
    assert (machine_state(NEAR), machine_state(FAR)) == before


def test_a_job_shuffles_between_the_clouds(site: Site, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    site.must("spark_cluster")
    built = time.monotonic() - began
    said = site.must("spark_submit", "-e", "sky_application=shuffle.py").output
    assert "keys 1000 rows 400000" in said
    executors = re.search(r"executors \[(.*)\]", said)
    assert executors is not None
    assert executors[1].replace("'", "").split(", ") == ["10.99.0.1", "10.99.0.2", "10.99.1.1"]  # the first is the driver
    seconds = re.search(r"rows 400000 seconds ([0-9.]+)", said)
    figure(
        f"Spark over two local clouds: built and proved in {built:.0f} s, a shuffle of 400,000 rows {seconds[1] if seconds else '?'} s (wireguard-go)"
    )


def test_nothing_of_it_listens_outside_of_the_overlay(site: Site) -> None:
    for name, variables in site.inventory()["_meta"]["hostvars"].items():
        listening = site.ssh(name, "ss -Hlnt | awk '{print $4}'").split()
        java = [each for each in listening if each.rsplit(":", 1)[1] in ("7077", "7078", "8080", "8081", "18080")]
        assert java, name
        assert {each.rsplit(":", 1)[0].strip("[]").removeprefix("::ffff:") for each in java} == {variables["sky_address"]}, name


def test_a_job_outlives_a_cut_between_the_clouds(site: Site, figure: Callable[[str], None]) -> None:
    table = "add table inet sky_cut\nadd chain inet sky_cut f { type filter hook forward priority -10; }\n"
    rules = "".join(f'add rule inet sky_cut f iifname "sky-{one}" oifname "sky-{other}" drop\n' for one, other in ((NEAR, FAR), (FAR, NEAR)))
    with site.start("spark_submit", "-e", "sky_application=shuffle.py", output=subprocess.PIPE) as job:
        time.sleep(12)
        run("nft", "-f", "-", stdin=table + rules)
        time.sleep(10)
        run("nft", "delete", "table", "inet", "sky_cut")
        said, _unused = job.communicate(timeout=240)
    assert job.returncode == 0, said[-3000:]
    assert "keys 1000 rows 400000" in said
    seconds = re.search(r"rows 400000 seconds ([0-9.]+)", said)
    figure(f"the same job with the link between the clouds cut for 10 s: right, {seconds[1] if seconds else '?'} s")
