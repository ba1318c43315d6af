# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Port translation: ports of the gateway that lead to machines of the network ``local``, reserved when a machine starts, as the site's hook does it.

There the packets are translated; here each port is listened at, and what comes is handed on.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Sequence

from .objects import Vm

SSH = 22
RESERVED = range(15_000, 17_001)
PART = 65_536  # bytes that are handed on at once
LOCAL = "local"


class _Port(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    target: tuple[str, int]

    def handle_error(self, request: object, client_address: object) -> None:
        """A machine that does not answer is no fault of the gateway."""


class _Connection(socketserver.BaseRequestHandler):
    server: _Port

    def handle(self) -> None:
        with socket.create_connection(self.server.target, timeout=30) as inside:
            inside.settimeout(None)
            back = threading.Thread(target=_handed_on, args=(inside, self.request), daemon=True)
            back.start()
            _handed_on(self.request, inside)
            back.join()


def _handed_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(PART):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)


class Gateway:
    """The gateway of one site."""

    def __init__(self, address: str, ssh_port: int = SSH, reserved: Sequence[int] = RESERVED) -> None:
        """
        Args:
            ssh_port: where a machine's ssh server really listens.
        """
        self.ports: dict[str, list[tuple[str, str]]] = {}  # of the machine and of the gateway, by machine
        self._address = address
        self._ssh_port = ssh_port
        self._reserved = reserved
        self._open: dict[int, _Port] = {}
        self._mutex = threading.Lock()

    def open(self, vm: Vm) -> None:
        """Reserve a port for a machine, unless it has one, or is on no network that needs it."""
        inside = [nic["IP"] for nic in vm.template.vectors("NIC") if nic.get("NETWORK") == LOCAL and nic.get("IP")]
        with self._mutex:
            if not inside or vm.id in self._open:
                return
            port = self._listening()
            port.target = (inside[0], self._ssh_port)
            self._open[vm.id] = port
            self.ports[str(vm.id)] = [(str(SSH), str(port.server_address[1]))]
        threading.Thread(target=port.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _listening(self) -> _Port:
        for number in self._reserved:
            with contextlib.suppress(OSError):  # it is in use
                return _Port((self._address, number), _Connection)
        raise OSError("the gateway has no port left")

    def close(self, vm: Vm) -> None:
        """Give a machine's port back."""
        with self._mutex:
            port = self._open.pop(vm.id, None)
            self.ports.pop(str(vm.id), None)
        if port:
            port.shutdown()
            port.server_close()

    def stop(self) -> None:
        for port in self._open.values():
            port.shutdown()
            port.server_close()
