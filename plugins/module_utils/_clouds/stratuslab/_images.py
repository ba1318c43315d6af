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
from functools import cached_property
from typing import BinaryIO
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, build_opener

from .._contract import CloudError, Denied, Image, ImageSpec, Invalid
from . import _metadata, _signature
from ._certificate import endorser, files
from ._credentials import Login
from ._errors import Missing
from ._http import PIECE, pieces, tls
from ._marketplace import Marketplace, first_location
from ._metadata import RDF, SLTERMS, Content, Described, Metadata, lxml
from ._pdisk import ORIGIN, Disk, Pdisk

MARK, CHECKSUM, SIZE = "mark", "checksum", "size"  # elements of our own
SIGN = "sky-image"
ACTIVE, INCOMPLETE, EXPIRED = "active", "incomplete", "expired"  # states of an image
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
        """Those that may be used, and those of ours that have expired: they can be added again, and deleted."""
        usable = [entry for entry in self._marketplace.all() if not self._marketplace.objection(entry)]
        return [self._image(entry) for entry in [*usable, *self._expired()]]

    def _expired(self) -> list[Metadata]:
        found = self._marketplace.of(self._email) if self._email else []
        return [entry for entry in found if self._is_ours(entry) and not entry.deprecated and entry.expired(datetime.now(UTC))]

    def _image(self, entry: Metadata) -> Image:
        added = self._is_added(entry)
        known = f"sha256:{entry.checksums['SHA-256']}" if "SHA-256" in entry.checksums else ""
        return Image(
            name=entry.value("dcterms:alternative") if added else entry.identifier,
            id=f"{entry.identifier}/{entry.email}/{entry.created}",
            status=self._status(entry),
            ours=self._is_ours(entry),
            size=(entry.number(f"sky:{SIZE}") if added else 0) or entry.size,
            checksum=(entry.value(f"sky:{CHECKSUM}") if added else "") or known,
            content=known,
            format=entry.value("dcterms:format"),
            architecture=entry.value("slterms:os-arch"),
            properties={name: entry.value(element) for name, element in PROPERTIES.items() if entry.value(element)} | {"endorser": entry.email},
        )

    def _status(self, entry: Metadata) -> str:
        if entry.expired(datetime.now(UTC)):
            return EXPIRED
        return INCOMPLETE if self._is_ours(entry) and self._is_lost(entry) else ACTIVE

    def _is_added(self, entry: Metadata) -> bool:
        """Whether an entry is of an image that was added in our name: anyone may write a mark, but only who signs as we do could have added it."""
        return bool(entry.value(f"sky:{MARK}")) and entry.email == self._email

    def _is_ours(self, entry: Metadata) -> bool:
        return self._is_added(entry) and entry.value(f"sky:{MARK}") == self._mark

    def _is_lost(self, entry: Metadata) -> bool:
        """Whether the disk with the content is gone: a deletion was cut short, or somebody else deleted it."""
        location = next(iter(entry.locations), "")
        if not self._is_here(location):
            return False
        try:
            self._pdisk.disk(location.rpartition("/")[2])
        except Missing:
            return True
        except Denied:
            pass  # it is somebody else's
        return False

    def _is_here(self, location: str) -> bool:
        """Whether a location is on this cloud's disk service; several clouds may share a Marketplace."""
        return location.startswith(f"{self._pdisk.http.base.rpartition('/')[0]}/")

    @cached_property
    def _email(self) -> str:
        return endorser(self._login)

    def fetch(self, image: Image, take: Callable[[bytes], object]) -> None:
        """The content of an image, piece by piece, also of one that was added as a compressed file, verified against its description.

        Raises:
            CloudError: it cannot be read, or is not what its description says.
        """
        identifier, email, created = _key(image)
        found = [each for each in self._marketplace.entries(identifier) if (each.email, each.created) == (email, created)]
        if not found:
            raise Invalid(f"unknown image '{image.name}': the Marketplace has no entry {image.id}")
        _Download(found[0], self._pdisk).write(take)

    # adding

    def add(self, spec: ImageSpec, file: BinaryIO) -> Image:
        self._signer()
        known = [image for image in self.all() if image.name == spec.name]
        foreign = [image for image in known if not image.ours]
        if foreign:
            raise Invalid(f"the name {spec.name} is taken by image {foreign[0].id}, which is not ours")
        whole = [image for image in known if (image.status, image.checksum) == (ACTIVE, spec.checksum)]
        kept = whole[0] if whole else self._made(spec, file)
        for old in known:
            if old.id != kept.id:
                self.delete(old)
        return kept

    def _made(self, spec: ImageSpec, file: BinaryIO) -> Image:
        content, size = self._read(spec, file)
        self._see_unnamed(content.identifier, spec.name)
        self._sweep(spec.name, keep=content.identifier)
        disk = self._stored(spec, file, content)
        described = Described(
            content=content, os=spec.properties.get("os", "unknown"), os_version=spec.properties.get("os_version", "unknown"),
            architecture=spec.properties.get("architecture", "x86_64"), version=spec.properties.get("version", "1.0"), title=spec.name,
            format=spec.format or "raw", tag=spec.name, locations=(f"{self._pdisk.http.base}/disks/{disk}",),
            mark={MARK: self._mark, CHECKSUM: spec.checksum, SIZE: str(size)},
        )  # fmt: skip
        _wait_past([entry.created for entry in self._marketplace.entries(content.identifier) if entry.email == self._email])
        self._publish(_metadata.document(described))
        made = [image for image in self.all() if (image.name, image.status, image.checksum) == (spec.name, ACTIVE, spec.checksum) and image.ours]
        if not made:
            raise CloudError(
                f"image {spec.name}: {self._email} must confirm it by the mail that the Marketplace sent; nodes can be created from it then"
            )
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

    def _see_unnamed(self, identifier: str, name: str) -> None:
        """The Marketplace keeps one entry of a content for each endorser: a second name would take the place of the first.

        Raises:
            Invalid: the content has another name.
        """
        for entry in self._marketplace.entries(identifier):
            known = entry.value("dcterms:alternative")
            if self._is_added(entry) and not entry.deprecated and (known, entry.value(f"sky:{MARK}")) != (name, self._mark):
                raise Invalid(f"image {name}: this content is image {known} already: use that name, or delete that image first")

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
        """Remove an image's disk, and withdraw the image: one whose disk cannot be removed stays listed, and can be deleted again."""
        identifier, email, created = _key(image)
        entry = next((each for each in self._marketplace.entries(identifier) if each.email == email), None)
        if entry is None or (entry.created != created and not entry.deprecated):
            return
        if not self._is_ours(entry):
            if entry.deprecated:
                return
            raise Invalid(f"image {image.name} ({image.id}) is not ours: it is left alone")
        self._signer()
        self._remove_disks(entry, image.name)
        if not entry.deprecated:
            _wait_past([entry.created])
            self._publish(_deprecated(entry, "deleted by its owner"))

    def _remove_disks(self, entry: Metadata, name: str) -> None:
        for location in entry.locations:
            uuid = location.rpartition("/")[2]
            with contextlib.suppress(Missing):
                if self._pdisk.disk(uuid).tag == self._tag(name):
                    self._pdisk.delete(uuid)


def _key(image: Image) -> tuple[str, str, str]:
    """Identifier, endorser and time of an entry; the address of an endorser may have a slash."""
    identifier, _slash, rest = image.id.partition("/")
    email, _slash, created = rest.rpartition("/")
    return identifier, email, created


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
            yield from _fetched(location, self._pdisk.http.ca_file)


def _fetched(location: str, ca_file: str) -> Iterator[bytes]:
    """The file at an address of the web."""
    if urlsplit(location).scheme not in ("http", "https"):
        raise Invalid(f"images at {location} cannot be read: only those on the cloud's disk service, and at http and https")
    try:
        opener = build_opener(HTTPSHandler(context=tls(ca_file)))
        opener.addheaders = [("User-Agent", "sky.clusters")]
        with opener.open(location, timeout=SECONDS) as answer:
            while piece := answer.read(PIECE):
                yield piece
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CloudError(f"{location} cannot be fetched: {error}") from error
