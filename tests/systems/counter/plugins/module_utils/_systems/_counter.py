# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counter: one server, and members that fetch units of work from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ._system import Opinion, Question, Role, Seen, System, View, always

SERVER, MEMBER = "counter_server", "counter_member"


def judge(nodes: Iterable[Seen], view: View) -> Mapping[str, Opinion]:
    return {node.name: _judged(node, view) for node in nodes}


def _judged(node: Seen, view: View) -> Opinion:
    if MEMBER not in node.roles:
        return Opinion(at_work=view.answers)
    member = view.member(node.address)
    at_work = member is not None and member.at_work
    return Opinion(at_work=at_work, lost=view.answers and not at_work, idle=at_work and member is not None and not member.busy)


COUNTER = System(
    name="counter",
    title="Counter",
    head=SERVER,
    roles={
        SERVER: Role(("counter_server",), ("counter_",), drains=True, services=("counter-server",), ports={"counter_server_port": 7300}),
        MEMBER: Role(("counter_member",), ("counter_",), drains=True, disposable=always, services=("counter-member",)),
    },
    question=Question("sky.clusters.counter_info", {"address": ("sky_address", ""), "port": ("counter_server_port", 7300)}),
    judge=judge,
    proof="counter_proof",
)
