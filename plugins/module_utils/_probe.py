# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does ssh answer? Asked by the banner, so that no credential and no key is needed and nothing is written to the node's log of logins."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from ._cloud import Node

Probe = Callable[[Sequence[Node]], Mapping[str, str]]  # nodes -> name: why ssh does not answer, empty if it does

PORT = 22
SECONDS = 2.0  # for one look at one node
SIDE_BY_SIDE = 32


def ssh_answers(nodes: Sequence[Node]) -> dict[str, str]:
    """Look at many nodes side by side.

    Returns:
        By node name: empty where ssh answered, else why not.
    """
    with ThreadPoolExecutor(max_workers=min(SIDE_BY_SIDE, max(1, len(nodes)))) as pool:
        return dict(zip([node.name for node in nodes], pool.map(_look, nodes), strict=True))


def _look(node: Node) -> str:
    address = node.address(public=True) or node.address()
    if not address:
        return "it has no address"
    try:
        with socket.create_connection((address, PORT), timeout=SECONDS) as connection:
            connection.settimeout(SECONDS)
            banner = connection.recv(64)
    except OSError as error:
        return f"{address} port {PORT}: {error.strerror or error}"
    return "" if banner.startswith(b"SSH-") else f"{address} port {PORT}: what answers is not ssh"
