# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch system: one server with its queues, and nodes that run jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ._system import Opinion, Question, Role, Seen, System, View, always
from ._torque_settings import CHECKS

SERVER, NODE = "torque_server", "torque_node"
# Why a node takes no jobs that a visit takes in again: by the end of what the server's module says of it
TAKEN_OUT = {
    "taken out by a run": "it was taken out by a run that ended before it removed the node",
    "taken out without its homes": "it was taken out, since a job could not begin without the home of its user",
}
STAMP = "/var/lib/sky/proof/torque.json"


def judge(nodes: Iterable[Seen], view: View) -> Mapping[str, Opinion]:
    """What follows from the server's list of nodes. A server that does not answer proves nothing against them."""
    return {node.name: _judged(node, view) for node in nodes}


def _judged(node: Seen, view: View) -> Opinion:
    faults: tuple[tuple[str, str], ...] = ()
    if SERVER in node.roles and node.runs("slurmctld") and view.asked and not view.answers:
        faults += (("no answer", f"its server of the batch system runs but does not answer at {view.page}"),)
    if NODE not in node.roles:
        return Opinion(at_work=view.answers, faults=faults)
    member = view.member(node.address)
    at_work = view.answers and member is not None and member.at_work
    if view.answers and not at_work and node.runs("slurmd"):
        faults += (("not at the server", f"it runs, but the server reports it {member.state if member else 'unknown'}"),)
    detail = member.detail if member and at_work else ""
    abandoned = tuple(("offline", sentence) for words, sentence in TAKEN_OUT.items() if detail.endswith(words))
    idle = at_work and member is not None and not member.busy
    return Opinion(at_work=at_work, lost=view.answers and not at_work, idle=idle, faults=faults + abandoned, repair=bool(abandoned))


TORQUE = System(
    name="torque",
    title="Torque",
    head=SERVER,
    keeps_identities=True,
    roles={
        SERVER: Role(
            steps=("torque", "torque_server"),
            variables=("torque_", "node_user"),
            not_variables=("torque_node_", "torque_proof_"),
            drains=True,
            services=("munge", "slurmctld"),
            ports={"torque_port": 6817, "torque_server_accounting_port": 6819},
        ),
        NODE: Role(
            steps=("torque", "torque_node"),
            variables=("torque_",),
            not_variables=("torque_server_", "torque_proof_"),
            drains=True,
            disposable=always,
            services=("munge", "slurmd"),
            limits={"torque_node_memory": "sky_memory"},
            ports={"torque_node_port": 6818},
        ),
    },
    question=Question(
        "sky.clusters.torque_info",
        {"address": ("sky_address", ""), "port": ("torque_port", 6817), "stamp": ("torque_proof_stamp", STAMP)},
    ),
    judge=judge,
    proof="torque_proof",
    users=("slurm", "munge"),
    extras={
        "sky_arguments": "list",
        "sky_files": "list",
        "sky_month": "name",
        "sky_qsub": "list",
        "sky_script": "text",
        "sky_submission": "name",
        "sky_timeout": "seconds",
        "sky_user": "name",
    },
    usage="sky.clusters.torque_usage",
    checks=CHECKS,
)
