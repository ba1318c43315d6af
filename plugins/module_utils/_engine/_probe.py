# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does ssh answer? Checked by the banner, so that no key is needed and no login is logged on the node.

Nodes without an outside address are checked from their gateway: by one login there for all of them.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from .._clouds._contract import Node
from ._gateway import PORT, Gateway, behind, ssh_reason


class Probe(Protocol):
    """Says, by name, why ssh does not answer at nodes; empty if it does."""

    def __call__(self, nodes: Sequence[Node], gateway: Gateway | None, /) -> Mapping[str, str]: ...


SECONDS = 2.0  # for one look at one node
LOGIN = 30.0  # s for one login at the gateway and the looks from there
SIDE_BY_SIDE = 32
FROM_THERE = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def look(address):
    try:
        with socket.create_connection((address, int(sys.argv[1])), timeout=float(sys.argv[2])) as connection:
            connection.settimeout(float(sys.argv[2]))
            return "" if connection.recv(64).startswith(b"SSH-") else "not an ssh server"
    except OSError as error:
        return str(error.strerror or error)
with ThreadPoolExecutor(32) as pool:
    print(json.dumps(dict(zip(sys.argv[3:], pool.map(look, sys.argv[3:])))))
"""


def ssh_answers(nodes: Sequence[Node], gateway: Gateway | None = None) -> dict[str, str]:
    """Look at many nodes side by side.

    Args:
        gateway: the node that those without an address outside are reached through.

    Returns:
        By node name: empty where ssh answered, else why not.
    """
    direct = [node for node in nodes if not behind(node, gateway)]
    with ThreadPoolExecutor(max_workers=min(SIDE_BY_SIDE, max(1, len(direct)))) as pool:
        found = dict(zip([node.name for node in direct], pool.map(_look, direct), strict=True))
    hidden = [node for node in nodes if behind(node, gateway)]
    return found | (_look_from(gateway, hidden) if gateway and hidden else {})


def _look(node: Node) -> str:
    address = node.address(public=True) or node.address()
    if not address:
        return "it has no address"
    port = node.port or PORT
    try:
        with socket.create_connection((address, port), timeout=SECONDS) as connection:
            connection.settimeout(SECONDS)
            banner = connection.recv(64)
    except OSError as error:
        return f"{address} port {port}: {error.strerror or error}"
    return "" if banner.startswith(b"SSH-") else f"{address} port {port}: not an ssh server"


def _look_from(gateway: Gateway, nodes: Sequence[Node]) -> dict[str, str]:
    """Check from the gateway which of these answer."""
    addresses = {node.name: node.address() for node in nodes}
    command = ["python3", "-", str(PORT), str(SECONDS), *filter(None, addresses.values())]
    patience = LOGIN + len(addresses) * SECONDS / 8
    try:
        said = subprocess.run(
            [*gateway.command(), *command],
            input=FROM_THERE,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
        answers = json.loads(said.stdout) if said.returncode == 0 else {}
        reason = ssh_reason(said.stderr) or f"exit status {said.returncode}"
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        answers, reason = {}, str(error)
    silent = f"gateway {gateway.node.name} cannot be asked ({reason})"
    return {name: _reason(address, answers.get(address, silent)) if address else "it has no address" for name, address in addresses.items()}


def _reason(address: str, answer: str) -> str:
    return f"{address} port {PORT}: {answer}" if answer else ""
