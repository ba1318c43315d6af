# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spark clusters on this machine, as small as they can be."""

from __future__ import annotations

from typing import Any

UNPROVED = ("-e", '{"spark_proof_workers": []}')  # a run that is about something else leaves out the job that proves the cluster
JAVA = {"trixie": 21}  # of Debian releases that have no Java 17
FLAVORS = {"node": {"cores": 1, "memory": 1536}, "large": {"cores": 1, "memory": 2304}}

# Every row of one side is sent to another partition; the sum of the counts proves that none was lost or counted twice
SHUFFLE = """
import sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.config("spark.sql.shuffle.partitions", "4").getOrCreate()
began = time.time()
rows = spark.range(0, 400000, 1, 4).selectExpr("id % 1000 as key", "repeat(cast(id as string), 20) as text")
found = rows.repartition(4, "text").groupBy("key").count().selectExpr("count(*)", "sum(count)").collect()[0]
print("keys", found[0], "rows", found[1], "seconds", round(time.time() - began, 1))
executors = spark.sparkContext._jsc.sc().statusTracker().getExecutorInfos()
print("executors", sorted({e.host() for e in executors}))
"""


def spark(zone: str, workers: int, master: dict[str, Any] | None = None, suite: str = "", **worker: Any) -> dict[str, Any]:
    """A cluster file of a cluster that is called as its zone, with the pools ``master`` and ``worker``.

    Args:
        master: options of its pool beside its count and role.
        suite: Debian release of the nodes; that of the local cloud if empty.
        worker: the same of that pool.
    """
    image: dict[str, Any] = {"packages": [f"openjdk-{JAVA.get(suite, 17)}-jre-headless"]}  # no node has to install it
    if suite:
        image |= {"images": {"other": {"suite": suite}}, "image": "other"}
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": zone,
        "clouds": {"here": {"provider": "lxc", "zone": zone, **image, "flavors": FLAVORS, "flavor": "node"}},
        "pools": {
            "master": {"cloud": "here", "count": 1, "roles": ["spark_master"], **(master or {})},
            "worker": {"cloud": "here", "count": workers, "roles": ["spark_worker"], **worker},
        },
    }
