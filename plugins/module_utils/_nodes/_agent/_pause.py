# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pause between two looks, which ends early when there is a new list."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from . import _host
from ._exchange import Exchange, family
from ._inbox import Inbox
from ._known import Known


@dataclass
class Pause:
    """Waits at the agent's UDP port."""

    known: Known
    inbox: Inbox
    exchange: Exchange
    _listener: socket.socket | None = None

    def wait(self, seconds: float) -> None:
        """Wait, for a list that was written on this node or for a word of a server node that there is one."""
        end = time.monotonic() + seconds
        if self._listener is None:
            self._listener = self._opened()
        while (left := end - time.monotonic()) > 0:
            if self._listener is None:
                time.sleep(left)
                return
            self._listener.settimeout(left)
            try:
                word, _sender = self._listener.recvfrom(64)
            except (TimeoutError, OSError):
                return
            if word == b"list":
                self.exchange.changed.set()
            if self.inbox.written_here():
                return

    def _opened(self) -> socket.socket | None:
        try:
            sock = socket.socket(family(self.known.address), socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", self.known.nodes.port))
        except (OSError, _host.Failed):
            return None
        return sock
