# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HDFS: one NameNode, which knows the files, and DataNodes, which hold their blocks; all of it on kept volumes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ._checks import between, matching, sha256
from ._system import Check, Opinion, Question, Role, Seen, System, View

NAMENODE, DATANODE = "hdfs_namenode", "hdfs_datanode"
VOLUME = "hdfs"  # the volume of a node that holds what HDFS keeps there
STAMP = "/var/lib/sky/proof/hdfs.json"
LEAVING = "Decommission"  # what the state of a DataNode begins with that leaves or has left


def on_a_volume(volumes: Collection[str]) -> bool:
    """All that a node keeps is on its volume, which a new one is given."""
    return VOLUME in volumes


def judge(nodes: Iterable[Seen], view: View) -> Mapping[str, Opinion]:
    """What follows from the NameNode's page. One in safe mode is still hearing from its DataNodes, and proves nothing against them."""
    return {node.name: _judged(node, view) for node in nodes}


def _judged(node: Seen, view: View) -> Opinion:
    faults: tuple[tuple[str, str], ...] = ()
    if NAMENODE in node.roles and node.runs("hdfs-namenode") and view.asked and not view.answers:
        faults += (("no answer", f"its NameNode runs but is not ready at {view.page}: {view.facts.get('safe mode') or 'nothing answers'}"),)
    if NAMENODE in node.roles and view.answers:
        faults += tuple(_of_files(view))
    if DATANODE not in node.roles:
        return Opinion(at_work=view.answers, faults=faults)
    member = view.member(node.address)
    at_work = view.answers and member is not None and member.at_work
    repair = False
    if view.answers and member is not None and member.state.startswith(LEAVING):
        # a run that was killed while it drained the node, and a node that is wanted again
        faults += (("decommissioned", f"the NameNode moves its blocks away ({member.state})"),)
        repair = True
    elif view.answers and not at_work and node.runs("hdfs-datanode"):
        faults += (("not at the NameNode", f"its DataNode runs, but the NameNode reports it {member.state if member else 'unknown'}"),)
        repair = member is None
    idle = at_work and member is not None and not member.busy
    return Opinion(at_work=at_work, lost=view.answers and not at_work and not repair, idle=idle, faults=faults, repair=repair)


def _of_files(view: View) -> Iterator[tuple[str, str]]:
    """What is wrong with the files as a whole, for which the NameNode speaks."""
    if missing := view.facts.get("missing blocks"):
        yield "blocks missing", f"{missing} block(s) have no copy on any live DataNode: 'hdfs fsck / -list-corruptfileblocks' names their files"
    live = view.facts.get("DataNodes live")
    if live and view.facts.get("DataNodes full") == live:
        yield "HDFS full", "no DataNode has room for another block of 128 MiB: add DataNodes, enlarge their volumes, or remove files"


def folders(value: Iterable[Mapping[str, Any]]) -> str:
    """Folders that a run creates. YAML reads a mode without quotes as a number, and one that begins with 0 as another number."""
    for number, folder in enumerate(value):
        path, mode = folder["path"], folder.get("mode", "755")
        if not re.fullmatch(r"(/[^/:]+)+", str(path)):
            return f"entry {number}: 'path' must be a path in HDFS, such as /sets, got {path!r}"
        if not isinstance(mode, str) or not re.fullmatch(r"[0-7]{3,4}", mode):
            return f"entry {number} ('{path}'): 'mode' must be a mode in quotes, such as \"755\", got {mode!r}"
    return ""


def settings(value: Mapping[str, Any]) -> str:
    """The number of copies is not one of them: clients, the NameNode and the run would each go by another one."""
    return "dfs.replication: set hdfs_replication instead" if "dfs.replication" in value else ""


COPIES = between(1, 512)  # the most is Hadoop's own; without one a DataNode that leaves takes its blocks with it

CHECKS: Mapping[str, Check] = {
    "hdfs_replication": COPIES,
    "hdfs_client_replication": COPIES,
    "hdfs_client_namenode": matching(r"(\[[0-9a-fA-F:]+\]|[^\s/:]+):\d+", "an address and a port, such as 10.0.0.4:8020"),
    "hdfs_heap": matching(r"[1-9]\d*[mMgG]", "a size in MiB or GiB, such as 512m or 2g"),
    "hdfs_namenode_folders": folders,
    "hdfs_settings": settings,
    "hdfs_sha256": sha256,
}

HDFS = System(
    name="hdfs",
    title="HDFS",
    head=NAMENODE,
    roles={
        NAMENODE: Role(
            steps=("hdfs", "hdfs_ceph", "hdfs_client", "hdfs_namenode"),
            variables=("hdfs_", "artifact_"),
            not_variables=("hdfs_proof_",),
            drains=True,
            disposable=on_a_volume,
            services=("hdfs-namenode",),
            stores=("hdfs",),
            volume=VOLUME,
            excludes=("hdfs_client_namenode",),
            ports={"hdfs_port": 8020, "hdfs_ui_port": 9870},
        ),
        DATANODE: Role(
            steps=("hdfs", "hdfs_ceph", "hdfs_client", "hdfs_datanode"),
            variables=("hdfs_", "artifact_"),
            not_variables=("hdfs_proof_",),
            drains=True,
            disposable=on_a_volume,
            services=("hdfs-datanode",),
            volume=VOLUME,
            ports={"hdfs_datanode_port": 9866, "hdfs_datanode_ipc_port": 9867, "hdfs_datanode_ui_port": 9864},
        ),
    },
    question=Question(
        "sky.clusters.hdfs_info",
        {"address": ("sky_address", ""), "port": ("hdfs_ui_port", 9870), "stamp": ("hdfs_proof_stamp", STAMP)},
    ),
    judge=judge,
    proof="hdfs_proof",
    users=("hdfs",),
    checks=CHECKS,
    needs={"hdfs_archive": ("hdfs_sha256",)},
)
