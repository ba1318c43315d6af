# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Echo requests: which gateways answer, and how large packets may be."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

HEADERS = 28  # of IPv4 and of an echo request
DONT_FRAGMENT, PROBE = 10, 3  # IP_MTU_DISCOVER, IP_PMTUDISC_PROBE: as large as the interface allows, whatever the route says
STEP = 16  # WireGuard pads packets to this
SMALLEST = 1280


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def request(ident: int, sequence: int, size: int) -> bytes:
    """An echo request of so many bytes, headers included."""
    body = b"\0" * max(0, (size - HEADERS) & ~1)
    head = struct.pack("!BBHHH", 8, 0, 0, ident, sequence)
    return struct.pack("!BBHHH", 8, 0, checksum(head + body), ident, sequence) + body


def sizes(most: int) -> list[int]:
    """The sizes that are tried on a way, up to the interface's MTU."""
    return [*range(SMALLEST, most, STEP), most]


@dataclass
class Pinger:
    """Sends echo requests and notes which were answered. One socket for all."""

    source: str
    sock: socket.socket = field(init=False)
    ident: int = field(init=False)
    sequence: int = 0
    sent: dict[int, tuple[str, int]] = field(default_factory=dict)  # by sequence: whom, and how large

    def __post_init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.sock.settimeout(0)
        self.sock.setsockopt(socket.IPPROTO_IP, DONT_FRAGMENT, PROBE)
        self.sock.bind((self.source, 0))
        self.ident = os.getpid() & 0xFFFF

    def send(self, address: str, size: int = HEADERS) -> None:
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.sent[self.sequence] = (address, size)
        try:
            self.sock.sendto(request(self.ident, self.sequence, size), (address, 0))
        except OSError:  # no route, or larger than the interface takes: it is not answered
            return

    def send_all(self, address: str, of_sizes: Iterable[int]) -> None:
        for size in of_sizes:
            self.send(address, size)

    def answers(self) -> set[tuple[str, int]]:
        """Whom of those that were asked since the last call answered, and to which size."""
        found = set()
        while True:
            try:
                packet = self.sock.recv(65536)
            except OSError:
                break
            start = (packet[0] & 15) * 4
            kind, _code, _sum, ident, sequence = struct.unpack("!BBHHH", packet[start : start + 8])
            if (kind, ident) == (0, self.ident) and sequence in self.sent and socket.inet_ntoa(packet[12:16]) == self.sent[sequence][0]:
                found.add(self.sent[sequence])
        return found

    def forget(self) -> None:
        """Answers that come from now on are to what is asked from now on."""
        self.sent.clear()

    def close(self) -> None:
        self.sock.close()
