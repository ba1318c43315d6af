# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list as server nodes serve it: nodes ask whether it has changed, and say what they see."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGEST = 65536  # bytes of a report
FREEBIND = 15  # IP_FREEBIND: the interface may come later
POLLS = 100  # a second that a server node answers at most


@dataclass
class Board:
    """What the server node knows: the list, and what each node reported last."""

    envelope: Callable[[], str]
    serial: Callable[[], int]
    owner_of: Callable[[str], str]  # the node that an address belongs to
    count: Callable[[], int]
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def report(self, name: str, data: dict[str, Any]) -> None:
        with self.lock:
            self.reports[name] = data | {"at": time.time()}

    def all(self) -> dict[str, Any]:
        with self.lock:
            return {"serial": self.serial(), "now": time.time(), "reports": dict(self.reports)}

    @property
    def pause(self) -> float:
        """Seconds between two questions of a node."""
        return max(1.0, self.count() / POLLS)


class Server(ThreadingHTTPServer):
    """The server on the node's address."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 200

    def __init__(self, address: str, port: int, board: Board) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.board = board
        super().__init__((address, port), Handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_IP, FREEBIND, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A node that went away in the middle is no fault of this one."""


class Handler(BaseHTTPRequestHandler):
    """One question."""

    protocol_version = "HTTP/1.1"
    timeout = 5
    server: Server

    def do_POST(self) -> None:
        """A node reports, and gets the list if its own is older."""
        name = self.server.board.owner_of(self.client_address[0])
        length = int(self.headers.get("Content-Length") or 0)
        if not name or length > LARGEST:
            self._answer(403)
            return
        try:
            data = json.loads(self.rfile.read(length))
            serial = int(data["serial"])
        except (ValueError, KeyError, TypeError):
            self._answer(400)
            return
        self.server.board.report(name, data)
        if serial == self.server.board.serial():
            self._answer(204)
        else:
            self._answer(200, self.server.board.envelope())

    def do_GET(self) -> None:
        """The reports of all nodes, for the server node itself."""
        if self.client_address[0] != self.server.server_address[0]:
            self._answer(403)
            return
        self._answer(200, json.dumps(self.server.board.all()))

    def _answer(self, code: int, text: str = "") -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Pause", f"{self.server.board.pause:.1f}")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Nothing: one line for each node every second."""


def serve(address: str, port: int, board: Board) -> Server:
    """Start to serve, in a thread."""
    server = Server(address, port, board)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 1}, daemon=True).start()
    return server
