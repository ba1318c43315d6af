# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The persistent disk service of StratusLab 14.06."""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import gzip
import hashlib
import json
import re
import threading
import uuid
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from urllib.request import urlopen

SUPER_USER = "pdisk"
SNAPSHOT = "snapshot:"  # before the identifier of the disk that was copied
QUARANTINE, QUARANTINED = timedelta(minutes=15), "%Y-%m-%d %H:%M:%S.%f"
BROKEN = b"FreeMarker template error"  # what 14.06 answers to the question for one mount
NOTHING = "The server has not found anything matching the request URI"
GIB = 2**30
ORIGIN, LIVE = "MACHINE_IMAGE_ORIGIN", "MACHINE_IMAGE_LIVE"
READ_ONLY, READ_WRITE = "DATA_IMAGE_RAW_READONLY", "DATA_IMAGE_RAW_READ_WRITE"
TYPES = (ORIGIN, LIVE, "DATA_IMAGE_ORIGIN", "DATA_IMAGE_LIVE", READ_ONLY, READ_WRITE)
TARGETS = [f"vd{chr(letter)}" for letter in range(ord("z"), ord("a") - 1, -1)]
SETTABLE = ("tag", "visibility", "type", "owner", "identifier", "quarantine", "group")
EMPTIED = ("tag", "identifier", "quarantine", "group")  # which an empty field empties


class PdiskError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Answer:
    status: int
    value: Any = None  # JSON
    location: str = ""
    body: bytes = b""  # instead of JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    user: str
    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""
    kind: str = ""  # content type
    accept: str = ""

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass
class Disk:
    uuid: str
    tag: str
    owner: str
    size: int  # GiB
    type: str = READ_WRITE
    visibility: str = "PRIVATE"
    identifier: str = ""
    quarantine: str = ""
    group: str = ""
    seed: bool = False
    mounts: dict[str, str] = field(default_factory=dict)  # device by VM
    snapshots: int = 0

    def shown(self, listed: bool = False) -> dict[str, str]:
        known = {"uuid": self.uuid, "tag": self.tag, "count": str(self.count), "owner": self.owner, "identifier": self.identifier}
        known |= {"quarantine": self.quarantine} if self.quarantine else {}
        known |= {"size": f"{self.size:,}"}
        return known if listed else known | {"type": self.type, "visibility": self.visibility}

    @property
    def count(self) -> int:
        return self.snapshots if self.type == ORIGIN else len(self.mounts)


def image_identifier(sha1: bytes) -> str:
    """The Marketplace's name of a content."""
    return base64.urlsafe_b64encode(b"\0" + sha1).decode()[1:]


class BackendError(Exception):
    """A command of the storage's backend, or of a node, has failed."""


Attach = Callable[[str, str, Path, str], None]  # VM, target, file, what to do: attach or detach


class Pdisk:
    """All disks of a site. Their content is in files, made when something needs it."""

    def __init__(self, folder: Path, base: str, attach: Attach = lambda _vm, _target, _file, _what: None) -> None:
        """
        Args:
            base: address of the service without the kind of login, for locations.
            attach: has a node attach a file to a machine that runs, or detach it.
        """
        self.folder = folder
        self.base = base
        self.disks: dict[str, Disk] = {}  # the oldest first
        self._attach = attach
        self._mutex = threading.RLock()

    def file(self, disk: Disk) -> Path:
        """The content as a file of the disk's size."""
        path = self.folder / disk.uuid
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as made:
                made.truncate(disk.size * GIB)
        return path

    def answer(self, asked: Asked) -> Answer:
        parts = [part for part in asked.path.split("/") if part]
        try:
            with self._mutex:
                return self._route(asked, parts)
        except PdiskError as error:
            return Answer(error.status, {"message": str(error), "code": error.status})

    def _route(self, asked: Asked, parts: Sequence[str]) -> Answer:
        match parts:
            case ["disks", name, "mounts", *rest]:
                return self._mounts(asked, self._mounted(asked, name), rest)
            case ["disks", name, "turl"] if asked.method == "GET":
                return Answer(200, {"uuid": name, "turl": f"file://{self.folder / self._unknown_too(name).uuid}"})
            case ["disks", name]:
                return self._disk(asked, self._viewed(asked, name))
            case ["instances", *_rest] if asked.method == "GET":
                return Answer(200, body=b"")
        match [asked.method, *parts]:
            case ["GET", "disks"]:
                return Answer(200, [disk.shown(listed=True) for disk in reversed(self.disks.values()) if asked.user in (disk.owner, SUPER_USER)])
            case ["POST", "disks"]:
                return self._upload(asked) if asked.kind.startswith("multipart/") else self._create(asked.user, asked.form())
        raise PdiskError(404, NOTHING)

    def _disk(self, asked: Asked, disk: Disk) -> Answer:
        match asked.method:
            case "PUT":
                return self._change(asked.form(), disk)
            case "POST":
                return self._copied(disk)
            case "DELETE":
                return self._delete(disk, asked.user)
        return self._show(asked, disk)

    def _mounts(self, asked: Asked, disk: Disk, rest: Sequence[str]) -> Answer:
        match [asked.method, *rest]:
            case ["GET"]:
                return Answer(200, [{"vmId": vm, "device": device} for vm, device in disk.mounts.items()])
            case ["POST"]:
                return self._mount(disk, asked.form())
            case ["GET", _mount]:
                return Answer(200, body=BROKEN, headers={"Content-Type": "application/json"})
            case ["DELETE", mount]:
                return self._unmount(disk, mount, asked.query)
        raise PdiskError(404, NOTHING)

    def _unknown_too(self, name: str) -> Disk:
        if name not in self.disks:
            raise PdiskError(404, f"Unknown disk: {name}")
        return self.disks[name]

    def _viewed(self, asked: Asked, name: str) -> Disk:
        if name not in self.disks:
            raise PdiskError(404, f"disk ({name}) does not exist")
        return self._allowed(asked, self.disks[name])

    def _mounted(self, asked: Asked, name: str) -> Disk:
        return self._allowed(asked, self._unknown_too(name))

    @staticmethod
    def _allowed(asked: Asked, disk: Disk) -> Disk:
        if asked.user not in (disk.owner, SUPER_USER) and disk.visibility != "PUBLIC":
            raise PdiskError(403, f"insufficient access rights to view disk ({disk.uuid})")
        return disk

    def _show(self, asked: Asked, disk: Disk) -> Answer:
        if asked.accept == "application/x-gzip":
            return Answer(200, body=gzip.compress(self.file(disk).read_bytes(), 1), headers={
                "Content-Type": "application/x-gzip", "Content-Disposition": f"attachment; filename={disk.uuid}.gz",
            })  # fmt: skip
        return Answer(200, disk.shown())

    def _create(self, user: str, form: Mapping[str, str]) -> Answer:
        disk = Disk(str(uuid.uuid4()), form.get("tag", ""), user, _size(form.get("size", "")))
        self._set(disk, {key: value for key, value in form.items() if key != "size"})
        if form.get("url"):
            self._fill(disk, form)
        self.disks[disk.uuid] = disk
        return Answer(201, {"uuid": disk.uuid})

    def _fill(self, disk: Disk, form: Mapping[str, str]) -> None:
        try:
            with urlopen(form["url"], timeout=60) as answer:
                content = answer.read()
            content = gzip.decompress(content) if form["url"].endswith(".gz") else content
        except (OSError, ValueError, zlib.error):
            raise PdiskError(400, f"error initializing disk contents from {form['url']}") from None
        if form.get("bytes") and form["bytes"] != str(len(content)):
            raise PdiskError(400, f"size mismatch: {len(content)} (found) != {form['bytes']} (expected)")
        found = hashlib.sha1(content).hexdigest()
        if form.get("sha1") and form["sha1"] != found:
            raise PdiskError(400, f"checksum mismatch: {found} (found) != {form['sha1']} (expected)")
        self.write(disk, content)

    def write(self, disk: Disk, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / disk.uuid).write_bytes(content)

    def _upload(self, asked: Asked) -> Answer:
        message = email.message_from_bytes(f"Content-Type: {asked.kind}\r\n\r\n".encode() + asked.body, policy=email.policy.HTTP)
        files = [part for part in message.walk() if part.get_filename() is not None]
        if len(files) != 1:
            raise PdiskError(400, "missing file")
        try:
            content = gzip.decompress(bytes(files[0].get_payload(decode=True)))
        except (OSError, EOFError, zlib.error):
            raise PdiskError(400, "Not in GZIP format") from None
        identifier = image_identifier(hashlib.sha1(content).digest())
        if any(disk.identifier == identifier for disk in self.disks.values()):
            raise PdiskError(403, "Disk already registered")
        disk = Disk(str(uuid.uuid4()), "", asked.user, max(1, -(-len(content) // GIB)), READ_ONLY, identifier=identifier)
        self.write(disk, content)
        self.disks[disk.uuid] = disk
        return Answer(303, location=f"/disks/{disk.uuid}")

    def _change(self, form: Mapping[str, str], disk: Disk) -> Answer:
        if "size" in form:
            disk.size = _size(form["size"])
        disk.seed = False
        self._set(disk, {key: value for key, value in form.items() if key != "size"})
        return Answer(303, location=f"/disks/{disk.uuid}")

    @staticmethod
    def _set(disk: Disk, form: Mapping[str, str]) -> None:
        if form.get("type", disk.type) not in TYPES:
            raise PdiskError(500, f"No enum constant eu.stratuslab.storage.disk.main.DiskType.{form['type']}")
        for key in SETTABLE:
            if key in form and (form[key] or key in EMPTIED):
                setattr(disk, key, form[key].upper() if key == "visibility" else form[key])
        disk.seed = form.get("seed") == "on"

    def _copied(self, disk: Disk) -> Answer:
        if disk.type == ORIGIN:
            return Answer(200, self._snapshot(disk).shown())
        if disk.type != LIVE:
            raise PdiskError(409, f"Invalid disk state: {disk.type}. Cannot create copy or save as new image.")
        made = Disk(str(uuid.uuid4()), "", disk.owner, disk.size, ORIGIN)
        self.disks[made.uuid] = made
        return Answer(200, made.shown())

    def _snapshot(self, origin: Disk) -> Disk:
        made = Disk(str(uuid.uuid4()), "", "", origin.size, LIVE, identifier=f"{SNAPSHOT}{origin.uuid}")
        origin.snapshots += 1
        self.disks[made.uuid] = made
        return made

    def _drop(self, disk: Disk) -> None:
        del self.disks[disk.uuid]
        (self.folder / disk.uuid).unlink(missing_ok=True)
        origin = self.disks.get(disk.identifier.removeprefix(SNAPSHOT)) if disk.identifier.startswith(SNAPSHOT) else None
        if origin is not None:
            origin.snapshots -= 1

    def _delete(self, disk: Disk, user: str) -> Answer:
        if user not in (disk.owner, SUPER_USER):
            raise PdiskError(403, f"insufficient access rights to delete disk ({disk.uuid})")
        if disk.mounts:
            raise PdiskError(409, f"disk ({disk.uuid}) is in use and can't be deleted")
        self._drop(disk)
        return Answer(200, {"uuid": disk.uuid})

    def _mount(self, disk: Disk, form: Mapping[str, str]) -> Answer:
        vm, node = form.get("vm_id", ""), form.get("node", "")
        if not vm or not node:
            raise PdiskError(400, "missing vm_id attribute" if not vm else "missing node attribute")
        if vm in disk.mounts:
            raise PdiskError(403, f"Mount already exists for: {vm} and {disk.uuid}")
        if form.get("register_only") == "true":
            target = "static"
        else:
            used = {device for other in self.disks.values() for holder, device in other.mounts.items() if holder == vm}
            target = next((each for each in TARGETS if each not in used), "")
            if not target:
                raise PdiskError(409, "no free devices available")
            try:
                self._attach(vm, target, self.file(disk), "attach")
            except BackendError as error:
                raise PdiskError(500, str(error)) from None
        disk.mounts[vm] = target
        return Answer(200, {"node": node, "vm_id": vm, "target": target, "uuid": [disk.uuid]})

    def _unmount(self, disk: Disk, mount: str, query: Mapping[str, str]) -> Answer:
        vm = mount.removeprefix(f"{disk.uuid}_")
        if vm not in disk.mounts:
            raise PdiskError(404, NOTHING)
        target = disk.mounts.pop(vm)
        if query.get("metadata_only") != "true" and target != "static":
            with contextlib.suppress(BackendError):  # which is only logged, and the mount is gone all the same
                self._attach(vm, target, self.file(disk), "detach")
        return Answer(200, {"diskId": disk.uuid, "mountId": mount, "vmId": vm, "target": target})

    # what nodes ask for

    def of(self, source: str) -> Disk | None:
        """The disk of a DISK/SOURCE, of this and of earlier releases."""
        name = source.rpartition(":")[2].rpartition("/")[2]
        return self.disks.get(name) if source.startswith("pdisk:") else None

    def registered(self, disk: Disk, vm: int) -> None:
        with self._mutex:
            disk.mounts.setdefault(str(vm), "static")

    def start_from(self, origin: Disk, vm: int) -> None:
        """A machine starts from a copy of its image."""
        with self._mutex:
            self.registered(self._snapshot(origin), vm)

    def release(self, vm: int) -> None:
        """A machine has ended. The copy that it was started from is kept for a while."""
        at = datetime.now()
        with self._mutex:
            for disk in list(self.disks.values()):
                held = disk.mounts.pop(str(vm), None)
                if held and disk.identifier.startswith(SNAPSHOT):
                    disk.owner, disk.quarantine = SUPER_USER, at.strftime(QUARANTINED)
                elif disk.quarantine and datetime.strptime(disk.quarantine, QUARANTINED) < at - QUARANTINE:
                    self._drop(disk)

    def origin(self, identifier: str) -> Disk | None:
        return next((disk for disk in self.disks.values() if disk.identifier == identifier), None)

    def keep(self, identifier: str, content: bytes) -> Disk:
        """The first local copy of an image."""
        with self._mutex:
            disk = Disk(str(uuid.uuid4()), "", SUPER_USER, max(1, -(-len(content) // 10**9)), ORIGIN, identifier=identifier)
            self.write(disk, content)
            self.disks[disk.uuid] = disk
            return disk


def _size(text: str) -> int:
    if re.fullmatch(r"[+-]?[0-9]+", text) is None:
        raise PdiskError(400, f'Error parsing size: For input string: "{text}"')
    size = int(text)
    if not 1 <= size <= 1024:
        raise PdiskError(400, "Size must be an integer between 1 and 1024")
    return size


def dumped(value: Any) -> bytes:
    """JSON as the service lays it out."""
    return f"{json.dumps(value, indent=4)}\n".replace("\n", "\r\n").encode()
