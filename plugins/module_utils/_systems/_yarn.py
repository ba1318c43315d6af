# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YARN: one ResourceManager, which gives containers to applications, and NodeManagers, which run them; beside an HDFS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ._system import Opinion, Question, Role, Seen, System, View, always

RESOURCEMANAGER, NODEMANAGER = "yarn_resourcemanager", "yarn_nodemanager"
STAMP = "/var/lib/sky/proof/yarn.json"
LEAVING = "DECOMMISSION"  # what the state of a NodeManager begins with that leaves or has left


def judge(nodes: Iterable[Seen], view: View) -> Mapping[str, Opinion]:
    """What follows from the ResourceManager's page. One that does not answer proves nothing against the NodeManagers."""
    return {node.name: _judged(node, view) for node in nodes}


def _judged(node: Seen, view: View) -> Opinion:
    faults: tuple[tuple[str, str], ...] = ()
    if RESOURCEMANAGER in node.roles and node.runs("yarn-resourcemanager") and view.asked and not view.answers:
        faults += (("no answer", f"its ResourceManager runs but does not answer at {view.page}"),)
    if NODEMANAGER not in node.roles:
        return Opinion(at_work=view.answers, faults=faults)
    member = view.member(node.address)
    at_work = view.answers and member is not None and member.at_work
    repair = False
    if view.answers and member is not None and member.state.startswith(LEAVING):
        faults += (("decommissioned", f"the ResourceManager gives it no containers ({member.state})"),)
        repair = True  # a run that was killed while it drained the node
    elif view.answers and not at_work and node.runs("yarn-nodemanager"):
        faults += (
            ("not at the ResourceManager", f"its NodeManager runs, but the ResourceManager reports it {member.state if member else 'unknown'}"),
        )
    idle = at_work and member is not None and not member.busy
    return Opinion(at_work=at_work, lost=view.answers and not at_work and not repair, idle=idle, faults=faults, repair=repair)


YARN = System(
    name="yarn",
    title="YARN",
    head=RESOURCEMANAGER,
    roles={
        RESOURCEMANAGER: Role(
            steps=("yarn", "yarn_resourcemanager"),
            variables=("yarn_", "artifact_", "hdfs_port", "hdfs_ui_port", "hdfs_settings", "hdfs_encryption"),
            not_variables=("yarn_proof_", "yarn_nodemanager_"),
            drains=True,
            disposable=always,
            services=("yarn-resourcemanager", "yarn-history"),
            ports={
                "yarn_port": 8032,
                "yarn_scheduler_port": 8030,
                "yarn_tracker_port": 8031,
                "yarn_admin_port": 8033,
                "yarn_ui_port": 8088,
                "yarn_history_port": 10020,
                "yarn_history_admin_port": 10033,
                "yarn_history_ui_port": 19888,
            },
        ),
        NODEMANAGER: Role(
            steps=("yarn", "yarn_nodemanager"),
            variables=("yarn_", "artifact_", "hdfs_port", "hdfs_settings", "hdfs_encryption"),
            not_variables=("yarn_proof_", "yarn_resourcemanager_"),
            drains=True,
            disposable=always,
            services=("yarn-nodemanager",),
            limits={"yarn_nodemanager_memory": "sky_memory"},
            ports={
                "yarn_nodemanager_port": 8041,
                "yarn_nodemanager_localizer_port": 8040,
                "yarn_nodemanager_ui_port": 8042,
                "yarn_nodemanager_shuffle_port": 13562,
            },
        ),
    },
    question=Question(
        "sky.clusters.yarn_info",
        {"address": ("sky_address", ""), "port": ("yarn_ui_port", 8088), "stamp": ("yarn_proof_stamp", STAMP)},
    ),
    judge=judge,
    proof="yarn_proof",
    users=("yarn",),
)
