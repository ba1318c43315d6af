# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules on the node that serves the list ask its agent."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any

LIST = Path("/var/lib/sky/network/list.json")
USERS = Path("/etc/sky/network/users.json")  # public keys of people outside


def reports(address: str, port: int) -> dict[str, Any]:
    """What the nodes reported last; empty if the agent does not answer."""
    connection = http.client.HTTPConnection(address, port, timeout=5, source_address=(address, 0))
    try:
        connection.request("GET", "/")
        found: dict[str, Any] = json.loads(connection.getresponse().read())
        return found
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    finally:
        connection.close()


def look(port: int) -> None:
    """Let the agent of this node look at its files now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"look", ("127.0.0.1", port))
