# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of the services, from what users write: whole, without ``https://``, or the name of a host with or without a port."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from .._contract import Invalid

SCHEME = re.compile(r"https?://", re.IGNORECASE)
PROXY, PDISK = 2634, 8445  # ports of the services where a host alone is named
XMLRPC = "xmlrpc"
ONED = "http://localhost:2633/RPC2"
HERE = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Endpoint:
    """An address as it was written."""

    key: str
    text: str
    place: str  # where: for people

    @property
    def is_host(self) -> bool:
        """Whether it is a host, perhaps with a port, and nothing else."""
        return not SCHEME.match(self.text) and not self.parts.path.strip("/")

    @property
    def parts(self) -> SplitResult:
        """
        Raises:
            Invalid: it is no address of http or https.
        """
        if "://" in self.text and not SCHEME.match(self.text):
            raise self._wrong("only http and https are possible")
        try:
            parts = urlsplit(self.text if SCHEME.match(self.text) else f"https://{self.text}")
        except ValueError as error:
            raise self._wrong(str(error)) from None
        try:
            _port = parts.port
        except ValueError:
            raise self._wrong("its port must be a number up to 65535") from None
        if not parts.hostname:
            raise self._wrong("it names no host")
        return parts

    def _wrong(self, reason: str) -> Invalid:
        return Invalid(f"{self.key} in {self.place}: '{self.text}' is not an address: {reason}")

    def host(self, port: int = 0) -> str:
        """The host, with a port; the one that is written comes first.

        Args:
            port: none if 0.
        """
        bare = self.parts.netloc.removesuffix(":")
        return bare if self.parts.port is not None or not port else f"{bare}:{port}"


def machines(endpoint: Endpoint, kind: str) -> str:
    """The XML-RPC service.

    Args:
        kind: of the login, which comes before the last part of the path.
    """
    if endpoint.text in HERE:
        return ONED
    if endpoint.is_host:
        return f"https://{endpoint.host(PROXY)}/{kind}/{XMLRPC}"
    parts = endpoint.parts
    folder, _slash, last = parts.path.rstrip("/").rpartition("/")
    return urlunsplit((parts.scheme, parts.netloc, f"{folder}/{kind}/{last or XMLRPC}", "", ""))


def disks(endpoint: Endpoint | None, of_machines: Endpoint, kind: str) -> str:
    """The disk service; where it has no address of its own, it is looked for on the host of the other one, whose port is not its own."""
    if endpoint is None and of_machines.is_host:
        parts = of_machines.parts
        host = parts.netloc.removesuffix(":")
        return f"https://{host if parts.port is None else host.rpartition(':')[0]}:{PDISK}/{kind}"
    used = endpoint or of_machines
    return f"{f'https://{used.host(PDISK)}' if used.is_host else _plain(used.parts)}/{kind}"


def plain(endpoint: Endpoint) -> str:
    """A service without kinds of login."""
    return _plain(endpoint.parts)


def _plain(parts: SplitResult) -> str:
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")).rstrip("/")
