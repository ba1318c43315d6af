# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load balancer: one node whose ports lead to the nodes of pools. These know nothing of it, so they are no members of the system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ._system import Opinion, Question, Role, Seen, System, View, always

BALANCER = "load_balancer"
UNIT = "sky-load-balancer"


def judge(nodes: Iterable[Seen], view: View) -> Mapping[str, Opinion]:
    """What follows from what HAProxy says of itself. Nodes behind it that do not answer are among the facts: what they run is not of this system."""
    silent = view.asked and not view.answers
    return {
        node.name: Opinion(
            at_work=view.answers,
            faults=(("no answer", "its load balancer runs but does not answer"),) if silent and node.runs(UNIT) else (),
            repair=silent,
        )
        for node in nodes
    }


LOAD_BALANCER = System(
    name="load_balancer",
    title="the load balancer",
    head=BALANCER,
    roles={
        BALANCER: Role(steps=("load_balancer",), variables=("load_balancer_", "sky_balances"), drains=True, disposable=always, services=(UNIT,)),
    },
    question=Question("sky.clusters.load_balancer_info", {"address": ("sky_address", "")}),
    judge=judge,
)
