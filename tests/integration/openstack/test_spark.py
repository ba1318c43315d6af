# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark cluster on real hosts of an OpenStack: built, run again, grown, shrunk, taken away and built anew on its volume."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.logins import Logins
from ansible_collections.sky.clusters.tests.support.openstack_site import HERE, OpenStackSite, cloud_entry, nothing
from ansible_collections.sky.clusters.tests.support.site import Site

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.openstack, pytest.mark.xdist_group("physics")]

MASTER, WORKERS = "oss-master-0", ["oss-worker-0", "oss-worker-1"]
VOLUME = f"{MASTER}-spark"


def content(workers: int) -> dict[str, Any]:
    """Nodes in a network of the cluster's own; the workers are reached through the master."""
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": "oss",
        "admin_cidrs": [HERE],
        "clouds": {"campus": cloud_entry(flavor="node.1c2g")},
        "pools": {
            "master": {"cloud": "campus", "count": 1, "roles": ["spark_master"], "public_ip": True, "volumes": {"spark": 1}},
            "worker": {"cloud": "campus", "count": workers, "roles": ["spark_worker"]},
        },
    }


@pytest.fixture(scope="module")
def site(campus: OpenStackSite, clean: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:  # noqa: ARG001
    """One cluster for the whole file: each test takes it as the one before left it."""
    made = Site(tmp_path_factory.mktemp("spark"), "oss", content(1), campus.environment("alice"))
    yield made
    made.must("destroy", *made.with_data)


def variables(site: Site) -> dict[str, dict[str, Any]]:
    return dict(site.inventory()["_meta"]["hostvars"])


def test_a_cluster_is_built_and_proved(site: Site, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    said = site.must("spark_cluster", seconds=900).output
    figure(f"a Spark cluster of 2 real hosts, from nothing to its job's result: {time.monotonic() - began:.0f} s")
    assert "spark-submit" in said
    hosts = variables(site)
    assert sorted(hosts) == [MASTER, WORKERS[0]]
    # the master is reached from outside, the worker through it; both with the host key that their console showed
    assert hosts[MASTER]["ansible_host"] != hosts[MASTER]["sky_address"]
    assert "ProxyCommand" not in hosts[MASTER]["ansible_ssh_common_args"]
    assert f"@{hosts[MASTER]['ansible_host']}" in hosts[WORKERS[0]]["ansible_ssh_common_args"]
    assert all("StrictHostKeyChecking=yes" in each["ansible_ssh_common_args"] for each in hosts.values())


def test_a_second_run_changes_nothing(site: Site, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    again = site.must("spark_cluster")
    figure(f"a second run on it: {time.monotonic() - began:.0f} s")
    assert set(again.changed.values()) == {0}, again.output


def test_its_ssh_configuration_leads_through_the_gateway(site: Site, figure: Callable[[str], None]) -> None:
    """To a worker without a public address, with ssh, scp, rsync, a tunnel and a SOCKS proxy, as editors use them."""
    site.must("status", "-e", "sky_ssh_config=oss.ssh")
    worker = WORKERS[0]
    logins = Logins(site.folder / "oss.ssh", site.folder)
    began = time.monotonic()
    assert logins.ssh(worker, "whoami; hostname; echo $SSH_CONNECTION | cut -d' ' -f1").split() == [
        "sky", worker, variables(site)[MASTER]["sky_cloud_address"]
    ]  # fmt: skip
    (site.folder / "sent").mkdir()
    (site.folder / "sent/one").write_text("through the gateway\n", encoding="utf-8")
    logins.rsync("sent", f"{worker}:")
    logins.scp(f"{worker}:sent/one", "back")
    assert (site.folder / "back").read_text(encoding="utf-8") == "through the gateway\n"
    address = variables(site)[worker]["sky_address"]
    with logins.held(worker, "-L", f":{address}:8081") as port:
        assert "Spark Worker at" in logins.page(f"http://localhost:{port}/")
    with logins.held(worker, "-D", "") as port:
        assert "Spark Worker at" in logins.page(f"http://{address}:8081/", "--socks5-hostname", f"localhost:{port}")
    figure(f"ssh, scp, rsync, a tunnel and a SOCKS proxy through a gateway take {time.monotonic() - began:.0f} s")


def test_it_grows_and_shrinks(site: Site, figure: Callable[[str], None]) -> None:
    ids = {name: each["sky_id"] for name, each in variables(site).items()}
    began = time.monotonic()
    site.must("spark_cluster", "-e", json.dumps({"sky_counts": {"worker": 2}}), seconds=900)
    figure(f"one worker more: {time.monotonic() - began:.0f} s")
    assert sorted(variables(site)) == [MASTER, *WORKERS]
    began = time.monotonic()
    site.must("spark_cluster", seconds=900)
    figure(f"one worker less: {time.monotonic() - began:.0f} s")
    assert {name: each["sky_id"] for name, each in variables(site).items()} == ids


def test_data_outlive_the_cluster(site: Site, campus: OpenStackSite, figure: Callable[[str], None]) -> None:
    site.ssh(MASTER, "head -c 20000000 /dev/urandom >/data/spark/kept && sync")
    before = site.ssh(MASTER, "sha256sum /data/spark/kept")
    began = time.monotonic()
    site.must("destroy")
    figure(f"destroyed, its volume kept: {time.monotonic() - began:.0f} s")
    left = campus.objects("physics")
    assert [*left.pop("volume").values()] == [VOLUME]
    assert left == {kind: found for kind, found in nothing().items() if kind != "volume"}
    site.must("spark_cluster", seconds=900)
    assert site.ssh(MASTER, "sha256sum /data/spark/kept") == before
