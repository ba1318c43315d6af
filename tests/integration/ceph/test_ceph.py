# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark cluster with HDFS, and the object store and the file system of a real Ceph: jobs, large files, another cluster, wrong and revoked keys."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.clouds.ceph import main as ceph
from ansible_collections.sky.clusters.tests.support.site import Played, Site, lasting
from ansible_collections.sky.clusters.tests.support.spark import FLAVORS, UNPROVED, spark

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("built")]

ZONE, OTHER = "tceph", "tcephb"  # OTHER is of another cluster, which shares the folder
BUCKET = "lab"
MASTER, WORKER = f"{ZONE}-master-0", f"{ZONE}-worker-0"
LARGE = 160  # MiB: more than a part of an upload, and more than the jars can send without all of them
TEXT = Path("/usr/share/common-licenses/GPL-3")
# The same work on all, in turn, after a first round that warms up; the path of each is an argument
WORDS = """
import sys, time
from operator import add
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
for place in sys.argv[1:] * 4:
    began = time.monotonic()
    lines = spark.sparkContext.textFile(place + "/words.txt", 4)
    counted = lines.flatMap(str.split).map(lambda word: (word, 1)).reduceByKey(add)
    spark.createDataFrame(counted, ["word", "n"]).write.mode("overwrite").parquet(place + "/counted")
    total = spark.read.parquet(place + "/counted").groupBy().sum("n").collect()[0][0]
    print("answer", place, total, round(time.monotonic() - began, 1))
"""
# Executors of all nodes leave their names in the folder
HOSTS = """
import os, socket, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
def sign(number):
    time.sleep(1)  # until all executors have come
    name = socket.gethostname()
    with open(f"/shared/hosts-{name}", "a") as file:
        file.write(f"{number}\\n")
    return name
spark.sparkContext.parallelize(range(12), 12).map(sign).collect()
print("signed", sorted(name for name in os.listdir("/shared") if name.startswith("hosts-")))
"""

Figure = Callable[[str], None]


@pytest.fixture(scope="module")
def share(store: dict[str, Any]) -> dict[str, str]:  # noqa: ARG001  # of the Ceph that it starts
    """A folder of CephFS for these tests alone."""
    return ceph.share(f"tests-{secrets.token_hex(3)}")


@pytest.fixture(scope="module")
def site(store: dict[str, Any], share: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Every kind of storage in one cluster, and HDFS on the nodes of Spark."""
    head = {"roles": ["cephfs", "hdfs_namenode", "spark_master", "spark_worker"], "flavor": "head", "volumes": {"hdfs": 1}}
    content = spark(ZONE, 1, master=head, roles=["cephfs", "hdfs_datanode", "spark_worker"], flavor="large", volumes={"hdfs": 1})
    content["clouds"]["here"]["flavors"] = FLAVORS | {"head": {"cores": 1, "memory": 3072}}
    folder = tmp_path_factory.mktemp("ceph")
    (folder / "group_vars").mkdir()
    with lasting(folder, ZONE, content) as made:
        settings(made, store, share)
        yield made


def settings(site: Site, store: dict[str, Any], share: dict[str, str], **other: str) -> None:
    """Give the site the settings of both, and others."""
    s3 = store["s3"]
    shutil.copy(s3["ca"], site.folder / "ca.pem")
    given = {
        **{f"s3a_{name}": s3[name] for name in ("endpoint", "access_key", "secret_key")},
        "s3a_ca_file": "ca.pem",
        "cephfs_name": store["cephfs"]["name"],
        **{f"cephfs_{name}": value for name, value in share.items()},
    }
    (site.folder / "group_vars/all.yml").write_text(json.dumps(given | other))


@pytest.fixture(scope="module")
def built(site: Site) -> Played:
    return site.must("cluster", *UNPROVED)


def test_keys_are_for_root_and_the_group_of_jobs_alone(site: Site, store: dict[str, Any], share: dict[str, str], built: Played) -> None:
    said = site.ssh(MASTER, "stat -c '%U:%G %a %n' /etc/spark/s3a.jceks /etc/spark/s3a-keys /etc/sky/cephfs.key").splitlines()
    assert [line.strip() for line in said] == [
        "root:spark 640 /etc/spark/s3a.jceks", "root:root 600 /etc/spark/s3a-keys", "root:root 600 /etc/sky/cephfs.key",
    ]  # fmt: skip
    for secret, place in ((store["s3"]["secret_key"], "/etc/spark/s3a-keys"), (share["key"], "/etc/sky/cephfs.key")):
        assert secret not in built.output
        look = f"grep -F -e '{secret[:9]}''{secret[9:]}'"  # not as it is: Ansible writes this command itself to the journal
        found = site.ssh(MASTER, f"{look} -rl /etc /var/log /run /opt 2>/dev/null | grep -v '^/opt/spark-' || true").split()
        assert found == [place]
        seen = site.ssh(MASTER, f"{{ journalctl --no-pager; ps -eo args; cat /proc/mounts; }} | grep -vF grep | {look} -c || true")
        assert seen.strip() == "0"


def test_without_a_bucket_the_object_store_is_not_proved(built: Played) -> None:
    assert "the object store is not proved: s3a_bucket is not set" in built.output


def test_a_bucket_that_is_missing_is_named(site: Site, store: dict[str, Any], share: dict[str, str]) -> None:
    settings(site, store, share, s3a_bucket="nosuchbucket")
    refused = site.play("cluster", *UNPROVED)
    assert refused.code != 0
    assert "s3a_bucket: the object store cannot be used: put: " in refused.output
    assert "nosuchbucket" in refused.output


def test_with_its_bucket_it_is_proved(site: Site, store: dict[str, Any], share: dict[str, str]) -> None:
    ceph.make_bucket(BUCKET)
    settings(site, store, share, s3a_bucket=BUCKET)
    site.must("cluster", *UNPROVED)
    assert set(site.must("cluster", *UNPROVED).changed.values()) == {0}


def test_a_further_visit_changes_nothing(site: Site) -> None:
    """Roles of several systems write what the head's jobs use: none takes away what another has written, and nobody may read more."""
    look = "find /etc/hadoop /etc/spark /etc/sky /opt/s3a -printf '%M %u %g %C@ %p\\n' | sort -k5"
    before = {host: site.ssh(host, look) for host in (MASTER, WORKER)}
    again = site.must("cluster", *UNPROVED, "-e", "sky_full=true")
    assert set(again.changed.values()) == {0}, re.findall(r"(?m)^changed: .*", again.output)
    assert {host: site.ssh(host, look) for host in (MASTER, WORKER)} == before


def test_keys_and_a_certificate_that_an_interrupted_run_left_unused_are_used(site: Site) -> None:
    """It had written them, and neither the credential store nor the trust store that are made of them."""
    stores = "/etc/spark/s3a.jceks /etc/spark/s3a-trust.p12"
    site.ssh(MASTER, f"touch -d 2001-01-01 {stores}")
    renewed = site.must("cluster", *UNPROVED, "-e", "sky_full=true")
    assert renewed.changed[MASTER] >= 2, re.findall(r"(?m)^changed: .*", renewed.output)
    times = site.ssh(MASTER, f"stat -c %Y /etc/spark/s3a-keys /etc/spark/s3a-ca.pem {stores}").split()
    assert times[:2] == times[2:]
    assert set(site.must("cluster", *UNPROVED, "-e", "sky_full=true").changed.values()) == {0}


def test_a_job_reads_and_writes_on_every_storage(site: Site, figure: Figure) -> None:
    places = ("hdfs:///user/sky", f"s3a://{BUCKET}", "file:///shared")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda place: site.must("data_put", "-e", f"sky_from={TEXT}", "-e", f"sky_to={place}/words.txt"), places))
    (site.folder / "words.py").write_text(WORDS)
    said = site.must("spark_submit", "-e", "sky_application=words.py", "-e", json.dumps({"sky_arguments": places})).output
    took = {place: re.findall(rf"answer {re.escape(place)} {len(TEXT.read_text().split())} ([0-9.]+)", said) for place in places}
    assert {len(rounds) for rounds in took.values()} == {4}, said[-3000:]
    best = {place: min(map(float, rounds[1:])) for place, rounds in took.items()}
    figure("the same small job: " + ", ".join(f"{place} {seconds} s ({seconds / best[places[0]]:.2f})" for place, seconds in best.items()))


def test_jobs_write_to_the_shared_folder_from_every_node(site: Site) -> None:
    (site.folder / "hosts.py").write_text(HOSTS)
    said = site.must("spark_submit", "-e", "sky_application=hosts.py").output
    assert f"signed ['hosts-{MASTER}', 'hosts-{WORKER}']" in said


def test_another_cluster_shares_the_folder(site: Site, store: dict[str, Any], share: dict[str, str], tmp_path: Path) -> None:
    content = spark(OTHER, 1, roles=["cephfs"])
    del content["pools"]["master"]
    (tmp_path / "group_vars").mkdir()
    with lasting(tmp_path, OTHER, content) as other:
        settings(other, store, share)
        other.must("cluster")
        node = f"{OTHER}-worker-0"
        assert other.ssh(node, "sha256sum < /shared/words.txt").split()[0] == hashlib.sha256(TEXT.read_bytes()).hexdigest()
        other.ssh(node, "runuser -u sky -- sh -c 'echo from afar > /shared/greeting'")
        assert site.ssh(WORKER, "cat /shared/greeting").strip() == "from afar"


def test_the_size_of_the_folder_is_seen_and_kept(site: Site) -> None:
    assert site.ssh(WORKER, "df --output=size -m /shared | tail -1").strip() == str(ceph.SHARE_MIB)
    assert re.search(rf"folder /shared: \d+ % of {ceph.SHARE_MIB} MiB in use, \d+ MiB free, on 2 node\(s\)", site.must("status").output)
    full = site.ssh(WORKER, "runuser -u sky -- dd if=/dev/zero of=/shared/full bs=1M count=400 conv=fsync 2>&1 || true; rm /shared/full")
    assert "Disk quota exceeded" in full


def test_a_client_that_was_shut_out_comes_back(site: Site, share: dict[str, str], figure: Figure) -> None:
    began = time.monotonic()
    ceph.evict(share["client"])
    noticed = "journalctl --no-pager -u sky-cephfs | grep -q 'Ceph has shut this client out'"
    for host in (WORKER, MASTER):
        site.ssh(
            host, f"for _ in $(seq 60); do {noticed} && cat /shared/greeting && exit 0; sleep 1; done; journalctl -u sky-cephfs; ls /shared; exit 1"
        )
    figure(f"a client of CephFS that was shut out works again after {time.monotonic() - began:.0f} s")
    said = site.must("spark_submit", "-e", "sky_application=hosts.py").output  # in the workers' sandboxes too
    assert f"signed ['hosts-{MASTER}', 'hosts-{WORKER}']" in said


def test_a_large_object_there_and_back(site: Site, figure: Figure) -> None:
    source, back = site.folder / "large", site.folder / "back"
    source.write_bytes(os.urandom(LARGE << 20))
    began = time.monotonic()
    site.must("data_put", "-e", f"sky_from={source}", "-e", f"sky_to=s3a://{BUCKET}/large")
    put = time.monotonic() - began
    site.must("data_get", "-e", f"sky_from=s3a://{BUCKET}/large", "-e", f"sky_to={back}")
    figure(f"{LARGE} MiB from the controller to the object store in {put:.0f} s, and back in {time.monotonic() - began - put:.0f} s")
    assert back.read_bytes() == source.read_bytes()


# By host: what is wrong there, and what a run says of it
WRONG: list[dict[str, tuple[dict[str, Any], tuple[str, ...]]]] = [
    {
        MASTER: ({"s3a_secret_key": "wrong"}, ("s3a_bucket: the object store cannot be used: put: ", "Status Code: 403")),
        WORKER: (
            {"cephfs_export": f"{ceph.ADDRESS}:6789:/volumes"},
            (f"cephfs_export: {ceph.ADDRESS}:6789:/volumes cannot be used as client.", "peration not permitted"),
        ),
    },
    {
        MASTER: (
            {"s3a_endpoint": f"http://{ceph.ADDRESS}:7480"},
            ("s3a_endpoint", f"must begin with https://, got http://{ceph.ADDRESS}:7480", "XAmzContentSHA256Mismatch"),
        ),
    },
    {
        WORKER: ({"cephfs_key": "A" * 38 + "=="}, ("cannot be used as client.", "the monitors refuse the key of this client")),
    },
    {
        WORKER: (
            {"cephfs_export": "10.75.0.9:6789:/volumes", "cephfs_wait": 20},
            ("cephfs_export: 10.75.0.9:6789:/volumes cannot be used as client.", "no monitor answers"),
        ),
    },
]


@pytest.mark.parametrize("wrong", WRONG, ids=["key and folder", "scheme", "key of CephFS", "monitor"])
def test_what_is_refused_is_said_in_the_store_s_words(site: Site, wrong: dict[str, tuple[dict[str, Any], tuple[str, ...]]]) -> None:
    folder = site.folder / "host_vars"
    folder.mkdir()
    for host, (given, _words) in wrong.items():
        (folder / f"{host}.yml").write_text(json.dumps(given))
    refused = site.play("cluster", *UNPROVED)
    shutil.rmtree(folder)
    assert refused.code != 0
    for _given, words in wrong.values():
        for word in words:
            assert word in " ".join(refused.output.split()), refused.output[-6000:]


def test_an_object_store_that_is_taken_away_leaves_no_key(site: Site, store: dict[str, Any], share: dict[str, str]) -> None:
    settings(site, store, share, s3a_endpoint="")
    site.must("cluster", *UNPROVED)
    for host in (MASTER, WORKER):
        assert site.ssh(host, "ls -d /etc/spark/s3a* /opt/s3a* 2> /dev/null || echo none").strip() == "none"
    assert "s3a" not in site.ssh(MASTER, "cat /etc/hadoop/*-site.xml /etc/spark/spark-defaults.conf").replace("s3a-site.xml", "")


def test_a_key_that_was_revoked_is_reported(site: Site, share: dict[str, str]) -> None:
    ceph.revoke(share["client"])
    site.ssh(WORKER, "for _ in $(seq 60); do systemctl is-active sky-cephfs || break; sleep 1; done")
    assert "sky-cephfs" in site.must("status").output
    refused = site.play("cluster", *UNPROVED)
    assert refused.code != 0
    assert "the monitors refuse the key of this client" in refused.output
