# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systems that take part in the walk. A new one is a class here, named in `SYSTEMS`."""

from __future__ import annotations

import abc
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.sky.clusters.tests.support import batch, hdfs
from ansible_collections.sky.clusters.tests.support.site import Played, Site
from ansible_collections.sky.clusters.tests.support.spark import UNPROVED as SPARK_UNPROVED
from ansible_collections.sky.clusters.tests.support.spark import spark
from ansible_collections.sky.clusters.tests.support.spark_jobs import ANSWER, job


class System(abc.ABC):
    """What the walk asks of a system at its stations."""

    @abc.abstractmethod
    def pools(self, zone: str) -> dict[str, Any]:
        """Its part of the cluster file, with one node in the pool ``worker`` that grows and shrinks; the roles of a pool of several are joined."""

    @abc.abstractmethod
    def is_proved(self, played: Played) -> None:
        """The run that built it has used it as its users will, and says how they do."""

    @abc.abstractmethod
    def work(self, site: Site, name: str) -> Any:
        """A context in which it works; at its end the work must have come to the right result."""

    @abc.abstractmethod
    def data(self, site: Site) -> str:
        """What of its kept volumes must be the same once the cluster was destroyed and built again."""


class Spark(System):
    def pools(self, zone: str) -> dict[str, Any]:
        return dict(spark(zone, 1, master={"volumes": {"spark": 1}})["pools"])

    def is_proved(self, played: Played) -> None:
        assert "Spark is ready: 1 worker(s), master " in played.output
        assert "tasks on 1 worker(s)" in played.output
        login = next(line.strip() for line in played.output.splitlines() if re.match(r" +ssh (?!.* -N )", line))
        answer = subprocess.run(f"{login} whoami", shell=True, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert answer.stdout.strip() == "sky", answer.stderr

    @contextmanager
    def work(self, site: Site, name: str) -> Iterator[None]:
        with job(site, name) as held:
            yield
            said = held.end()
        assert ANSWER in said, said[-3000:]

    def data(self, site: Site) -> str:
        """The secret and the events of jobs that ended, by content."""
        (master,) = site.hosts("spark_master")
        return site.ssh(master, "cd /data/spark && sha256sum .sky/spark && find events -type f ! -name '*.inprogress' -exec sha256sum {} + | sort")


class Hdfs(System):
    """On one node, beside the others."""

    PATH = "/user/sky/kept"

    def pools(self, zone: str) -> dict[str, Any]:  # noqa: ARG002  # they are the same in every zone
        return {"store": {"cloud": "here", "count": 1, "roles": ["hdfs_namenode", "hdfs_datanode"], "volumes": {"hdfs": 1}}}

    def is_proved(self, played: Played) -> None:
        assert "HDFS is ready: 1 DataNode(s), NameNode " in played.output
        assert "4 MiB written, read and compared on each of 1 DataNode(s)" in played.output

    @contextmanager
    def work(self, site: Site, name: str) -> Iterator[None]:
        with hdfs.writing(site, hdfs.head(site), f"/user/sky/{name}", mib=16, seconds=20):
            yield

    def data(self, site: Site) -> str:
        """A file, by content."""
        if hdfs.files(site).status(self.PATH) is None:
            hdfs.put(site, self.PATH, os.urandom(1 << 20), copies=1)
        return hashlib.sha256(hdfs.files(site).call(self.PATH, "OPEN")).hexdigest()


class Torque(System):
    """Its nodes are those of Spark. A job runs on the node that leaves."""

    HOME = "/home/sky"

    def pools(self, zone: str) -> dict[str, Any]:
        made = batch.batch(zone, 1)["pools"]
        return {"batch": made["server"] | {"flavor": "node"}, "worker": made["node"]}

    def is_proved(self, played: Played) -> None:
        assert "The batch system is ready: 1 node(s), server " in played.output
        assert "proved by a job: MPI on 1 node(s)" in played.output

    @contextmanager
    def work(self, site: Site, name: str) -> Iterator[None]:
        cluster = batch.Cluster(site, "batch")
        job = cluster.qsub("sleep 20; echo ended", "-N", name, "-j", "oe", "-l", f"nodes={site.cluster}-worker-1")
        cluster.wait([job], "R")
        yield
        cluster.wait([job])
        assert cluster.output(f"{name}.o{job}") == "ended\n"

    def data(self, site: Site) -> str:
        """A file of a home, by content, and the accounting of the jobs that have ended."""
        cluster = batch.Cluster(site, "batch")
        return cluster.at(cluster.server, "[ -e kept ] || date > kept; sha256sum kept; qstat -x -f | grep -A 1 '^Job Id'")


SYSTEMS: tuple[System, ...] = (Spark(), Hdfs(), Torque())
UNPROVED = (*SPARK_UNPROVED, *batch.UNPROVED)  # a run that is about something else leaves out the jobs that prove the systems
PACKAGES = ("openjdk-17-jre-headless", "rsync", *batch.PACKAGES)  # in the image: no node has to install them


def pools(zone: str) -> dict[str, Any]:
    """The pools of all systems in one cluster."""
    made: dict[str, Any] = {}
    for system in SYSTEMS:
        for name, pool in system.pools(zone).items():
            before = made.get(name, {})
            made[name] = {**pool, **before, "roles": [*before.get("roles", []), *pool["roles"]]}
    return made
