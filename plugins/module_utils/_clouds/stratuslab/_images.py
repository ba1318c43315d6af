# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that were added: their content on a disk of pdisk, their signed description in the Marketplace.

An entry of the Marketplace is never deleted: an image that is deleted is withdrawn by a later entry, and its disk is removed.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO
from urllib.parse import urlsplit

from ansible.module_utils.urls import ConnectionError as NoConnection
from ansible.module_utils.urls import open_url

from .._contract import CloudError, Denied, Image, ImageSpec, Invalid
from . import _metadata, _signature
from ._certificate import files
from ._credentials import Login
from ._errors import Missing
from ._http import PIECE, pieces
from ._marketplace import Marketplace, first_location
from ._metadata import RDF, SLTERMS, Content, Described, Metadata, lxml
from ._pdisk import ORIGIN, Disk, Pdisk

MARK, CHECKSUM, SIZE = "mark", "checksum", "size"  # elements of our own
SIGN = "sky-image"
PROPERTIES = {
    "os": "slterms:os",
    "os_version": "slterms:os-version",
    "version": "slterms:version",
    "title": "dcterms:title",
    "created": "dcterms:created",
    "valid": "dcterms:valid",
}
GZIP_MAGIC = b"\x1f\x8b"
SECONDS = 60  # that a server may be silent


class Images:
    """The images of one account."""

    def __init__(self, marketplace: Marketplace, pdisk: Pdisk, login: Login, mark: str) -> None:
        """
        Args:
            login: the certificate that signs.
            mark: of our images.
        """
        self._marketplace = marketplace
        self._pdisk = pdisk
        self._login = login
        self._mark = mark

    def all(self) -> list[Image]:
        return [self._image(entry) for entry in self._marketplace.all() if not self._marketplace.objection(entry)]

    def _image(self, entry: Metadata) -> Image:
        mark = entry.value(f"sky:{MARK}")
        return Image(
            name=entry.value("dcterms:alternative") if mark else entry.identifier,
            id=f"{entry.identifier}/{entry.email}/{entry.created}",
            ours=bool(mark) and mark == self._mark,
            size=int(entry.value(f"sky:{SIZE}") or entry.size),
            checksum=entry.value(f"sky:{CHECKSUM}") or (f"sha256:{entry.checksums['SHA-256']}" if "SHA-256" in entry.checksums else ""),
            format=entry.value("dcterms:format"),
            architecture=entry.value("slterms:os-arch"),
            properties={name: entry.value(element) for name, element in PROPERTIES.items() if entry.value(element)} | {"endorser": entry.email},
        )

    def fetch(self, image: Image, take: Callable[[bytes], object]) -> None:
        """The file that an image was made of, piece by piece, its content verified against its description.

        Raises:
            CloudError: it cannot be read, or is not what its description says.
        """
        identifier, email, created = image.id.split("/")
        found = [each for each in self._marketplace.entries(identifier) if (each.email, each.created) == (email, created)]
        if not found:
            raise Invalid(f"unknown image '{image.name}': the Marketplace has no entry {image.id}")
        _Download(found[0], self._pdisk).write(take)

    # adding

    def add(self, spec: ImageSpec, file: BinaryIO) -> Image:
        email = self._signer().email
        known = [image for image in self.all() if image.name == spec.name]
        foreign = [image for image in known if not image.ours]
        if foreign:
            raise Invalid(f"the name {spec.name} is taken by image {foreign[0].id}, which is not ours")
        same = [image for image in known if image.checksum == spec.checksum]
        if same:
            return same[0]
        content, size = self._read(spec, file)
        self._sweep(spec.name, keep=content.identifier)
        disk = self._stored(spec, file, content)
        described = Described(
            content=content, os=spec.properties.get("os", "unknown"), os_version=spec.properties.get("os_version", "unknown"),
            architecture=spec.properties.get("architecture", "x86_64"), version=spec.properties.get("version", "1.0"), title=spec.name,
            format=spec.format or "raw", tag=spec.name, locations=(f"{self._pdisk.http.base}/disks/{disk}",),
            mark={MARK: self._mark, CHECKSUM: spec.checksum, SIZE: str(size)},
        )  # fmt: skip
        _wait_past([entry.created for entry in self._marketplace.entries(content.identifier) if entry.email == email])
        self._publish(_metadata.document(described))
        for old in known:
            self.delete(old)
        made = [image for image in self.all() if image.name == spec.name and image.checksum == spec.checksum and image.ours]
        if not made:
            raise CloudError(f"image {spec.name}: {email} must confirm it by the mail that the Marketplace sent; nodes can be created from it then")
        return made[0]

    def _signer(self) -> _signature.Signer:
        if not self._login.by_certificate:
            raise Denied("images are signed with a certificate: set pem_certificate and pem_key, or p12_certificate and p12_password")
        own = files(self._login)
        own.check()
        return _signature.signer_of(own.certificate)

    def _publish(self, text: bytes) -> None:
        own = files(self._login)
        self._marketplace.publish(_signature.signed(text, own.certificate, own.key, password=own.password))

    @staticmethod
    def _read(spec: ImageSpec, file: BinaryIO) -> tuple[Content, int]:
        """What the file contains, after a look at its checksum."""
        running = hashlib.sha256()

        def summed() -> Iterator[bytes]:
            for piece in pieces(file):
                running.update(piece)
                yield piece

        try:
            content = Content.of(_plain(summed()))
        except (OSError, EOFError, zlib.error) as error:
            raise Invalid(f"image {spec.name}: the file cannot be decompressed: {error}") from None
        found = f"sha256:{running.hexdigest()}"
        if found != spec.checksum:
            raise Invalid(f"image {spec.name}: the file has the checksum {found}, not {spec.checksum}")
        return content, os.fstat(file.fileno()).st_size

    def _tag(self, name: str) -> str:
        return f"{SIGN} {self._mark.removeprefix('sky/1 ')} {name}"

    def _stored(self, spec: ImageSpec, file: BinaryIO, content: Content) -> str:
        """The disk with the content; one that a killed run uploaded whole is used."""
        for disk in self._pdisk.disks():
            if disk.identifier == content.identifier:
                return self._named(disk.uuid, spec.name)
        with tempfile.TemporaryFile() as packed:
            uuid = self._pdisk.upload(file if _starts(file) == GZIP_MAGIC else _packed(file, packed))
        return self._named(uuid, spec.name)

    def _named(self, uuid: str, name: str) -> str:
        self._pdisk.change(uuid, tag=self._tag(name), type=ORIGIN)
        return uuid

    def _sweep(self, name: str, keep: str) -> None:
        """Disks that a killed run left: ours, of this name, and of no entry."""
        used = {location.rpartition("/")[2] for entry in self._marketplace.all() for location in entry.locations}
        for disk in self._left(name):
            if disk.uuid not in used and disk.identifier != keep:
                self._pdisk.delete(disk.uuid)

    def _left(self, name: str) -> list[Disk]:
        return [disk for disk in self._pdisk.disks() if disk.tag == self._tag(name)]

    # deleting

    def delete(self, image: Image) -> None:
        """Withdraw an image, and remove its disk."""
        identifier, email, created = image.id.split("/")
        entries = [entry for entry in self._marketplace.entries(identifier) if entry.email == email]
        if not entries or entries[0].deprecated or entries[0].created != created:
            return
        (entry,) = entries
        if entry.value(f"sky:{MARK}") != self._mark:
            raise Invalid(f"image {image.name} ({image.id}) is not ours: it is left alone")
        self._signer()
        _wait_past([entry.created])
        self._publish(_deprecated(entry, "deleted by its owner"))
        for location in entry.locations:
            uuid = location.rpartition("/")[2]
            try:
                disk = self._pdisk.disk(uuid)
            except Missing:
                continue
            if disk.tag == self._tag(image.name):
                self._pdisk.delete(uuid)


def _deprecated(entry: Metadata, reason: str) -> bytes:
    etree = lxml()
    root = etree.fromstring(entry.text)
    etree.SubElement(root.find(f"{{{RDF}}}Description"), f"{{{SLTERMS}}}deprecated").text = reason
    text: bytes = etree.tostring(root)
    return text


def _wait_past(times: Sequence[str]) -> None:
    """A new entry must be later than the endorser's others, by whole seconds."""
    while times and datetime.now(UTC).strftime(_metadata.STAMP) <= max(times):
        time.sleep(0.1)


def _starts(file: BinaryIO) -> bytes:
    file.seek(0)
    start = file.read(2)
    file.seek(0)
    return start


def _packed(file: BinaryIO, packed: BinaryIO) -> BinaryIO:
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as out:
        for piece in pieces(file):
            out.write(piece)
    return packed


def _plain(packed: Iterator[bytes]) -> Iterator[bytes]:
    """The content of a file that may be compressed by gzip, in several parts as some programs write them."""
    inflate = None
    for place, piece in enumerate(packed):
        if place == 0 and piece.startswith(GZIP_MAGIC):
            inflate = zlib.decompressobj(wbits=31)
        if inflate is None:
            yield piece
            continue
        left = piece
        while left:
            inflate = zlib.decompressobj(wbits=31) if inflate.eof else inflate
            yield inflate.decompress(left)
            left = inflate.unused_data
    if inflate and not inflate.eof:
        raise EOFError("the compressed content ends too early")


class _Download:
    """Reads an image's content from its first location."""

    def __init__(self, entry: Metadata, pdisk: Pdisk) -> None:
        self._entry = entry
        self._pdisk = pdisk

    def write(self, take: Callable[[bytes], object]) -> None:
        """The content; what a disk has beyond it is no part of it."""
        sums = {"SHA-1": hashlib.sha1(usedforsecurity=False), "SHA-256": hashlib.sha256()}
        left = self._entry.size
        for piece in _plain(self._pieces()):
            part = piece[:left]
            left -= len(part)
            take(part)
            for each in sums.values():
                each.update(part)
        for name, each in sums.items():
            wanted = self._entry.checksums.get(name, "")
            if left or (wanted and each.hexdigest() != wanted):
                raise CloudError(f"image {self._entry.identifier}: its content has the {name} {each.hexdigest()}, not {wanted}")

    def _pieces(self) -> Iterator[bytes]:
        location = first_location(self._entry)
        disks = self._pdisk.http.base.rpartition("/")[0]
        if location.removeprefix("pdisk:").startswith(f"{disks}/"):
            with tempfile.TemporaryFile() as file:
                self._pdisk.download(location.rpartition("/")[2], file.write)
                yield from pieces(file)
        else:
            yield from _fetched(location)


def _fetched(location: str) -> Iterator[bytes]:
    """The file at an address of the web."""
    if urlsplit(location).scheme not in ("http", "https"):
        raise Invalid(f"images at {location} cannot be read: only those on the cloud's disk service, and at http and https")
    try:
        with contextlib.closing(open_url(location, timeout=SECONDS, http_agent="sky.clusters")) as answer:
            while piece := answer.read(PIECE):
                yield piece
    except (OSError, ValueError, http.client.HTTPException, NoConnection) as error:
        raise CloudError(f"{location} cannot be fetched: {error}") from error
