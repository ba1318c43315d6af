# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark cluster on one node, and the object store of a real Ceph: jobs, large files, wrong keys."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.clouds.ceph import main as ceph
from ansible_collections.sky.clusters.tests.support.site import Played, Site, machine_state
from ansible_collections.sky.clusters.tests.support.spark import UNPROVED, spark

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("built")]

ZONE = "tceph"
BUCKET = "lab"
MASTER = f"{ZONE}-master-0"
LARGE = 160  # MiB: more than a part of an upload, and more than the jars can send without all of them
TEXT = Path("/usr/share/common-licenses/GPL-3")
WORDS = """
from operator import add
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
lines = spark.sparkContext.textFile("s3a://lab/in/words.txt")
counted = lines.flatMap(str.split).map(lambda word: (word, 1)).reduceByKey(add)
spark.createDataFrame(counted, ["word", "n"]).write.mode("overwrite").parquet("s3a://lab/out/counted")
print("answer", spark.read.parquet("s3a://lab/out/counted").groupBy().sum("n").collect()[0][0])
"""

Figure = Callable[[str], None]


def command(word: str) -> None:
    subprocess.run([str(ceph.HERE / word)], check=True, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def store() -> Iterator[dict[str, Any]]:
    """How the object store of a Ceph is used; one that ran before goes on."""
    ran = ceph.USE.exists()
    command("up")
    yield dict(json.loads(ceph.USE.read_text())["s3"])
    if not ran:
        command("down")


@pytest.fixture(scope="module")
def site(store: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    before = machine_state(ZONE)
    content = spark(ZONE, 0, master={"roles": ["spark_master", "spark_worker"], "flavor": "large"})
    del content["pools"]["worker"]
    made = Site(tmp_path_factory.mktemp("ceph"), ZONE, content)
    (made.folder / "group_vars").mkdir()
    settings(made, store)
    yield made
    made.must("destroy", "-e", "sky_destroy_data=true")
    assert machine_state(ZONE) == before


def settings(site: Site, store: dict[str, Any], **other: str) -> None:
    found = {"endpoint": store["endpoint"], "access_key": store["access_key"], "secret_key": store["secret_key"], "ca_file": store["ca"], **other}
    (site.folder / "group_vars/all.yml").write_text(json.dumps({f"s3a_{name}": value for name, value in found.items()}))


@pytest.fixture(scope="module")
def built(site: Site) -> Played:
    return site.must("cluster", *UNPROVED)


def test_keys_are_for_root_and_the_group_of_jobs_alone(site: Site, store: dict[str, Any], built: Played) -> None:
    assert store["secret_key"] not in built.output
    said = site.ssh(MASTER, "stat -c '%U:%G %a %n' /etc/spark/s3a.jceks /etc/spark/s3a-keys").splitlines()
    assert [line.strip() for line in said] == ["root:spark 640 /etc/spark/s3a.jceks", "root:root 600 /etc/spark/s3a-keys"]
    found = site.ssh(MASTER, f"grep -rlF {store['secret_key']} /etc /var/log /run /opt 2>/dev/null | grep -v '^/opt/spark-' || true").split()
    assert found == ["/etc/spark/s3a-keys"]
    assert site.ssh(MASTER, f"journalctl --no-pager | grep -cF {store['secret_key']} || true").strip() == "0"


def test_a_bucket_that_is_missing_is_named(site: Site, store: dict[str, Any]) -> None:
    settings(site, store, bucket="nosuchbucket")
    refused = site.play("cluster", *UNPROVED)
    assert refused.code != 0
    assert "s3a_bucket: the object store cannot be used: put: " in refused.output
    assert "nosuchbucket" in refused.output


def test_with_its_bucket_it_is_proved(site: Site, store: dict[str, Any]) -> None:
    ceph.make_bucket(BUCKET)
    settings(site, store, bucket=BUCKET)
    site.must("cluster", *UNPROVED)
    assert set(site.must("cluster", *UNPROVED).changed.values()) == {0}


def test_a_job_reads_and_writes_objects(site: Site) -> None:
    site.must("data_put", "-e", f"sky_from={TEXT}", "-e", f"sky_to=s3a://{BUCKET}/in/words.txt")
    (site.folder / "words.py").write_text(WORDS)
    said = site.must("spark_submit", "-e", "sky_application=words.py").output
    assert f"answer {len(TEXT.read_text().split())}" in said


def test_a_large_file_there_and_back(site: Site, figure: Figure) -> None:
    source, back = site.folder / "large", site.folder / "back"
    source.write_bytes(os.urandom(LARGE << 20))
    began = time.monotonic()
    site.must("data_put", "-e", f"sky_from={source}", "-e", f"sky_to=s3a://{BUCKET}/large")
    put = time.monotonic() - began
    site.must("data_get", "-e", f"sky_from=s3a://{BUCKET}/large", "-e", f"sky_to={back}")
    figure(f"{LARGE} MiB from the controller to the object store in {put:.0f} s, and back in {time.monotonic() - began - put:.0f} s")
    assert back.read_bytes() == source.read_bytes()


def test_a_wrong_key_is_refused_in_the_store_s_words(site: Site, store: dict[str, Any]) -> None:
    settings(site, store, bucket=BUCKET, secret_key="wrong")
    refused = site.play("cluster", *UNPROVED)
    assert refused.code != 0
    assert "s3a_bucket: the object store cannot be used: put: " in refused.output
    assert "Status Code: 403" in refused.output


def test_plain_http_is_refused_with_the_reason(site: Site, store: dict[str, Any]) -> None:
    settings(site, store, endpoint="http://10.75.0.2:7480")
    refused = site.play("cluster", *UNPROVED)
    assert refused.code != 0
    assert "s3a_endpoint: must begin with https://, got http://10.75.0.2:7480" in refused.output
    assert "XAmzContentSHA256Mismatch" in refused.output
