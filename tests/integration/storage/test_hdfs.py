# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real HDFS on local nodes with kept volumes: work, faults, all nodes lost, and the volume of another cluster.

Checks 25, 26, 28 and 30 of docs/reliability.md for HDFS.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._hdfs_pages import RemoteError
from ansible_collections.sky.clusters.tests.support.bare import nodes_folder
from ansible_collections.sky.clusters.tests.support.hdfs import (
    address,
    eventually,
    files,
    hdfs,
    head,
    healthy,
    in_service,
    page,
    put,
    speeds,
    writing,
)
from ansible_collections.sky.clusters.tests.support.site import STATE, Played, Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import UNPROVED, spark

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("built")]

ZONE, OTHER = "tstore", "tcompute"  # OTHER is another cluster of the zone
COPIES = 2
CONTENT = {f"/user/sky/{name}": os.urandom(mib << 20) for name, mib in (("small", 1), ("large", 150))}  # the second has more than one block
# Twice on HDFS, of which the first round warms up, and once on a volume of the worker's node
WORDS = """
import time
from operator import add
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
for _ in range(2):
    began = time.monotonic()
    lines = spark.sparkContext.textFile("hdfs:///user/sky/words.txt", 4)
    counted = lines.flatMap(str.split).map(lambda word: (word, 1)).reduceByKey(add)
    spark.createDataFrame(counted, ["word", "n"]).write.mode("overwrite").parquet("hdfs:///user/sky/counted")
    total = spark.read.parquet("hdfs:///user/sky/counted").groupBy().sum("n").collect()[0][0]
    print("answer", total, round(time.monotonic() - began, 1))
def copied(_):
    lines = open("/data/sets/words.txt").read().splitlines()
    with open("/data/sets/copied.txt", "w") as file:
        file.write("\\n".join(lines))
    return len(lines)
print("lines", spark.sparkContext.parallelize([0], 1).map(copied).sum())
"""
COUNT = """
from pyspark.sql import SparkSession
lines = SparkSession.builder.getOrCreate().read.text("hdfs:///user/sky/words.txt")
lines.write.mode("overwrite").parquet("hdfs:///user/sky/afar")
print("lines", lines.count())
"""
WORKER, WRITER, DATANODE = "tstore-worker-0", "tstore-data-0", "tstore-data-1"
BLOCKS = "/data/hdfs/data/current"
VERSION = f"{BLOCKS}/VERSION"
SPEED = 256  # MiB
TEXT = Path("/usr/share/common-licenses/GPL-3")

Figure = Callable[[str], None]


def size(data: int) -> tuple[str, str]:
    return "-e", json.dumps({"sky_counts": {"data": data}})


def destroyed(name: str) -> None:
    subprocess.run(["lxc-destroy", "-P", str(nodes_folder(ZONE)), "-n", name, "-f"], check=True, capture_output=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    before = machine_state(ZONE)
    folder = tmp_path_factory.mktemp("store")
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all.yml").write_text(
        json.dumps({"hdfs_replication": COPIES, "hdfs_datanode_drain_seconds": 240, "hdfs_namenode_copies": ["/data/backup"]})
    )
    made = Site(folder, ZONE, hdfs(ZONE, 3))
    yield made
    made.must("destroy", *made.with_data)
    assert machine_state(ZONE) == before


@pytest.fixture(scope="module")
def built(site: Site) -> Played:
    return site.must("cluster", *UNPROVED)


def unchanged(site: Site) -> None:
    """Every file of the tests has the bytes that were written."""
    for path, content in CONTENT.items():
        found = files(site).call(path, "OPEN")
        assert hashlib.sha256(found).digest() == hashlib.sha256(content).digest(), path


def test_it_is_built_and_proved_through_every_datanode(site: Site, built: Played) -> None:
    assert "HDFS is ready: 3 DataNode(s), NameNode tstore-master-0" in built.output
    assert "4 MiB written, read and compared on each of 3 DataNode(s)" in built.output
    for path, content in CONTENT.items():
        put(site, path, content, COPIES)
    unchanged(site)
    healthy(page(site))
    assert set(site.must("cluster", *UNPROVED).changed.values()) == {0}


def test_files_come_and_go_as_a_user_brings_and_fetches_them(site: Site) -> None:
    """A folder into HDFS and back, and into a data volume that a job writes to as well. Side by side, as users do."""
    source = site.folder / "set"
    (source / "deep").mkdir(parents=True)
    words = source / "deep/words.txt"
    words.write_bytes(TEXT.read_bytes())
    into = [(source, "hdfs:///user/sky/", ""), (words, "file:///data/sets/", WORKER), (words, "hdfs:///user/sky/", "")]
    out = [("hdfs:///user/sky/set/deep/words.txt", ""), ("file:///data/sets/words.txt", WORKER), ("hdfs:///user/sky/missing", "")]
    with ThreadPoolExecutor() as pool:
        for put_in in [pool.submit(site.must, "data_put", *transfer(*one)) for one in into]:
            put_in.result()
        backs = [site.folder / f"back{number}" for number, _one in enumerate(out)]
        first, second, missing = [
            pool.submit(site.play, "data_get", *transfer(place, back, node)) for (place, node), back in zip(out, backs, strict=True)
        ]
        assert (first.result().code, second.result().code) == (0, 0)
        assert missing.result().code != 0
        assert "hdfs:///user/sky/missing': No such file or directory" in missing.result().output
    assert [back.read_bytes() if back.exists() else None for back in backs] == [TEXT.read_bytes(), TEXT.read_bytes(), None]


def transfer(start: str | Path, end: str | Path, node: str) -> list[str]:
    """Variables of data_put and data_get."""
    return ["-e", f"sky_from={start}", "-e", f"sky_to={end}", *(["-e", f"sky_node={node}"] if node else [])]


def test_a_job_uses_hdfs_and_a_volume_that_it_was_given(site: Site, figure: Figure) -> None:
    """On a worker that only computes: as the user of the daemons, in their sandbox."""
    (site.folder / "words.py").write_text(WORDS)
    said = site.must("spark_submit", "-e", "sky_application=words.py").output
    took = re.findall(rf"answer {len(TEXT.read_text().split())} ([0-9.]+)", said)
    assert len(took) == 2, said[-3000:]
    figure(f"a small job on HDFS: {took[-1]} s")
    assert f"lines {len(TEXT.read_text().splitlines())}" in said
    assert site.ssh(WORKER, "stat -c '%U:%G %a' /data/sets").strip() == "sky:spark 775"


def test_how_fast_files_are_written_and_read(site: Site, figure: Figure) -> None:
    """By Hadoop's own client, against the bare volume."""
    found = speeds(site, SPEED)
    figure(
        f"a file of {SPEED} MiB in one copy: written to HDFS with {found.written:.0f} MiB/s, which is {found.written / found.bare:.2f} of the bare "
        f"volume, and read from memory with {found.read:.0f} MiB/s"
    )


def test_another_cluster_computes_on_these_files(site: Site, tmp_path: Path) -> None:
    """One that has no HDFS of its own, and is gone afterwards."""
    content = spark(ZONE, 0, master={"roles": ["spark_master", "spark_worker"], "flavor": "large"})
    del content["pools"]["worker"]
    (tmp_path / "group_vars").mkdir()
    given = {"hdfs_client_namenode": f"{address(site, head(site))}:8020", "hdfs_client_replication": COPIES}
    (tmp_path / "group_vars/all.yml").write_text(json.dumps(given))
    other = Site(tmp_path, OTHER, content | {"cluster": OTHER})
    other.must("cluster", *UNPROVED)
    (tmp_path / "count.py").write_text(COUNT)
    assert f"lines {len(TEXT.read_text().splitlines())}" in other.must("spark_submit", "-e", "sky_application=count.py").output
    other.must("destroy")
    assert files(site).status("/user/sky/afar/_SUCCESS") is not None


def test_status_shows_what_is_stored(site: Site) -> None:
    status = site.must("status", "-e", f"sky_status_file={site.folder / 'status.json'}")
    assert "DataNodes live 3, DataNodes dead 0" in status.output
    facts = json.loads((site.folder / "status.json").read_text())["systems"]["hdfs"]["facts"]
    assert (facts["safe mode"], facts["missing blocks"], facts["under-replicated blocks"]) == ("off", 0, 0)
    assert facts["used GiB"] >= 0.3


def test_only_its_own_addresses_are_served(site: Site) -> None:
    """And units are hardened, while they work."""
    for host, unit in (("tstore-master-0", "hdfs-namenode"), ("tstore-data-0", "hdfs-datanode")):
        listening = site.ssh(host, "ss -Hltn | awk '{print $4}'").split()
        own = {place for place in listening if place.rpartition(":")[2] in {"8020", "9870", "9864", "9866", "9867"}}
        assert own
        assert {place.rpartition(":")[0] for place in own} <= {address(site, host), f"[::ffff:{address(site, host)}]"}
        exposure = re.search(r"exposure level for \S+: ([0-9.]+)", site.ssh(host, f"systemd-analyze security {unit}.service | tail -1"))
        assert exposure is not None
        assert float(exposure[1]) <= 2.5


def test_a_datanode_that_is_killed_interrupts_no_write(site: Site) -> None:
    with writing(site, DATANODE, "/user/sky/killed", 40, 12):
        site.ssh(WRITER, "systemctl kill --signal=KILL hdfs-datanode")
    eventually("the DataNode is back", page(site), lambda seen: in_service(seen) == 3)
    healthy(page(site))
    unchanged(site)


def test_a_namenode_that_is_killed_comes_back(site: Site, figure: Figure) -> None:
    site.ssh("tstore-master-0", "systemctl kill --signal=KILL hdfs-namenode")
    began = time.monotonic()
    eventually("the NameNode is back", page(site), lambda seen: in_service(seen) == 3)
    figure(f"a killed NameNode takes changes again after {time.monotonic() - began:.0f} s")
    unchanged(site)


def test_a_datanode_leaves_under_load_without_losing_a_block(site: Site, figure: Figure) -> None:
    blocks = eventually("there are blocks", page(site), lambda seen: seen.values).of(address(site, "tstore-data-2"))
    with writing(site, WRITER, "/user/sky/leaving", 60, 30):
        shrunk = site.must("cluster", *size(2), *UNPROVED)
    took = re.search(r"tstore-data-2: handed over its blocks \((\d+)\) in (\d+) s", shrunk.output)
    assert took is not None, shrunk.output[-5000:]
    figure(f"decommissioning 1 of 3 DataNodes with {blocks.used / 2**30 if blocks else 0:.2f} GiB takes {took[2]} s")
    assert "handing over its blocks, " in shrunk.output
    assert sorted(site.hosts("hdfs_datanode")) == ["tstore-data-0", "tstore-data-1"]
    seen = eventually("it is forgotten", page(site), lambda seen: len(seen.datanodes) == 2)
    assert {node.state for node in seen.datanodes} == {"In Service"}
    healthy(page(site))
    unchanged(site)


def test_fewer_datanodes_than_copies_are_refused(site: Site) -> None:
    refused = site.play("cluster", *size(1), *UNPROVED)
    assert refused.code != 0
    assert "hdfs_replication: files are kept in 2 copies, and 1 DataNode(s) would remain: the node stays; to keep fewer copies, set" in refused.output
    assert sorted(site.hosts("hdfs_datanode")) == ["tstore-data-0", "tstore-data-1"]
    assert in_service(eventually("both serve", page(site), lambda seen: in_service(seen) == 2)) == 2


def test_a_full_hdfs_says_so_and_keeps_its_files(site: Site) -> None:
    leave = 96 << 20  # less than a block, for which the NameNode wants room
    for node in site.hosts("hdfs_datanode"):
        site.ssh(node, f"fallocate -l $(( $(df --output=avail -B1 /data/hdfs | tail -1) - {leave} )) /data/hdfs/fill")
    eventually("it is nearly full", page(site), lambda seen: max(node.remaining for node in seen.live) < 128 << 20)
    with pytest.raises(RemoteError, match=r"could only be written to \d of the 1 minReplication nodes|[Oo]ut of space|does not answer|HTTP status"):
        put(site, "/user/sky/fill", bytes(64 << 20), COPIES)
    files(site).call("/user/sky/fill", "DELETE", "DELETE")
    unchanged(site)
    for node in site.hosts("hdfs_datanode"):
        site.ssh(node, "rm /data/hdfs/fill")
    eventually("there is room again", page(site), lambda seen: min(node.remaining for node in seen.live) > 128 << 20)
    put(site, "/user/sky/after", b"after", COPIES)


def test_all_nodes_are_lost_and_a_run_brings_everything_back(site: Site, figure: Figure) -> None:
    place = page(site)
    for name in site.hosts("all"):
        destroyed(name)
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        run = pool.submit(site.must, "cluster", *size(2), "-e", "sky_confirm=tstore", *UNPROVED)
        eventually("both DataNodes serve again", place, lambda seen: in_service(seen) == 2, 300)
        served = time.monotonic() - began
        back = run.result()
    figure(f"all nodes lost: HDFS serves again after {served:.0f} s, and the run, of Spark too, has ended after {time.monotonic() - began:.0f} s")
    assert "written, read and compared on each of 2 DataNode(s)" in back.output
    unchanged(site)
    healthy(page(site))


def test_the_volume_of_another_cluster_is_refused_by_name_and_left_as_it_is(site: Site) -> None:
    version = site.ssh(DATANODE, f"systemctl stop hdfs-datanode; cat {VERSION}")
    own = re.findall("clusterID=.*", version)[0]
    site.ssh(DATANODE, f"sed -i 's/^clusterID=.*/clusterID=elsewhere-0a1b2c3d/' {VERSION}; find {BLOCKS} -type f | sort > /root/before")
    refused = site.play("cluster", *size(2), *UNPROVED, "-e", "hdfs_proof_seconds=5")
    assert refused.code != 0
    assert "holds blocks of the HDFS elsewhere-0a1b2c3d of cluster 'elsewhere', and that of cluster 'tstore' is tstore-" in refused.output
    site.ssh(DATANODE, f"grep -q elsewhere {VERSION} && find {BLOCKS} -type f | sort | diff /root/before -")
    site.ssh(DATANODE, f"sed -i 's/^clusterID=.*/{own}/' {VERSION}")
    site.must("cluster", *size(2), *UNPROVED)
    unchanged(site)
    healthy(page(site))


def test_it_is_built_again_with_other_addresses_from_a_copy_of_the_namenode_s_volume(site: Site) -> None:
    """Without Spark this time: storage alone."""
    site.must("destroy")
    for path in (STATE / ZONE / "volumes").glob("tstore-master-0-hdfs.*"):
        path.unlink()
    site.content["clouds"]["here"]["network"] = "10.97.3.0/24"
    site.content["pools"]["master"]["roles"] = ["hdfs_namenode"]
    site.content["pools"]["worker"]["count"] = 0
    site.must("cluster", *size(2), *UNPROVED)
    assert address(site, head(site)).startswith("10.97.3.")
    unchanged(site)
    healthy(page(site))
