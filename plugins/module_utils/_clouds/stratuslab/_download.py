# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the content of an image from where its description says that it is."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import tempfile
from collections.abc import Callable, Generator, Iterator
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, build_opener

from .._contract import CloudError, Invalid
from ._compression import Damaged, plain
from ._errors import Missing
from ._http import PIECE, pieces, tls
from ._metadata import Metadata
from ._pdisk import Pdisk

SECONDS = 60  # that a server may be silent


class Download:
    """Reads an image's content from its first location that gives any."""

    def __init__(self, entry: Metadata, pdisk: Pdisk) -> None:
        self._entry = entry
        self._pdisk = pdisk

    def write(self, take: Callable[[bytes], object]) -> None:
        """Hand the content on, piece by piece; what a disk has beyond it is no part of it.

        Raises:
            CloudError: no location gives it, or it is not what the description says.
        """
        sums = {"SHA-1": hashlib.sha1(usedforsecurity=False), "SHA-256": hashlib.sha256()}
        left = self._entry.size
        for piece in self._plain():
            part = piece[:left]
            left -= len(part)
            take(part)
            for each in sums.values():
                each.update(part)
        for name, each in sums.items():
            wanted = self._entry.checksums.get(name, "")
            if left or (wanted and each.hexdigest() != wanted):
                raise CloudError(f"image {self._entry.identifier}: its content has the {name} {each.hexdigest()}, not {wanted}")

    def _plain(self) -> Iterator[bytes]:
        try:
            with contextlib.closing(self._pieces()) as found:
                yield from plain(found)
        except Damaged as error:
            raise CloudError(f"image {self._entry.identifier}: its content cannot be read: {error}") from None

    def _pieces(self) -> Generator[bytes]:
        """What the first location sends of which anything comes."""
        errors: list[CloudError] = []
        for location in self._entry.locations:
            with contextlib.closing(self._at(location)) as sent:
                try:
                    first = next(sent, b"")
                except CloudError as error:
                    errors.append(error)
                    continue
                yield first
                yield from sent
                return
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise CloudError("; ".join(map(str, errors)))
        raise Missing(f"image '{self._entry.identifier}' has no location")

    def _at(self, location: str) -> Generator[bytes]:
        disks = self._pdisk.http.base.rpartition("/")[0]
        if location.removeprefix("pdisk:").startswith(f"{disks}/"):
            with tempfile.TemporaryFile() as file:
                self._pdisk.download(location.rpartition("/")[2], file.write)
                yield from pieces(file)
        else:
            yield from fetched(location, self._pdisk.http.terms.ca_file)


def fetched(location: str, ca_file: str) -> Iterator[bytes]:
    """The file at an address of the web."""
    if urlsplit(location).scheme not in ("http", "https"):
        raise Invalid(f"images at {location} cannot be read: only those on the cloud's disk service, and at http and https")
    try:
        opener = build_opener(HTTPSHandler(context=tls(ca_file)))
        opener.addheaders = [("User-Agent", "sky.clusters")]
        with opener.open(location, timeout=SECONDS) as answer:
            while piece := answer.read(PIECE):
                yield piece
    except HTTPError as error:
        error.close()
        raise CloudError(f"{location} cannot be fetched: {error}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CloudError(f"{location} cannot be fetched: {error}") from error
