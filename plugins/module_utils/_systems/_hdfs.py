# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HDFS: one NameNode, which knows the files, and DataNodes, which hold their blocks; all of it on kept volumes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ._system import Opinion, Question, Role, Seen, System, View

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
            volume=VOLUME,
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
)
