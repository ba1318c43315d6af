# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that arrive: from a server node, or written on this node by a visit."""

from __future__ import annotations

import logging
import queue
from dataclasses import dataclass, field
from pathlib import Path

from . import _host
from ._known import Known
from ._list import Refused, accepted, write

LOG = logging.getLogger("sky-network")


@dataclass
class Inbox:
    """Takes over lists that are newer and signed."""

    known: Known
    file: Path
    signer: str  # public key
    refused: str = ""  # why the last one was refused
    _arrived: queue.Queue[str] = field(default_factory=queue.Queue)
    _stamp: float = 0.0

    def put(self, data: str) -> None:
        """Keep a list until it is this agent's turn; from any thread."""
        self._arrived.put(data)

    def take(self) -> bool:
        """Look at all that has arrived; whether there is a new list."""
        written = _host.changed_at(self.file)
        if written != self._stamp:  # by a visit, whose message may have been lost
            self._stamp = written
            self.written_here()
        before = self.known.nodes.serial
        while not self._arrived.empty():
            self._use(self._arrived.get())
        return self.known.nodes.serial > before

    def _use(self, data: str) -> None:
        try:
            envelope, nodes = accepted(data, self.signer, self.known.nodes)
        except Refused as error:
            if str(error) != self.refused:
                LOG.error("list refused: %s", error)
            self.refused = str(error)
            return
        self.refused = ""
        if nodes.serial > self.known.nodes.serial:
            self.known.use(nodes, envelope)
            write(self.file, envelope.plain())

    def written_here(self) -> bool:
        """Whether another list was put on this node by a visit."""
        try:
            data = self.file.read_text(encoding="utf-8")
        except OSError:
            return False
        if data == self.known.envelope.plain():
            return False
        self.put(data)
        return True
