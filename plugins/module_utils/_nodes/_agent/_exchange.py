# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list and the reports between nodes: asked for in a thread, and served by server nodes."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ._inbox import Inbox
from ._known import Known
from ._server import Board, Server, serve

Report = Callable[[], dict[str, Any]]


@dataclass
class Exchange:
    """One node's side: it asks; if it is a server node, it answers as well."""

    known: Known
    inbox: Inbox
    report: Report
    changed: threading.Event = field(default_factory=threading.Event)  # a server node has said that there is a new list
    _sources: list[tuple[str, int]] = field(default_factory=list)
    _server: Server | None = None
    _serving: tuple[str, int] = ("", 0)
    _board: Board | None = None

    def start(self) -> None:
        """Ask from now on, in a thread: a server node that does not answer must not keep the gateways from being watched."""
        threading.Thread(target=self._poll, daemon=True).start()

    def _poll(self) -> None:
        pause = 1.0
        while True:
            self.changed.wait(pause)
            self.changed.clear()
            for address, port in list(self._sources):
                try:
                    found, pause = ask(address, port, self.report())
                except (OSError, http.client.HTTPException, ValueError):
                    continue
                if found:
                    self.inbox.put(found)
                break

    def follow(self) -> None:
        """Ask the server nodes of the list in use, and serve if this node is one."""
        nodes, me = self.known.nodes, self.known.me
        # a node that serves the list asks the others first, and itself only to be among those that have reported
        self._sources = [(nodes.address(node), nodes.port) for node in nodes.servers]
        wanted = (self.known.address, nodes.port) if me.server else ("", 0)
        if wanted == self._serving:
            return
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if wanted[0]:
            self._board = self._board or Board(self.known.plain, self.known.serial, self.known.owner_of, self.known.count)
            self._server = serve(*wanted, self._board)
        self._serving = wanted

    def tell_others(self) -> None:
        """A server node with a new list tells the others to ask for it now."""
        if not self.known.me.server:
            return
        with socket.socket(family(self.known.address), socket.SOCK_DGRAM) as sock:
            for node in self.known.nodes.nodes:
                try:
                    sock.sendto(b"list", (self.known.nodes.address(node), self.known.nodes.port))
                except OSError:
                    continue


def family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def ask(address: str, port: int, report: dict[str, Any]) -> tuple[str, float]:
    """Report to a server node; a newer list if it has one, and how long to wait until the next question."""
    connection = http.client.HTTPConnection(address, port, timeout=3)
    try:
        connection.request("POST", "/", json.dumps(report))
        answer = connection.getresponse()
        pause = float(answer.headers.get("X-Pause") or 1)
        body = answer.read().decode()
        if answer.status not in (200, 204):
            raise ValueError(f"status {answer.status}")
        return body, pause
    finally:
        connection.close()
