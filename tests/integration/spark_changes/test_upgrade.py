# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes under a running job: the collection, a setting, Spark's version, the master's process, the master itself. Its answer stays right."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._base._archives import default_folder
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcCloud, LxcOptions
from ansible_collections.sky.clusters.tests.support.bare import ids
from ansible_collections.sky.clusters.tests.support.site import BIN, Played, Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import spark
from ansible_collections.sky.clusters.tests.support.spark_jobs import ANSWER, eventually, fetched, job, page, shell, variables, working
from ansible_collections.sky.clusters.tests.support.tree import ROOT

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("taken_over")]

ZONE = CLUSTER = "tupg"
MASTER, WORKERS = "tupg-master-0", ["tupg-worker-0", "tupg-worker-1"]
BEFORE = ROOT / "tests/upgrade/sky-clusters-0.1.0.tar.gz"
NEXT = "4.3.1"  # as the present version is called when it is packed anew
CONTENT = spark(ZONE, 2, master={"volumes": {"spark": 1}}, flavor="large")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One cluster for the whole file, as the collection of the past built it."""
    before = machine_state(ZONE)
    folder = tmp_path_factory.mktemp("upgrade")
    alone = {"ANSIBLE_COLLECTIONS_PATH": str(folder / "past"), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}  # the present one is not seen
    command = [str(BIN / "ansible-galaxy"), "collection", "install", "--offline", "--collections-path", str(folder / "past"), str(BEFORE)]
    subprocess.run(command, env=os.environ | alone, check=True)
    past = Site(folder, CLUSTER, CONTENT, alone)
    made = Site(folder, CLUSTER, CONTENT)
    try:
        built = past.must("spark_cluster")
        assert "sky.clusters.spark_version" not in built.output
        yield made
    finally:
        made.must("destroy", *made.with_data)
    assert machine_state(ZONE) == before


@pytest.fixture(scope="module")
def taken_over(site: Site) -> tuple[dict[str, str], Played, str]:
    """The first run of the present collection, under a job: the nodes before, the run, the job's last words."""
    before = ids(site)
    with job(site, "upgraded") as held:
        played = site.must("spark_cluster")
        return before, played, held.end()


def test_the_present_collection_takes_the_cluster_over_and_the_job_goes_on(site: Site, taken_over: tuple[dict[str, str], Played, str]) -> None:
    before, _played, said = taken_over
    assert ids(site) == before
    assert ANSWER in said, said[-3000:]


def test_the_run_after_that_changes_nothing(site: Site) -> None:
    site.must("spark_cluster")  # the proof, which a running job may have put off
    assert set(site.must("spark_cluster").changed.values()) == {0}
    status = site.must("status").output
    assert "a run would: change nothing" in status
    assert "ready: yes" in status


def test_a_changed_setting_drains_the_workers_one_by_one_and_the_job_goes_on(site: Site, figure: Callable[[str], None]) -> None:
    with job(site, "setting", seconds=8) as held:  # two such a task: a drain that begins in the midst of one lasts for more than one slice
        begun = time.monotonic()
        (site.folder / "group_vars").mkdir()
        (site.folder / "group_vars/all.yml").write_text("spark_daemon_settings: {spark.worker.cleanup.interval: 900}\n")
        played = site.must("spark_cluster")
        figure(f"a changed setting on 2 workers under a job: {time.monotonic() - begun:.0f} s")
        assert {host for host, changed in played.changed.items() if changed >= 2} >= {MASTER, *WORKERS}, (
            "a setting was written and a daemon restarted"
        )
        # One drain may meet the end of a task and be over before its first line is due. Both cannot: the next tasks have just begun then.
        left = r"(?:1 executor still runs \(setting\)|the last executor has ended)"
        shown = re.findall(rf"(tupg-worker-\d): draining, {left}, at most \d+ s more; to cut it short: Ctrl-C", played.output)
        assert "draining, 1 executor still runs (setting)" in played.output, "the drains were silent"
        assert set(re.findall(r"(tupg-worker-\d): drained in \d+ s$", played.output, re.MULTILINE)) == set(shown)
        eventually("both workers are back", lambda: page(site)["aliveworkers"] == 2)
        assert ANSWER in (said := held.end()), said[-3000:]


def test_a_new_version_waits_for_the_job_and_is_told(site: Site, packed_anew: list[str]) -> None:
    with job(site, "versioned") as held:
        waits = f"Spark {NEXT} waits for versioned (app-"
        refused = site.play("spark_cluster", *packed_anew, "-e", "sky_disruption=refuse")
        assert refused.code != 0
        assert waits in refused.last(16), refused.last(30)  # the ssh configuration and the recap come after the reasons
        said = refused.output[refused.output.rindex("TASK [Report what was done]") :]
        assert said.count(waits) == 1, said  # once for the three nodes
        assert f"{MASTER}, {' and '.join(WORKERS)} failed at" in said, said
        played = site.must("spark_cluster", *packed_anew)
        assert waits in played.last(40), played.last(50)
        assert {site.ssh(host, "readlink /opt/spark").strip() for host in (MASTER, *WORKERS)} == {"/opt/spark-4.3.0"}
        again = site.must("spark_cluster", *packed_anew)
        assert set(again.changed) == {"localhost", MASTER, *WORKERS}, "it has to visit them until the version is there"
        assert set(again.changed.values()) == {0}
        assert ANSWER in (said := held.end()), said[-3000:]


def test_once_it_has_ended_the_version_is_switched_and_later_the_old_one_goes(
    site: Site, packed_anew: list[str], figure: Callable[[str], None]
) -> None:
    eventually("no job runs", lambda: not page(site)["activeapps"])
    begun = time.monotonic()
    played = site.must("spark_cluster", *packed_anew)
    figure(f"another version on 3 nodes: {time.monotonic() - begun:.0f} s")
    assert "waits for" not in played.output
    assert "tasks on 2 worker(s)" in played.output, "the new version was not proved"
    look = "readlink /opt/spark; echo /opt/spark-* /var/cache/sky-spark-*"
    assert f"/opt/spark-{NEXT}\n/opt/spark-4.3.0 /opt/spark-{NEXT} " in site.ssh(WORKERS[0], look)
    site.must("spark_cluster", *packed_anew, "-e", "sky_full=true")
    for host in (MASTER, *WORKERS):
        assert "4.3.0" not in site.ssh(host, look)
    assert set(site.must("spark_cluster", *packed_anew).changed.values()) == {0}


def test_a_master_whose_process_is_killed_comes_back_to_its_job(site: Site, figure: Callable[[str], None]) -> None:
    with job(site, "killed") as held:
        workers = {worker["id"] for worker in page(site)["workers"] if worker["state"] == "ALIVE"}
        site.ssh(MASTER, "systemctl kill --signal=KILL spark-master")
        begun = time.monotonic()
        eventually("the master has both workers and the job again", lambda: working(site, "killed") and page(site)["aliveworkers"] == 2)
        figure(f"from kill -9 of the master until it has its workers and its job again: {time.monotonic() - begun:.0f} s")
        assert {worker["id"] for worker in page(site)["workers"] if worker["state"] == "ALIVE"} == workers
        assert ANSWER in (said := held.end()), said[-3000:]


def test_a_master_that_is_lost_is_made_again_around_its_volume(site: Site, packed_anew: list[str], figure: Callable[[str], None]) -> None:
    """A job whose driver lives elsewhere goes on; history and secret are those from before."""
    settings = f"{shell(site, MASTER, 'root')} cat /etc/spark/spark-defaults.conf"  # they hold the secret, which nothing here shows
    subprocess.run(f"{settings} | {shell(site, WORKERS[1], 'root')} 'umask 077; cat > elsewhere.conf'", shell=True, check=True)
    secret = site.ssh(MASTER, "sha256sum /data/spark/.sky/spark")
    history = set(site.ssh(MASTER, "ls /data/spark/events").split())
    options = "--properties-file elsewhere.conf --conf spark.eventLog.enabled=false --driver-memory 512m --executor-memory 512m"
    with job(site, "elsewhere", host=WORKERS[1], login="root", options=options) as held:
        executors = {app["id"]: app["cores"] for app in page(site)["activeapps"]}
        cloud = LxcCloud("here", LxcOptions(zone=ZONE), Scope(CLUSTER))
        before = ids(site)
        list(cloud.delete([node for node in cloud.listing().nodes if node.name == MASTER]))
        begun = time.monotonic()
        site.must("spark_cluster", *packed_anew)
        eventually("the workers and the job have come back", lambda: working(site, "elsewhere") and page(site)["aliveworkers"] == 2)
        figure(f"a lost master, until a new one has its volume, its workers and the running job: {time.monotonic() - begun:.0f} s")
        after = ids(site)
        assert (after.pop(MASTER) == before.pop(MASTER), after) == (False, before)
        assert {app["id"]: app["cores"] for app in page(site)["activeapps"]} == executors
        assert site.ssh(MASTER, "sha256sum /data/spark/.sky/spark") == secret
        assert history <= set(site.ssh(MASTER, "ls /data/spark/events").split())
        history_url = f"http://{variables(site, MASTER)['sky_address']}:18080/api/v1/applications"
        eventually("the history server shows earlier jobs", lambda: "upgraded" in shown(history_url))
        assert ANSWER in (said := held.end()), said[-3000:]


def shown(url: str) -> str:
    try:
        return fetched(url)
    except OSError:
        return ""


@pytest.fixture(scope="module")
def packed_anew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The archive of the present version in another packing, under another name: the variables that ask for it."""
    path = tmp_path_factory.mktemp("archive") / "spark.tgz"
    shutil.copyfile(default_folder() / "pyspark-4.3.0.tar.gz", path)
    with path.open("ab") as file:
        file.write(gzip.compress(b""))  # nothing more is in it, and its checksum is its own
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    yield ["-e", f"spark_version={NEXT}", "-e", f"spark_archive={path}", "-e", f"spark_sha256={sha256}"]
    path.unlink()
