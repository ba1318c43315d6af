# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real YARN beside a real HDFS on local nodes: word counts, the ResourceManager and a NodeManager killed in a job, and a node that leaves."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.hdfs import address
from ansible_collections.sky.clusters.tests.support.site import Played, Site, lasting
from ansible_collections.sky.clusters.tests.support.spark_jobs import shell

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("built")]

ZONE = "tyarn"
HEAD, FIRST, SECOND, MORE = f"{ZONE}-head-0", f"{ZONE}-node-0", f"{ZONE}-node-1", f"{ZONE}-more-0"
FLAVORS = {"head": {"cores": 1, "memory": 2048}, "node": {"cores": 1, "memory": 2304}}
WORDS = 600  # of each kind in each file
FILES = 8  # more than there are containers at a time
UNPROVED = ("-e", '{"yarn_proof_nodes": []}')
LEFT = "ls -d /opt/yarn* /etc/yarn /usr/local/bin/yarn /var/lib/yarn /etc/systemd/system/yarn-* 2>/dev/null; pgrep -u yarn || true"
Figure = Callable[[str], None]


def yarn() -> dict[str, Any]:
    """A cluster file: all heads on one node, nodes that hold blocks and run containers, and one that only runs containers."""
    packages = ["openjdk-17-jre-headless"]
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": ZONE,
        "clouds": {"here": {"provider": "lxc", "zone": ZONE, "packages": packages, "flavors": FLAVORS, "flavor": "node"}},
        "pools": {
            "head": {"cloud": "here", "count": 1, "flavor": "head", "roles": ["hdfs_namenode", "yarn_resourcemanager"], "volumes": {"hdfs": 1}},
            "node": {"cloud": "here", "count": 2, "roles": ["hdfs_datanode", "yarn_nodemanager"], "volumes": {"hdfs": 1}},
            "more": {"cloud": "here", "count": 1, "roles": ["yarn_nodemanager"]},
        },
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with lasting(tmp_path_factory.mktemp("yarn"), ZONE, yarn()) as site:
        yield site


@pytest.fixture(scope="module")
def built(site: Site) -> Played:
    return site.must("cluster")


@pytest.fixture(scope="module")
def page(site: Site) -> str:
    """The ResourceManager's."""
    return f"http://{address(site, HEAD)}:8088/ws/v1/cluster"


@pytest.fixture(scope="module")
def root(site: Site) -> dict[str, str]:
    """Shells of nodes."""
    return {host: shell(site, host, "root") for host in (HEAD, FIRST, MORE)}


def said(shell: str, script: str) -> str:
    """What a script says on a node."""
    done = subprocess.run(f"{shell} bash -s", shell=True, input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (script, done.stdout, done.stderr)
    return done.stdout


def asked(page: str, path: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.addheaders = [("Accept", "application/json")]
    with opener.open(f"{page}/{path}", timeout=20) as answer:
        return dict(json.loads(answer.read()))


def counted(head: str, out: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)\t(\d+)$", said(head, f"runuser -u sky -- hdfs dfs -cat '{out}/part-*'"), re.MULTILINE))


def started(head: str, out: str, options: str = "") -> subprocess.Popen[str]:
    """A word count of some files, which lasts as long as its map tasks."""
    line = f"runuser -u sky -- yarn jar /opt/yarn/jars/hadoop-mapreduce-examples-*.jar wordcount {options} in {out}"
    return subprocess.Popen(f"{head} '{line}'", shell=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def running(page: str) -> None:
    """Until a container beside the job's master runs."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        apps = (asked(page, "apps?states=RUNNING").get("apps") or {}).get("app", [])
        if any(app["runningContainers"] > 1 for app in apps):
            return
        time.sleep(0.3)
    raise TimeoutError("no job runs")


WANTED = {word: str(FILES * WORDS) for word in ("one", "two", "three")}


def test_it_is_built_and_proved_by_a_word_count(built: Played) -> None:
    assert f"YARN is ready: 3 NodeManager(s), ResourceManager {HEAD}" in built.output
    found = re.search(r"proved by MapReduce: (\d+) words counted in (\d+) map tasks, ([0-9.]+) s", built.output)
    assert found is not None, built.output[-3000:]
    assert found[2] == "3"


def test_a_second_run_changes_nothing_and_status_shows_it(site: Site) -> None:
    assert set(site.must("cluster").changed.values()) == {0}
    path = site.folder / "status.json"
    site.must("status", "-e", f"sky_status_file={path}")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["ready"], found["reasons"]
    view = found["systems"]["yarn"]
    assert view["facts"]["NodeManagers running"] == 3
    assert {member["address"] for member in view["members"]} == {address(site, name) for name in (FIRST, SECOND, MORE)}


def test_a_job_survives_the_death_of_daemons(root: dict[str, str], page: str, figure: Figure) -> None:
    """Of the ResourceManager, and of a NodeManager, whose containers go on."""
    said(
        root[HEAD],
        f"for i in $(seq {FILES}); do yes one two three | head -n {WORDS} > /tmp/$i; done; chmod 644 /tmp/[0-9]; "
        "runuser -u sky -- hdfs dfs -mkdir -p in; runuser -u sky -- hdfs dfs -put -f /tmp/[0-9] in",
    )
    job = started(root[HEAD], "killed")
    running(page)
    said(root[HEAD], "systemctl kill --signal=KILL yarn-resourcemanager")
    said(root[FIRST], "systemctl kill --kill-whom=main --signal=KILL yarn-nodemanager")
    began = time.monotonic()
    told, _none = job.communicate(timeout=300)
    assert job.returncode == 0, told[-3000:]
    assert counted(root[HEAD], "killed") == WANTED
    figure(f"a word count ends {time.monotonic() - began:.0f} s after the ResourceManager and a NodeManager were killed in it")


@pytest.mark.parametrize("host", [HEAD, FIRST])
def test_units_are_hardened_and_serve_their_own_address_only(root: dict[str, str], host: str) -> None:
    """The shuffle, to which Hadoop gives no address, aside."""
    units = ("yarn-resourcemanager", "yarn-history") if host == HEAD else ("yarn-nodemanager",)
    for unit in units:
        exposure = re.search(r"exposure level for \S+: ([0-9.]+)", said(root[host], f"systemd-analyze security {unit}.service | tail -1"))
        assert exposure is not None
        assert float(exposure[1]) <= 2.5
        places = said(root[host], f"ss -Hltnp | grep pid=$(systemctl show -P MainPID {unit}), | awk '{{print $4}}'").split()
        served = {place.rpartition(":")[0] for place in places if not place.endswith(":13562")}
        own = said(root[host], "ip -4 -o address show scope global | awk '{print $4}' | cut -d/ -f1").split()
        assert served
        assert served <= {*own, *(f"[::ffff:{address}]" for address in own)}, served


def stopped(root: dict[str, str], more: str, out: str) -> subprocess.Popen[str]:
    """A word count of which a task on the node has stopped. MapReduce does not run it elsewhere meanwhile."""
    job = started(root[HEAD], out, "-Dmapreduce.map.speculative=false -Dmapreduce.reduce.speculative=false")
    said(more, "for i in $(seq 1200); do pkill -STOP -u yarn -f YarnChild && exit; sleep 0.1; done; exit 1")
    return job


def ended(job: subprocess.Popen[str], root: dict[str, str], out: str) -> None:
    """It has ended well."""
    told, _none = job.communicate(timeout=300)
    assert job.returncode == 0, told[-3000:]
    assert counted(root[HEAD], out) == WANTED


def test_a_pool_loses_the_role_under_a_job(site: Site, root: dict[str, str], figure: Figure) -> None:
    """One of its tasks, in the sandbox of the NodeManager, has stopped until the run has said that it waits for it."""
    more = root[MORE]
    site.content["pools"]["more"]["roles"] = []
    path, inventory = site.folder / "leaving.log", str(site.file)
    job = stopped(root, more, "left")
    confined = said(more, "grep -hE '^(CapEff|NoNewPrivs|Seccomp):' /proc/$(pgrep -u yarn -f YarnChild | tail -n 1)/status").split()
    with path.open("w", encoding="utf-8") as output:
        run = site.start("cluster", *UNPROVED, inventory=inventory, output=output)
        waits = re.compile(rf"{MORE}: draining, [12] containers? still runs?, at most \d+ s more")
        while run.poll() is None and not waits.search(path.read_text(encoding="utf-8")):
            time.sleep(0.5)
        began = time.monotonic()
        said(more, "pkill -CONT -u yarn -f YarnChild")
        assert run.wait(300) == 0, path.read_text(encoding="utf-8")[-3000:]
    ended(job, root, "left")
    shown = path.read_text(encoding="utf-8")
    assert waits.search(shown)
    assert re.search(rf"{MORE}: drained in \d+ s\n", shown)  # nothing was ended
    figure(f"a NodeManager was removed {time.monotonic() - began:.0f} s after its last task went on")
    assert confined == ["CapEff:", "0" * 16, "NoNewPrivs:", "1", "Seccomp:", "2"]
    assert not said(more, LEFT)


def test_the_cluster_loses_yarn_and_keeps_what_is_in_hdfs(site: Site, root: dict[str, str]) -> None:
    site.content["pools"]["more"]["count"] = 0
    site.content["pools"]["head"]["roles"].remove("yarn_resourcemanager")
    site.content["pools"]["node"]["roles"].remove("yarn_nodemanager")
    site.must("cluster")
    assert [said(root[host], LEFT) for host in (HEAD, FIRST)] == ["", ""]
    assert counted(root[HEAD], "left") == WANTED
    assert set(site.must("cluster").changed.values()) == {0}
