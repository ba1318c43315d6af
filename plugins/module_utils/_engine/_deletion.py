# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete nodes, and wait until the cloud no longer lists them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .._clouds._contract import Event, Node, Stage
from .._cluster_file._cluster import DEADLINES
from ._work import Work


def deleted(work: Work, nodes: Sequence[Node]) -> Iterator[Event]:
    """Delete nodes: one DELETED or FAILED each."""
    left = {node.name: node for node in nodes}
    for event in work.calls.repeated(lambda: work.cloud.delete(list(left.values())), left, "delete"):
        if event.stage is Stage.FAILED and event.name in left:
            del left[event.name]
            yield event
    began = work.clock.now()
    while left:
        listed = {node.id for node in work.calls.listing().nodes}
        for name, node in list(left.items()):
            limit = _deadline(work, node)
            if node.id not in listed:
                yield Event(left.pop(name).name, Stage.DELETED)
            elif work.clock.now() - began > limit:
                yield Event(left.pop(name).name, Stage.FAILED, f"still there {limit} s after it was deleted (id {node.id})", node=node)
        if left:
            work.clock.wait(work.poll)


def _deadline(work: Work, node: Node) -> int:
    known = work.cluster.pools.get(node.mark.pool)  # the file may no longer have it
    return (work.cluster.deadlines(node.mark.pool) if known else DEADLINES).deleted
