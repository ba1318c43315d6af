# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at the gateways and the ways: which answer, and how large packets may be."""

from __future__ import annotations

import logging

from ._peering import Peering
from ._probe import HEADERS, Pinger

LOG = logging.getLogger("sky-network")


def watch(peering: Peering, pinger: Pinger) -> None:
    """Take the answers to what the last look has asked, act on them, and ask again."""
    finder, most = peering.mtu, peering.interface.mtu()
    answered = pinger.answers()
    if finder.judge(pinger, most, answered):
        peering.set_routes()
    _judge_gateways(peering, pinger, {address for address, size in answered if size == HEADERS})
    if not finder.searches:
        pinger.forget()
    finder.begin(pinger, most)
    for node in peering.known.gateways:
        pinger.send(peering.known.nodes.address(node))
    peering.greet_next()


def _judge_gateways(peering: Peering, pinger: Pinger, alive: set[str]) -> None:
    known, gateways = peering.known, peering.gateways
    changes = [node for node in known.gateways if pinger.sent and gateways.seen(node.name, known.nodes.address(node) in alive)]
    if not changes:
        return
    LOG.info("gateways: %s", ", ".join(f"{node.name} {'answers' if gateways.alive(node.name) else 'is silent'}" for node in changes))
    peering.apply()
    if any(node.cloud == known.me.cloud for node in changes):
        peering.renew_far_endpoints()
    peering.mtu.doubt()
