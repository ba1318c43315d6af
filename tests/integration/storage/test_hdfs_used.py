# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real HDFS on local nodes, as its users see it: files in and out, jobs, another cluster's jobs, the commands of the guide, status."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._hdfs_pages import RemoteError, Web
from ansible_collections.sky.clusters.tests.integration.storage.store import COPIES, MARK, SECRET, TIGHT, Figure, fill
from ansible_collections.sky.clusters.tests.support.hdfs import address, files, guide_commands, head, overheard, page, put, speeds, typed
from ansible_collections.sky.clusters.tests.support.site import Played, Site
from ansible_collections.sky.clusters.tests.support.spark import UNPROVED, spark

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("built")]

ZONE, OTHER = "tused", "tcompute"  # OTHER is another cluster of the zone
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
HEAD, WORKER, DATANODE = f"{ZONE}-master-0", f"{ZONE}-worker-0", f"{ZONE}-data-0"
SPEED = 256  # MiB
TEXT = Path("/usr/share/common-licenses/GPL-3")


@pytest.fixture(scope="module")
def built(site: Site) -> Played:
    return site.must("cluster", *UNPROVED)


def test_it_is_built_and_proved_through_every_datanode(site: Site, built: Played) -> None:
    assert f"HDFS is ready: 3 DataNode(s), NameNode {HEAD}" in built.output
    assert f"files are kept in {COPIES} copies (hdfs_replication {COPIES}, 3 DataNode(s))" in built.output
    assert "4 MiB written, read and compared on each of 3 DataNode(s)" in built.output
    fill(site)
    with overheard(9866) as heard:
        put(site, "/user/sky/plain", SECRET, COPIES)
    assert MARK in heard()  # as it is without hdfs_encryption, so that the other test can be believed
    assert set(site.must("cluster", *UNPROVED).changed.values()) == {0}


def test_files_come_and_go_as_a_user_brings_and_fetches_them(site: Site) -> None:
    """A folder into HDFS and back, and into a data volume that a job writes to as well. Side by side, as users do."""
    source = site.folder / "set"
    (source / "deep").mkdir(parents=True)
    words = source / "deep/words.txt"
    words.write_bytes(TEXT.read_bytes())
    into = [(source, "hdfs:///user/sky/", ""), (words, "file:///data/sets/", WORKER), (words, "hdfs:///user/sky/", "")]
    out = [("hdfs:///user/sky/set/deep/words.txt", ""), ("file:///data/sets/words.txt", WORKER), ("hdfs:///user/sky/missing", "")]
    Web(page(site), "hdfs").call(TIGHT, "SETQUOTA", "PUT", namespacequota=3)  # with itself; the folder has two folders and a file
    with ThreadPoolExecutor() as pool:
        refused = pool.submit(site.play, "data_put", *transfer(source, f"hdfs://{TIGHT}/", ""))
        for put_in in [pool.submit(site.must, "data_put", *transfer(*one)) for one in into]:
            put_in.result()
        backs = [site.folder / f"back{number}" for number, _one in enumerate(out)]
        first, second, missing = [
            pool.submit(site.play, "data_get", *transfer(place, back, node)) for (place, node), back in zip(out, backs, strict=True)
        ]
        assert (first.result().code, second.result().code) == (0, 0)
        assert missing.result().code != 0
        assert "hdfs:///user/sky/missing': No such file or directory" in missing.result().output
        assert refused.result().code != 0
        assert re.search(rf"quota .*of directory {TIGHT} is exceeded", refused.result().output), refused.result().output[-3000:]
    assert files(site).json(TIGHT, "LISTSTATUS")["FileStatuses"]["FileStatus"] == []  # a folder comes as a whole, or not at all
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


def test_the_commands_of_the_guide_do_what_it_says(site: Site, figure: Figure) -> None:
    """All of HDFS, in its order; what some have done is looked at. Those of YARN are tried where it runs."""

    def quotas() -> list[int]:
        found = files(site).json("/user/sky", "GETCONTENTSUMMARY")["ContentSummary"]
        return [found["spaceQuota"], found["quota"]]

    def names() -> set[str]:
        return {each["pathSuffix"] for each in files(site).json("/user/sky", "LISTSTATUS")["FileStatuses"]["FileStatus"]}

    def refused() -> bool:
        typed(site, "# hdfs dfsadmin -setSpaceQuota 1m /user/sky")
        with pytest.raises(RemoteError, match="quota"):
            put(site, "/user/sky/over", b"over", COPIES)
        files(site).call("/user/sky/over", "DELETE", "DELETE")
        return True

    done: dict[str, Callable[[], Any]] = {
        "-put": lambda: "words.txt" in names(),
        "-setQuota": lambda: quotas() == [100 << 30, 100000] and refused(),
        "-clrQuota": lambda: quotas() == [-1, -1],
        "-cp": lambda: "words-before.txt" in names(),
    }
    says = {
        "balancer": "The cluster is balanced",
        "fsck": "is HEALTHY",
        "-report": "Live datanodes (3)",
        "-du": "words.txt",
        "query": "Proceed with rolling",
    }
    took = {}
    for line in (each for each in guide_commands() if each[2:].startswith("hdfs ")):
        words, began = line.split(), time.monotonic()
        # A block is an eighth of these small volumes: it would be moved to and fro for ever
        said = typed(site, line.replace("-threshold 5", "-threshold 25"))
        took[line] = time.monotonic() - began
        for word in words:
            assert says.get(word, "") in said, (line, said)
            assert done.get(word, lambda: True)(), line
    assert took.keys() >= {"# hdfs balancer -threshold 5", "# hdfs dfsadmin -rollingUpgrade finalize"}
    slowest = max(took, key=lambda line: took[line])
    figure(f"{len(took)} commands of the guide: {sum(took.values()):.0f} s, the slowest, {slowest[2:]}, {took[slowest]:.1f} s")


def test_status_shows_what_is_stored(site: Site) -> None:
    status = site.must("status", "-e", f"sky_status_file={site.folder / 'status.json'}")
    assert "DataNodes live 3, DataNodes dead 0" in status.output
    facts = json.loads((site.folder / "status.json").read_text())["systems"]["hdfs"]["facts"]
    assert (facts["safe mode"], facts["missing blocks"], facts["under-replicated blocks"]) == ("off", 0, 0)
    assert facts["used GiB"] >= 0.3


def test_only_its_own_addresses_are_served(site: Site) -> None:
    """And units are hardened, while they work."""
    for host, unit in ((HEAD, "hdfs-namenode"), (DATANODE, "hdfs-datanode")):
        listening = site.ssh(host, "ss -Hltn | awk '{print $4}'").split()
        own = {place for place in listening if place.rpartition(":")[2] in {"8020", "9870", "9864", "9866", "9867"}}
        assert own
        assert {place.rpartition(":")[0] for place in own} <= {address(site, host), f"[::ffff:{address(site, host)}]"}
        exposure = re.search(r"exposure level for \S+: ([0-9.]+)", site.ssh(host, f"systemd-analyze security {unit}.service | tail -1"))
        assert exposure is not None
        assert float(exposure[1]) <= 2.5
