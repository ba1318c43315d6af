# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that were added: their content on a disk of pdisk, their signed description in the Marketplace.

An entry of the Marketplace is never deleted: an image that is deleted is withdrawn by a later entry, and its disk is removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import BinaryIO

from .._contract import CloudError, Denied, Image, ImageSpec, Invalid, Unavailable
from . import _metadata, _signature
from ._certificate import endorser, files
from ._compression import Damaged, is_gzip, packed, plain
from ._credentials import Login
from ._download import Download
from ._errors import Missing
from ._http import pieces
from ._marketplace import Marketplace
from ._metadata import RDF, SLTERMS, Content, Described, Metadata, lxml
from ._pdisk import ORIGIN, Disk, Pdisk
from ._properties import QCOW2_MAGIC, RAW, TAR, Properties, judged_format

MARK, CHECKSUM, SIZE, FORMAT = "mark", "checksum", "size", "format"  # elements of our own
SIGN = "sky-image"
AHEAD = 5.0  # s that the date of an entry may be in the future and is waited for
ACTIVE, INCOMPLETE, EXPIRED = "active", "incomplete", "expired"  # states of an image
PROPERTIES = {
    "os": "slterms:os",
    "os_version": "slterms:os-version",
    "version": "slterms:version",
    "title": "dcterms:title",
    "created": "dcterms:created",
    "valid": "dcterms:valid",
}


@dataclass(frozen=True)
class _Given:
    """What is known of a file once it has been read."""

    content: Content
    size: int  # bytes of the file itself
    format: str


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
        """Those that may be used, and those of ours that have expired: they can be added again, and deleted.

        An image that several people describe is listed once, by the latest description: that is what a node would be created from.
        """
        usable = sorted((entry for entry in self._marketplace.all() if not self._marketplace.objection(entry)), key=lambda entry: entry.created)
        added = [entry for entry in usable if self._is_added(entry)]
        others = {entry.identifier: entry for entry in usable if not self._is_added(entry)}
        return [self._image(entry) for entry in [*others.values(), *added, *self._expired()]]

    def _expired(self) -> list[Metadata]:
        found = self._marketplace.of(self._email) if self._email else []
        return [entry for entry in found if self._is_ours(entry) and not entry.deprecated and entry.expired(self._marketplace.now())]

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
            format=(entry.value(f"sky:{FORMAT}") if added else "") or entry.value("dcterms:format"),
            architecture=entry.value("slterms:os-arch"),
            properties={name: entry.value(element) for name, element in PROPERTIES.items() if entry.value(element)} | {"endorser": entry.email},
            aliases=(entry.identifier,) if added else (),
        )

    def _status(self, entry: Metadata) -> str:
        if entry.expired(self._marketplace.now()):
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
        Download(found[0], self._pdisk).write(take)

    # adding

    def add(self, spec: ImageSpec, file: BinaryIO) -> Image:
        self._check_signer()
        Properties.of(spec.properties)
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
        said, given = Properties.of(spec.properties), self._read(spec, file)
        content = given.content
        self._see_unnamed(content.identifier, spec.name)
        self._wait_past([entry.created for entry in self._marketplace.entries(content.identifier) if entry.email == self._email], spec.name)
        self._sweep(spec.name, keep=content.identifier)
        disk, new = self._stored(spec, file, content, said.visibility)
        described = self._described(spec, said, given, disk)
        try:
            self._publish(_metadata.document(described, self._marketplace.now()))
        except Unavailable:
            raise  # it may be there
        except CloudError:
            if new:  # no entry names it
                self._pdisk.delete(disk)
            raise
        made = [image for image in self.all() if (image.name, image.status, image.checksum) == (spec.name, ACTIVE, spec.checksum) and image.ours]
        if not made:
            raise CloudError(
                f"image {spec.name}: {self._email} must confirm it by the mail that the Marketplace sent; nodes can be created from it then"
            )
        return made[0]

    def _described(self, spec: ImageSpec, said: Properties, given: _Given, disk: str) -> Described:
        own = {MARK: self._mark, CHECKSUM: spec.checksum, SIZE: str(given.size)} | ({FORMAT: TAR} if given.format == TAR else {})
        return Described(
            content=given.content, os=said.os, os_version=said.os_version, architecture=said.architecture, version=said.version,
            title=said.title or spec.name, description=said.description, disks_bus=said.disks_bus, valid_days=said.valid_days,
            format=RAW if given.format == TAR else given.format, tag=spec.name, locations=(f"{self._pdisk.http.base}/disks/{disk}",), mark=own,
        )  # fmt: skip

    def _check_signer(self) -> None:
        """See whether images can be signed.

        Raises:
            Denied: there is no certificate.
            Invalid: it cannot be used.
        """
        if not self._login.by_certificate:
            raise Denied("images are signed with a certificate: set pem_certificate and pem_key, or p12_certificate and p12_password")
        files(self._login).check()
        if not self._email:
            raise Invalid(_signature.NO_EMAIL)

    def _publish(self, text: bytes) -> None:
        own = files(self._login)
        signed = _signature.signed(text, own.certificate, own.key, self._email, own.password, self._marketplace.now())
        self._marketplace.publish(signed)

    @staticmethod
    def _read(spec: ImageSpec, file: BinaryIO) -> _Given:
        """What the file contains, after a look at its checksum."""
        running, start = hashlib.sha256(), bytearray()

        def summed() -> Iterator[bytes]:
            for piece in pieces(file):
                running.update(piece)
                yield piece

        def started() -> Iterator[bytes]:
            for piece in plain(summed()):
                start.extend(piece[: len(QCOW2_MAGIC) - len(start)])
                yield piece

        try:
            content = Content.of(started())
            format_ = judged_format(spec.format, bytes(start))
        except (Damaged, Invalid) as error:
            raise Invalid(f"image {spec.name}: {'the file cannot be read: ' if isinstance(error, Damaged) else ''}{error}") from None
        found = f"sha256:{running.hexdigest()}"
        if found != spec.checksum:
            raise Invalid(f"image {spec.name}: the file has the checksum {found}, not {spec.checksum}")
        return _Given(content, os.fstat(file.fileno()).st_size, format_)

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

    def _stored(self, spec: ImageSpec, file: BinaryIO, content: Content, visibility: str) -> tuple[str, bool]:
        """The disk with the content, and whether it is new; one that a killed run uploaded whole is used."""
        known = next((disk.uuid for disk in self._pdisk.disks() if disk.identifier == content.identifier), "")
        uuid = known or self._uploaded(file)
        self._pdisk.change(uuid, tag=self._tag(spec.name), type=ORIGIN, visibility=visibility)
        return uuid, not known

    def _uploaded(self, file: BinaryIO) -> str:
        with tempfile.TemporaryFile() as compressed:
            if not is_gzip(file):
                packed(plain(pieces(file)), compressed)
            return self._pdisk.upload(file if is_gzip(file) else compressed)

    def _sweep(self, name: str, keep: str) -> None:
        """Disks that a killed run left: ours, of this name, and of no entry."""
        used = {location.rpartition("/")[2] for entry in self._marketplace.all() for location in entry.locations}
        for disk in self._left(name):
            if disk.uuid not in used and disk.identifier != keep:
                self._pdisk.delete(disk.uuid)

    def _left(self, name: str) -> list[Disk]:
        return [disk for disk in self._pdisk.disks() if disk.tag == self._tag(name)]

    def _wait_past(self, times: Sequence[str], name: str) -> None:
        """A new entry must be later than the endorser's others, by whole seconds.

        Raises:
            Invalid: one is of a future that is too far to wait for: a clock was wrong when it was signed.
        """
        last = max(times, default="")
        if last > _stamp(self._marketplace.now() + timedelta(seconds=AHEAD)):
            raise Invalid(
                f"image {name}: {self._email} has described this content with the date {last}, which is in the future by the clock of "
                f"{self._marketplace.http.base}: nothing can replace that description until then"
            )
        while last and _stamp(self._marketplace.now()) <= last:
            time.sleep(0.1)

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
        self._check_signer()
        if not entry.deprecated:
            self._wait_past([entry.created], image.name)
        self._remove_disks(entry, image.name)
        if not entry.deprecated:
            self._publish(_deprecated(entry, "deleted by its owner"))

    def _remove_disks(self, entry: Metadata, name: str) -> None:
        for location in entry.locations:
            uuid = location.rpartition("/")[2]
            with contextlib.suppress(Missing):
                if self._pdisk.disk(uuid).tag == self._tag(name):
                    self._pdisk.delete(uuid)


def _stamp(time_: datetime) -> str:
    return time_.strftime(_metadata.STAMP)


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
