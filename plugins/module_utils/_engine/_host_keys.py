# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host keys of nodes that have just started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._clouds._contract import Event, Node, Stage
from ._work import Work

KEYS = 60.0  # s that a cloud may take to show the host keys of a node that answers by ssh


class HostKeys:
    """Nodes that answer by ssh are reachable once their host keys are known, or the cloud had its time to show them."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._since: dict[str, float] = {}

    def learn(self, nodes: Sequence[Node]) -> None:
        if not nodes:
            return
        learned = self._work.calls.ask(lambda: self._work.cloud.learn_host_keys(nodes), "host keys")
        for node in nodes:
            since = self._since.setdefault(node.name, self._work.clock.now())
            keys = learned.get(node.name)
            if keys is None and self._work.clock.now() - since <= KEYS:
                continue
            address = node.address(public=True) or node.address()
            detail = address if keys else f"{address}; the cloud does not show its host key: trusted on first use"
            self._work.journal.note(Event(node.name, Stage.REACHABLE, detail, node=replace(node, host_keys=keys or ())))
