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
from ansible_collections.sky.clusters.tests.clouds.stratuslab.gateway import RESERVED
from ansible_collections.sky.clusters.tests.support.scan import scan
from ansible_collections.sky.clusters.tests.support.site import Site
from ansible_collections.sky.clusters.tests.support.spark import UNPROVED
from ansible_collections.sky.clusters.tests.support.spark_jobs import ANSWER, job, page_from_inside
from ansible_collections.sky.clusters.tests.support.stratuslab_race import Hold, doubles, race, summary
from ansible_collections.sky.clusters.tests.support.stratuslab_site import entry
from ansible_collections.sky.clusters.tests.support.tree import ROOT

pytestmark = [pytest.mark.real, pytest.mark.chained]

MASTER, WORKERS, THIRD = "tslab-master-0", ["tslab-worker-0", "tslab-worker-1"], "tslab-worker-2"
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
            "worker": {"cloud": "lal", "count": 2, "roles": ["spark_worker"]},
        },
    }
    made = Site(tmp_path_factory.mktemp("stratuslab"), "tslab", content)
    yield made
    made.must("destroy", *made.with_data)


def cloud(lal: dict[str, Any]) -> StratusLabCloud:
    options = StratusLabOptions(image=lal["images"]["stratus-12"], user_file=str(USER_FILE), ca_file=lal["ca_file"])
    return StratusLabCloud("lal", options, Scope("tslab"))


def workers(count: int) -> tuple[str, str]:
    return "-e", json.dumps({"sky_counts": {"worker": count}})


def variables(site: Site) -> dict[str, dict[str, Any]]:
    return dict(site.inventory()["_meta"]["hostvars"])


def test_a_cluster_is_built_and_proved(site: Site, figure: Figure) -> None:
    began = time.monotonic()
    played = site.must("spark_cluster", seconds=400)
    figure(f"a Spark cluster of 3 machines on a StratusLab site, from nothing to its job's result: {time.monotonic() - began:.0f} s")
    assert "tasks on 2 worker(s)" in played.output
    hosts = variables(site)
    assert sorted(hosts) == [MASTER, *WORKERS]
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


def test_it_grows_gets_a_volume_starts_what_was_halted_and_replaces_what_was_lost(site: Site, lal: dict[str, Any], figure: Figure) -> None:
    """In one run: a new worker, a volume for one that runs, a machine that was switched off from inside, and one that its owner killed."""
    ids = {name: each["sky_id"] for name, each in variables(site).items()}
    cloud(lal).one.act("finalize", int(ids[WORKERS[1]]))  # as by stratus-kill-instance
    subprocess.run(["lxc-stop", "-P", str(site_of.ZONE.nodes), "-n", f"one-{ids[WORKERS[0]]}", "-k"], check=True, timeout=60)
    _until(lambda: {each.name: each.state.value for each in cloud(lal).listing().nodes} == {MASTER: "running", WORKERS[0]: "stopped"})
    site.content["pools"]["master"]["volumes"]["more"] = 1
    began = time.monotonic()
    site.must("spark_cluster", *workers(3), *UNPROVED, seconds=300)
    figure(f"a halted machine started, a lost one replaced, one made, and a disk attached to one that runs: {time.monotonic() - began:.0f} s")
    after = {name: each["sky_id"] for name, each in variables(site).items()}
    assert sorted(after) == [MASTER, *WORKERS, THIRD]
    assert {name for name in ids if after[name] != ids[name]} == {WORKERS[1]}
    assert "/data/more" in site.ssh(MASTER, "findmnt -n -o TARGET /data/more")


def test_it_shrinks_under_a_job_that_goes_on(site: Site, figure: Figure) -> None:
    before = {name: each["sky_id"] for name, each in variables(site).items()}
    with job(site, "shrunk", shown=page_from_inside) as started:
        began = time.monotonic()
        site.must("spark_cluster", *workers(2), *UNPROVED, seconds=200)
        figure(f"a worker leaves under a job: {time.monotonic() - began:.0f} s")
        assert {name: each["sky_id"] for name, each in variables(site).items()} == {name: before[name] for name in (MASTER, *WORKERS)}
        assert ANSWER in started.end()


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
    as_root = "ssh -o BatchMode=yes worker-1 'id -un; hostname'"
    assert site.ssh(MASTER, as_root).split() == ["root", WORKERS[1]]
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
    """By StratusLab's own method, for a user other than root, in the local network: with a public address, and at a port of the site's gateway.

    The host keys of both are proved.
    """
    known = subprocess.run(["ssh-add", "-L"], capture_output=True, text=True, check=True).stdout.splitlines()
    options = StratusLabOptions(
        image=lal["images"]["stratus-12"], user_file=str(USER_FILE), ca_file=lal["ca_file"], context_method="one", network="local", ssh_user="sky",
        port_translation=True,
    )  # fmt: skip
    opened = StratusLabCloud("lal", options, Scope("tsone"))
    specs = [
        NodeSpec(Mark(opened.owner, "tsone", "p", index), options.image, "t1.micro", public_ip=not index, ssh_keys=tuple(known), ssh_user="sky")
        for index in range(2)
    ]
    began = time.monotonic()
    try:
        assert [event.stage for event in opened.create(specs)] == [Stage.MADE] * 2
        _until(lambda: _have_keys(opened), 60)
        figure(f"two machines configured by StratusLab's own method, until their host keys are proved: {time.monotonic() - began:.0f} s")
        first, second = sorted(opened.listing().nodes, key=lambda node: node.name)
        assert [address.network for address in first.addresses] == ["local", "public"]
        assert ([address.network for address in second.addresses], second.port in RESERVED) == (["local", "local"], True)
        for node in (first, second):
            (key,) = node.host_keys
            proved = f"KnownHostsCommand=/bin/echo %H {key}"
            options_of_ssh = ["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", proved, "-p", str(node.port or 22)]
            command = ["ssh", *options_of_ssh, f"sky@{node.address(public=True)}", "sudo -n hostname"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert done.stdout.strip() == node.name, done.stderr
    finally:
        list(opened.delete(opened.listing().nodes))
        _until(lambda: not opened.listing().nodes)
        opened.dismantle()
    assert opened.leftovers() == []


def _have_keys(opened: StratusLabCloud) -> bool:
    """Whether both nodes run and have proved their host keys, which are then stored with them."""
    nodes = [node for node in opened.listing().nodes if node.state is State.RUNNING]
    learned = opened.learn_host_keys(nodes)
    return len(nodes) == 2 and all(learned.get(node.name) for node in nodes)


def test_processes_that_race_for_two_minutes_never_hold_the_lock_twice(racing: Future[list[Hold]], figure: Figure) -> None:
    holds = racing.result()
    figure(f"8 processes race for a lock for 120 s: {summary(holds)}")
    assert doubles(holds) == []
    assert {"released", "crashed", "overslept"} <= {hold.how for hold in holds}
