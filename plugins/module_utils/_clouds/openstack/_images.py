# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images in Glance: looked up by name and mark, uploaded completely or not at all, deleted."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from .._contract import CloudError, Image, ImageSpec, Invalid
from . import _marks
from ._api import IMAGE, Api, Found
from ._errors import Missing

CHECKSUM, FORMAT = "sky_checksum", "sky_format"  # properties: checksum of the file, as requested; its format, if Glance has no such one
FORMATS = ("raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso")
TAR = "tar"  # an archive, which is kept for a local cloud: to Glance it is raw
HALF = ("queued", "saving", "uploading", "importing", "killed")  # an interrupted upload is in one of these states
QCOW2 = b"QFI\xfb"  # what such a file begins with
PART = 2**20  # bytes that are sent at a time


class Images:
    """The images that a project sees."""

    def __init__(self, api: Api, mark: str) -> None:
        """
        Args:
            mark: of the images that are ours.
        """
        self._api = api
        self._mark = mark

    def all(self) -> list[Image]:
        return [self._image(item) for item in self._api.all(IMAGE, "/images", "images")]

    def _image(self, item: Found) -> Image:
        known = item.get(CHECKSUM) or (f"{item['os_hash_algo']}:{item['os_hash_value']}" if item.get("os_hash_value") else "")
        return Image(
            name=str(item.get("name") or ""),
            id=str(item["id"]),
            status=str(item["status"]),
            ours=item.get(_marks.MARK) == self._mark,
            size=int(item.get("size") or 0),
            checksum=str(known),
            format=str(item.get(FORMAT) or item.get("disk_format") or ""),
            architecture=str(item.get("architecture") or ""),
        )

    def add(self, spec: ImageSpec, file: BinaryIO) -> Image:
        """See the contract."""
        known = [self._image(item) for item in self._api.all(IMAGE, "/images", "images", name=spec.name) if item.get("name") == spec.name]
        foreign = [image for image in known if not image.ours]
        if foreign:
            raise Invalid(f"the name {spec.name} is taken by image {foreign[0].id}, which does not have the mark '{self._mark}'")
        body = self._described(spec, file)
        for image in [image for image in known if image.status in HALF]:
            self._remove(image.id)
        whole = [image for image in known if (image.status, image.checksum) == ("active", spec.checksum)]
        kept = whole[0] if whole else self._sent(body, spec, file)
        for image in [image for image in known if image.status not in HALF and image.id != kept.id]:
            self._remove(image.id)
        return kept

    def _described(self, spec: ImageSpec, file: BinaryIO) -> dict[str, Any]:
        """The description of an image in the call that creates it."""
        own = [name for name in spec.properties if name.startswith(_marks.MARK)]
        if own:
            raise Invalid(f"properties.{own[0]}: names that begin with '{_marks.MARK}' are reserved for marks")
        looks = "qcow2" if _beginning(file, len(QCOW2)) == QCOW2 else ""
        wanted = spec.format or looks or "raw"
        if wanted not in (*FORMATS, TAR):
            raise Invalid(f"unknown format '{wanted}' of image {spec.name}: known: {', '.join((*FORMATS, TAR))}")
        if "qcow2" in (wanted, looks) and wanted != looks:
            raise Invalid(f"the file of image {spec.name} {'is' if looks else 'is not'} qcow2: the format {wanted} is wrong")
        marks = {_marks.MARK: self._mark, CHECKSUM: spec.checksum} | ({FORMAT: TAR} if wanted == TAR else {})
        fixed = {"name": spec.name, "disk_format": "raw" if wanted == TAR else wanted, "container_format": "bare", "visibility": "private"}
        return dict(spec.properties) | fixed | {"min_disk": spec.min_disk, "min_ram": spec.min_memory} | marks

    def _sent(self, body: Mapping[str, Any], spec: ImageSpec, file: BinaryIO) -> Image:
        made = self._api.made(IMAGE, "/images", body, "")
        try:
            self._api.access()  # with an expired login the file would be sent twice
            content = _Content(file, spec)
            self._api.upload(IMAGE, f"/images/{made['id']}/file", content)
            item = self._api.one(IMAGE, f"/images/{made['id']}", "")
            content.check(item)
        except BaseException:
            with contextlib.suppress(CloudError):  # the next run finds it by its mark
                self._remove(str(made["id"]))
            raise
        return self._image(item)

    def delete(self, image: Image) -> None:
        """See the contract."""
        try:
            item = self._api.one(IMAGE, f"/images/{image.id}", "")
        except Missing:
            return
        if item.get(_marks.MARK) != self._mark:
            raise Invalid(f"image {image.name} ({image.id}) does not have the mark '{self._mark}': it is left alone")
        self._remove(image.id)

    def fetch(self, image: Image, take: Callable[[bytes], object]) -> None:
        """See the contract."""
        try:
            self._api.download(IMAGE, f"/images/{image.id}/file", take)
        except Missing:
            raise Invalid(f"there is no image {image.name} ({image.id})") from None

    def _remove(self, identifier: str) -> None:
        self._api.delete(IMAGE, f"/images/{identifier}")


def _beginning(file: BinaryIO, count: int) -> bytes:
    found = file.read(count)
    file.seek(0)
    return found


class _Content:
    """The content of an upload: its last part is sent only after the whole file has matched its checksum."""

    def __init__(self, file: BinaryIO, spec: ImageSpec) -> None:
        self._file = file
        self._spec = spec
        self._size = os.fstat(file.fileno()).st_size
        self._sent = hashlib.sha512()  # as the cloud computes it

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        read = hashlib.sha256()
        held = b""
        while part := self._file.read(PART):
            read.update(part)
            yield from self._counted(held)
            held = part
        found = f"sha256:{read.hexdigest()}"
        if found != self._spec.checksum:
            raise CloudError(f"the file of image {self._spec.name} has the checksum {found}, not {self._spec.checksum}")
        yield from self._counted(held)

    def _counted(self, part: bytes) -> Iterator[bytes]:
        if part:
            self._sent.update(part)
            yield part

    def check(self, item: Found) -> None:
        """Compare with what the cloud received."""
        same = item.get("os_hash_algo") != "sha512" or item.get("os_hash_value") == self._sent.hexdigest()
        if item.get("status") != "active" or item.get("size") != self._size or not same:
            raise CloudError(
                f"image {self._spec.name} was not uploaded completely: state '{item.get('status')}' with {item.get('size')} of {self._size} bytes"
            )
