# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The persistent disk service over REST. Its numbers are strings, large ones with separators."""

from __future__ import annotations

import io
import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urlencode

from .._contract import CloudError, Invalid, Unavailable
from ._credentials import Access
from ._errors import Missing
from ._http import Answer, Http, Terms, checked, pieces

JSON = {"Accept": "application/json"}
FORM = JSON | {"Content-Type": "application/x-www-form-urlencoded"}
GZIP = {"Accept": "application/x-gzip"}
STATIC = "static"  # target of a disk that was attached at the start
ORIGIN, LIVE, DATA = "MACHINE_IMAGE_ORIGIN", "MACHINE_IMAGE_LIVE", "DATA_IMAGE_RAW_READ_WRITE"
LARGEST = 1024  # GiB


@dataclass(frozen=True)
class Disk:
    """One disk as the service lists it."""

    uuid: str
    tag: str = ""
    owner: str = ""
    size: int = 0  # GiB
    count: int = 0  # of mounts; of an image's origin that of its copies
    identifier: str = ""  # missing in answers of servers older than March 2015
    type: str = ""  # missing in lists
    visibility: str = ""


def number(text: Any) -> int:
    """A number such as ``1,000``.

    Raises:
        Unavailable: it is none.
    """
    try:
        return int(str(text).replace(",", ""))
    except ValueError:
        raise Unavailable(f"the disk service answered with the number {str(text)[:40]!r}") from None


def read(item: Any) -> Disk:
    if not isinstance(item, dict) or not item.get("uuid"):
        raise Unavailable("the disk service's answer is no description of a disk")
    known = {key: str(item.get(key) or "") for key in ("uuid", "tag", "owner", "identifier", "type", "visibility")}
    return Disk(size=number(item.get("size", "0")), count=number(item.get("count", "0")), **known)


class Pdisk:
    """The disks of one account."""

    def __init__(self, access: Access, terms: Terms) -> None:
        self.http = Http(access.disks, access.disk_login, terms)

    def _ask(self, method: str, path: str, fields: dict[str, str] | None = None, **more: Any) -> Answer:
        call = f"pdisk {method} {path}"
        self.http.calls[f"pdisk {method}"] += 1
        body = urlencode(fields).encode() if fields is not None else None
        return checked(self.http.ask(method, path, body, FORM if body is not None else JSON, call, **more), call, _words)

    def disks(self) -> list[Disk]:
        """All disks of the account.

        Raises:
            Invalid: the service is not there.
        """
        try:
            found = self._ask("GET", "/disks").json("pdisk GET /disks")
        except Missing:
            raise Invalid(f"there is no disk service at {self.http.base}: set pdisk_endpoint") from None
        if not isinstance(found, list):
            raise Unavailable("pdisk GET /disks: the answer is no list")
        return [read(item) for item in found]

    def disk(self, uuid: str) -> Disk:
        return read(self._ask("GET", f"/disks/{uuid}").json(f"pdisk GET /disks/{uuid}"))

    def create(self, size: int, tag: str) -> str:
        """A private disk for data; its tag is part of the creating call, and is seen to be kept whole.

        Raises:
            CloudError: the service cut the tag; the disk is deleted again.
        """
        made = self._ask("POST", "/disks", {"size": str(size), "tag": tag, "visibility": "private"}).json("pdisk POST /disks")
        uuid = str(made.get("uuid") or "") if isinstance(made, dict) else ""
        if not uuid:
            raise Unavailable("pdisk POST /disks: the answer does not say what was created")
        if self.disk(uuid).tag != tag:
            self.delete(uuid)
            raise CloudError(f"pdisk POST /disks: the service does not keep the whole tag '{tag}'")
        return uuid

    def change(self, uuid: str, **fields: str) -> None:
        self._ask("PUT", f"/disks/{uuid}", fields)

    def delete(self, uuid: str) -> None:
        """Delete a disk; one that does not exist is not an error."""
        try:
            self._ask("DELETE", f"/disks/{uuid}")
        except Missing:
            return

    def mounts(self, uuid: str) -> dict[str, str]:
        """Targets by the machine that has the disk."""
        found = self._ask("GET", f"/disks/{uuid}/mounts").json(f"pdisk GET /disks/{uuid}/mounts")
        if not isinstance(found, list):
            raise Unavailable(f"pdisk GET /disks/{uuid}/mounts: the answer is no list")
        return {str(item.get("vmId")): str(item.get("device")) for item in found}

    def attach(self, uuid: str, host: str, vm: int) -> None:
        """Attach a disk to a machine that runs.

        Raises:
            Unavailable: the answer names no target, as that of an attachment that worked does.
        """
        answer = self._ask("POST", f"/disks/{uuid}/mounts", {"node": host, "vm_id": str(vm)}).json("pdisk POST mounts")
        if not isinstance(answer, dict) or not answer.get("target"):
            raise Unavailable(f"pdisk POST /disks/{uuid}/mounts: the answer does not say where disk {uuid} was attached to machine {vm}")

    def detach(self, uuid: str, vm: str, metadata_only: bool = False) -> None:
        try:
            self._ask("DELETE", f"/disks/{uuid}/mounts/{uuid}_{vm}{'?metadata_only=true' if metadata_only else ''}")
        except Missing:
            return

    def upload(self, file: BinaryIO) -> str:
        """Make a disk of a compressed file; its type is that of data which is only read."""
        boundary = f"sky-{secrets.token_hex(12)}"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="Image File"; filename="image.gz"\r\nContent-Type: application/x-gzip\r\n\r\n'
        tail = f"\r\n--{boundary}--\r\n"
        body = itertools.chain([head.encode()], pieces(file), [tail.encode()])
        length = len(head) + file.seek(0, io.SEEK_END) + len(tail)
        headers = JSON | {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(length)}
        call = "pdisk POST /disks (upload)"
        answer = checked(self.http.ask("POST", "/disks", body, headers, call, seconds=1800.0), call, _words)
        uuid = answer.headers.get("location", "").rstrip("/").rpartition("/")[2]
        if not uuid:
            raise Unavailable(f"{call}: the answer does not say what was created")
        return uuid

    def download(self, uuid: str, take: Callable[[bytes], object]) -> None:
        """The content of a disk, compressed, piece by piece."""
        call = f"pdisk GET /disks/{uuid} (download)"
        checked(self.http.fetch(f"/disks/{uuid}", take, GZIP, call), call, _words)


def _words(answer: Answer) -> str:
    try:
        found = answer.json("")
    except Unavailable:
        return " ".join(answer.body.decode("utf-8", "replace").split())[:300] if b"<" not in answer.body else ""
    return " ".join(str(found.get("message") or "").split()) if isinstance(found, dict) else ""
