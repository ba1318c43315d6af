# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of a cluster: an agent on every node, which keeps the overlay, the firewall's sets and the names. One node serves their list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ._system import Opinion, Question, Role, Seen, System, View, always

GATEWAY = "gateway"
REPAIRED = ("silent", "faulty")  # states of a node that a visit repairs, as M(sky.clusters.network_info) says them


def judge(nodes: Iterable[Seen], view: View) -> Mapping[str, Opinion]:
    """What follows from what nodes have reported to the one that serves the list. If it does not answer, nothing is known of them."""
    return {node.name: _judged(node, view) for node in nodes} if view.answers else {}


def _judged(node: Seen, view: View) -> Opinion:
    member = view.member(node.address)
    if member is None:
        return Opinion(faults=(("not in the list", "it is not in the list of the cluster's nodes"),), repair=True)
    faults = () if member.at_work and not member.detail else ((member.state, member.detail or "it has not reported for a while"),)
    idle = bool(node.roles) and GATEWAY not in node.roles
    return Opinion(at_work=member.at_work, lost=not member.at_work, idle=idle, faults=faults, repair=member.state in REPAIRED)


OVERLAY = System(
    name="overlay",
    title="the overlay",
    head="",
    roles={GATEWAY: Role(steps=("vpn",), variables=("vpn_",), disposable=always)},
    every_node=Role(steps=("vpn", "firewall"), variables=("vpn_", "firewall_"), services=("sky-network", "sky-firewall")),
    question=Question("sky.clusters.network_info", {"address": ("sky_address", "")}),
    judge=judge,
    extras={"sky_network_file": "file", "sky_user": "name"},
)
