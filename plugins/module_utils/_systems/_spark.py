# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spark, standalone: one master, and workers that register with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._base._jvm_packages import check as check_packages
from ._s3a import CHECKS as OBJECT_STORE
from ._s3a import FILES, NEEDS
from ._spark_settings import check as check_settings
from ._system import Opinion, Question, Role, Seen, System, View, always

MASTER, WORKER = "spark_master", "spark_worker"
STAMP = "/var/lib/sky/proof/spark.json"
PACKAGES = {"spark_python_packages": {"pyspark": "it comes with the cluster, in the version that spark_version names"}}


def judge(nodes: Iterable[Seen], view: View) -> Mapping[str, Opinion]:
    """What follows from the master's page. A master that does not answer, or is still finding its workers again, proves nothing against them."""
    return {node.name: _judged(node, view) for node in nodes}


def _judged(node: Seen, view: View) -> Opinion:
    faults: tuple[tuple[str, str], ...] = ()
    if MASTER in node.roles and node.runs("spark-master") and view.asked and not view.answers:
        faults += (("no answer", f"its master runs but does not answer at {view.page}"),)
    if WORKER not in node.roles:
        return Opinion(at_work=view.answers, faults=faults)
    member = view.member(node.address)
    at_work = view.answers and member is not None and member.at_work
    if view.answers and not at_work and node.runs("spark-worker"):
        faults += (("not at the master", f"its worker runs, but the master reports it {member.state if member else 'unknown'}"),)
    idle = at_work and member is not None and not member.busy
    return Opinion(at_work=at_work, lost=view.answers and not at_work, idle=idle, faults=faults)


SPARK = System(
    name="spark",
    title="Spark",
    head=MASTER,
    roles={
        MASTER: Role(
            steps=("spark", "spark_master"),
            variables=("spark_", "artifact_", "hdfs_", "s3a_"),
            not_variables=("spark_worker_", "spark_proof_", "hdfs_datanode_", "hdfs_namenode_", "hdfs_proof_"),
            drains=True,
            services=("spark-master", "spark-history-server"),
            stores=("hdfs", "s3a"),
            packages=PACKAGES,
            files=FILES,
            ports={"spark_port": 7077, "spark_master_ui_port": 8080, "spark_master_history_port": 18080},
        ),
        WORKER: Role(
            steps=("spark", "spark_worker"),
            variables=("spark_", "artifact_", "s3a_"),
            not_variables=("spark_master_", "spark_proof_", "spark_notebook"),
            drains=True,
            restart_drains=True,
            disposable=always,
            services=("spark-worker",),
            packages=PACKAGES,
            files=FILES,
            limits={"spark_worker_memory": "sky_memory"},
            ports={"spark_worker_port": 7078, "spark_worker_ui_port": 8081},
        ),
    },
    question=Question(
        "sky.clusters.spark_info",
        {"address": ("sky_address", ""), "port": ("spark_master_ui_port", 8080), "stamp": ("spark_proof_stamp", STAMP)},
    ),
    judge=judge,
    proof="spark_proof",
    users=("spark",),
    job_group="spark",
    checks={
        "spark_master_defaults": check_settings,
        "spark_daemon_settings": check_settings,
        "spark_jvm_packages": check_packages,
        **OBJECT_STORE,
    },
    needs=NEEDS,
    archives={"spark": "pyspark"},
    extras={
        "sky_application": "text",
        "sky_arguments": "list",
        "sky_class": "text",
        "sky_files": "list",
        "sky_show_info": "switch",
        "sky_spark_conf": "mapping",
        "sky_stop": "name",
        "sky_submission": "name",
        "sky_timeout": "seconds",
    },
)
