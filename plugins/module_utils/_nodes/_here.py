# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this machine is the node that a task was meant for."""

from __future__ import annotations

import socket


def elsewhere(address: str) -> str:
    """Why this machine is not the one that has an address; empty if it is."""
    if _is_own(address):
        return ""
    return (
        f"a task for the node with the address {address} ran on another machine, {socket.gethostname()}; it stopped before changing anything: "
        "remove ansible_connection and similar variables from -e and host_vars"
    )


def _is_own(address: str) -> bool:
    """The system sends from an address to itself only if it has it. Sends nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as end:
            end.connect((address, 9))
            return str(end.getsockname()[0]) == address
    except OSError:
        return False
