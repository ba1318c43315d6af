# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark cluster on a StratusLab site, from nothing to nothing left, with a volume that outlives it; and the race for a lock."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Mark, NodeSpec, Scope, Stage, State
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, StratusLabOptions
from ansible_collections.sky.clusters.tests.clouds.stratuslab import main as site_of
from ansible_collections.sky.clusters.tests.support.scan import scan
from ansible_collections.sky.clusters.tests.support.site import Site
from ansible_collections.sky.clusters.tests.support.spark import UNPROVED
from ansible_collections.sky.clusters.tests.support.stratuslab_race import Hold, doubles, race, summary
from ansible_collections.sky.clusters.tests.support.tree import ROOT

from .conftest import entry

pytestmark = [pytest.mark.real, pytest.mark.chained]

MASTER, WORKERS = "tslab-master-0", ["tslab-worker-0", "tslab-worker-1"]
USER_FILE = site_of.STATE / "alice.cfg"
Figure = Callable[[str], None]


@pytest.fixture(scope="module")
def racing(lal: dict[str, Any]) -> Iterator[Future[list[Hold]]]:
    """Eight processes that race for a lock for two minutes, while the first tests run."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(race, str(USER_FILE), lal["ca_file"], 120.0)


@pytest.fixture(scope="module")
def site(lal: dict[str, Any], racing: Future[list[Hold]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One cluster for the whole file."""
    assert racing  # begun before the first run
    content = {
        "plugin": "sky.clusters.clouds",
        "cluster": "tslab",
        "admin_cidrs": ["10.73.0.0/22"],
        "clouds": {"lal": entry(lal, "alice", policy={"allow_endorsers": [lal["email"]]})},
        "pools": {
            "master": {"cloud": "lal", "count": 1, "roles": ["spark_master"], "public_ip": True, "volumes": {"spark": 1}},
            "worker": {"cloud": "lal", "count": 1, "roles": ["spark_worker"]},
        },
    }
    made = Site(tmp_path_factory.mktemp("stratuslab"), "tslab", content)
    yield made
    made.must("destroy", *made.with_data)


def cloud(lal: dict[str, Any]) -> StratusLabCloud:
    options = StratusLabOptions(image=lal["images"]["stratus-12"], user_file=str(USER_FILE), ca_file=lal["ca_file"])
    return StratusLabCloud("lal", options, Scope("tslab"))


def variables(site: Site) -> dict[str, dict[str, Any]]:
    return dict(site.inventory()["_meta"]["hostvars"])


def test_a_cluster_is_built_and_proved(site: Site, figure: Figure) -> None:
    began = time.monotonic()
    played = site.must("spark_cluster", seconds=400)
    figure(f"a Spark cluster of 2 machines on a StratusLab site, from nothing to its job's result: {time.monotonic() - began:.0f} s")
    assert "tasks on 1 worker(s)" in played.output
    hosts = variables(site)
    assert sorted(hosts) == [MASTER, WORKERS[0]]
    # the keys that the nodes proved, and no others
    assert all("StrictHostKeyChecking=yes" in each["ansible_ssh_common_args"] for each in hosts.values())
    # the site lets everything in, and the file says nothing of a firewall: the nodes themselves let in ssh and nothing else
    addresses = [each["ansible_host"] for each in hosts.values()]
    assert scan(addresses) == {address: [22] for address in addresses}


def test_a_second_run_changes_nothing(site: Site, figure: Figure) -> None:
    began = time.monotonic()
    again = site.must("spark_cluster")
    figure(f"a second run: {time.monotonic() - began:.0f} s")
    assert set(again.changed.values()) == {0}, again.output


def test_it_grows_gets_a_volume_and_starts_what_was_halted(site: Site, lal: dict[str, Any], figure: Figure) -> None:
    """In one run: a new worker, a volume for one that runs, and a machine that was switched off from inside."""
    ids = {name: each["sky_id"] for name, each in variables(site).items()}
    subprocess.run(["lxc-stop", "-P", str(site_of.ZONE.nodes), "-n", f"one-{ids[WORKERS[0]]}", "-k"], check=True, timeout=60)
    _until(lambda: {each.name: each.state.value for each in cloud(lal).listing().nodes}[WORKERS[0]] == "stopped")
    site.content["pools"]["master"]["volumes"]["more"] = 1
    began = time.monotonic()
    site.must("spark_cluster", "-e", json.dumps({"sky_counts": {"worker": 2}}), *UNPROVED, seconds=200)
    figure(f"a halted machine started, one made, and a disk attached to one that runs: {time.monotonic() - began:.0f} s")
    after = {name: each["sky_id"] for name, each in variables(site).items()}
    assert sorted(after) == [MASTER, *WORKERS]
    assert ids.items() <= after.items()
    assert "/data/more" in site.ssh(MASTER, "findmnt -n -o TARGET /data/more")


def test_nodes_get_all_that_stratus_run_cluster_gave_them(site: Site) -> None:
    ids = site.folder / "ids"
    given = {"user": "jane", "packages": ["netbase"], "ssh_hostbased": True, "ids_file": str(ids)}
    site.ssh(MASTER, "printf '#!/bin/sh\\necho started >>/root/services\\n' >/etc/rc.cluster-services && chmod +x /etc/rc.cluster-services")
    for changed in (True, False):
        command = site.command(
            "ansible-playbook", "-i", str(site.file), str(ROOT / "inventories/stratuslab/run_cluster.yml"), "-e", json.dumps(given)
        )
        done = subprocess.run(command, cwd=site.folder, env=os.environ | site.variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert ("changed=0" in done.stdout) is not changed
    hosts = variables(site)
    addresses = [hosts[name]["sky_address"] for name in WORKERS]
    files = "/tmp/machinefile /tmp/cluster_nodelist /etc/profile.d/stratuslab_cluster.sh /root/services"
    there = "runuser -u jane -- ssh -o BatchMode=yes {} 'id -un; hostname'".format
    said = site.ssh(MASTER, f"cat {files}; {there('worker-1')}").split("\n")
    assert said[:4] == [*(f"{address} slots=1" for address in addresses), *addresses]
    settings = {"NC": 0, "CMASTER": hosts[MASTER]["sky_address"], "CSIZE": 2, "CMAX_CORES": 2}
    assert said[4:11] == [*(f"export STRATUSLAB_{key}={value}" for key, value in settings.items()), "started", "jane", WORKERS[1]]
    said = site.ssh(WORKERS[0], f"grep NC= /etc/profile.d/stratuslab_cluster.sh; {there('master')}; {there(addresses[1])}").split("\n")
    assert said[:5] == ["export STRATUSLAB_NC=1", "jane", MASTER, "jane", WORKERS[1]]
    assert ids.read_text().split() == [hosts[name]["sky_id"] for name in (MASTER, *WORKERS)]


def test_data_outlive_the_cluster(site: Site, lal: dict[str, Any], figure: Figure) -> None:
    site.ssh(MASTER, "for name in spark more; do head -c 20000000 /dev/urandom >/data/$name/kept; done; sync")
    before = site.ssh(MASTER, "sha256sum /data/*/kept")
    assert "kept" in site.must("destroy").output
    assert [part for part in sorted(cloud(lal).leftovers()) if not part.startswith("template")] == [f"volume {MASTER}-more", f"volume {MASTER}-spark"]
    began = time.monotonic()
    site.must("spark_cluster", *UNPROVED)
    figure(f"destroyed, and built again on its volume: {time.monotonic() - began:.0f} s")
    assert site.ssh(MASTER, "sha256sum /data/*/kept") == before


def test_nothing_is_left(site: Site, lal: dict[str, Any]) -> None:
    assert "nothing of it is left" in site.must("destroy", *site.with_data).output
    opened = cloud(lal)
    assert opened.leftovers() == []
    assert [name for each in opened.one.documents() if not (name := each.findtext("NAME", "")).startswith("skylock.race.")] == []
    assert opened.pdisk.disks() == []


def _until(reached: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_an_image_without_cloud_init_is_configured_too(lal: dict[str, Any], figure: Figure) -> None:
    """By StratusLab's own method, for a user other than root, in the local network and with a public address; its host key is proved."""
    known = subprocess.run(["ssh-add", "-L"], capture_output=True, text=True, check=True).stdout.splitlines()
    options = StratusLabOptions(
        image=lal["images"]["stratus-12"], user_file=str(USER_FILE), ca_file=lal["ca_file"], context_method="one", network="local", ssh_user="sky",
    )  # fmt: skip
    opened = StratusLabCloud("lal", options, Scope("tsone"))
    spec = NodeSpec(Mark(opened.owner, "tsone", "p", 0), options.image, "t1.micro", public_ip=True, ssh_keys=tuple(known), ssh_user="sky")
    began = time.monotonic()
    try:
        assert [event.stage for event in opened.create([spec])] == [Stage.MADE]
        _until(lambda: bool(_key_of(opened)))
        figure(f"a machine configured by StratusLab's own method, until its host key is proved: {time.monotonic() - began:.0f} s")
        (node,) = opened.listing().nodes
        assert [address.network for address in node.addresses] == ["local", "public"]
        (key,) = node.host_keys
        options_of_ssh = ["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", f"KnownHostsCommand=/bin/echo %H {key}"]
        done = subprocess.run(
            ["ssh", *options_of_ssh, f"sky@{node.address(public=True)}", "sudo -n hostname"], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stdout.strip() == "tsone-p-0", done.stderr
    finally:
        list(opened.delete(opened.listing().nodes))
        _until(lambda: not opened.listing().nodes)
        opened.dismantle()
    assert opened.leftovers() == []


def _key_of(opened: StratusLabCloud) -> str:
    """The host key of the only node, once it has proved it."""
    nodes = [node for node in opened.listing().nodes if node.state is State.RUNNING]
    return "".join(opened.learn_host_keys(nodes).get("tsone-p-0", ())) if nodes else ""


def test_processes_that_race_for_two_minutes_never_hold_the_lock_twice(racing: Future[list[Hold]], figure: Figure) -> None:
    holds = racing.result()
    figure(f"8 processes race for a lock for 120 s: {summary(holds)}")
    assert doubles(holds) == []
    assert {"released", "crashed", "overslept"} <= {hold.how for hold in holds}
