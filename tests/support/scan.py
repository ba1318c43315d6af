# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which TCP ports, 1 to 65535, are open at these addresses: scan.py ADDRESS... The answer is JSON. Runs here and on nodes: by their Python alone."""

import json
import resource
import select
import socket
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

AT_ONCE = 18000  # connections, of all addresses together, if the machine lets one process have so many
SPARE = 200  # descriptors left to whoever calls this
SECONDS = 1.5  # for those that do not even refuse


def open_among(address: str, ports: range) -> list[int]:
    """Those of these ports that take a connection."""
    poller = select.epoll()
    asked: dict[int, tuple[int, socket.socket]] = {}
    for port in ports:
        connection = socket.socket()
        connection.settimeout(0)
        connection.connect_ex((address, port))
        asked[connection.fileno()] = (port, connection)
        poller.register(connection, select.EPOLLOUT)
    found = []
    end = time.monotonic() + SECONDS
    while asked and time.monotonic() < end:
        for descriptor, _event in poller.poll(max(0.0, end - time.monotonic())):
            port, connection = asked.pop(descriptor)
            if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.append(port)
            connection.close()
    for _port, connection in asked.values():
        connection.close()
    poller.close()
    return sorted(found)


def open_ports(address: str, at_once: int) -> list[int]:
    """All its open ports."""
    return [port for first in range(1, 65536, at_once) for port in open_among(address, range(first, min(first + at_once, 65536)))]


def scan(addresses: Iterable[str]) -> dict[str, list[int]]:
    """The open ports of each address, all looked at side by side."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asked = list(addresses)
    at_once = min(AT_ONCE, most - SPARE) // len(asked)
    with ThreadPoolExecutor(max_workers=len(asked)) as pool:
        return dict(zip(asked, pool.map(lambda address: open_ports(address, at_once), asked), strict=True))


if __name__ == "__main__":
    print(json.dumps(scan(sys.argv[1:])))
