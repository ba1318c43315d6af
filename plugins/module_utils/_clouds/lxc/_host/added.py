# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node images that a user brought: archives of root file systems, unpacked beside, kept and renamed, each noted in a record beside its folder."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import platform
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from . import records
from .command import last_line
from .errors import HostError
from .files import folders, locked, read, remove_tree, write_json
from .places import Zone

PART = 2**20  # bytes that are read at a time
ARCHIVE = "archive"  # in an image's folder: the file that it was made of, so that it can be copied to another cloud with its checksum
COMPRESSED = {b"\x1f\x8b": "--gzip", b"BZh": "--bzip2", b"\xfd7zXZ\x00": "--xz", b"\x28\xb5\x2f\xfd": "--zstd"}  # by an archive's first bytes
FILES = ("etc/passwd", "etc/group", "etc/shadow")  # what is read from an image when a node is created
PROGRAMS = ("sbin/init", "sbin/sshd", "bin/python3")  # what a node must have to be managed
# What is written into an image from outside goes into these: one that is a link could lead out of the image.
WRITTEN = ("etc", "etc/ssh", "etc/ssh/sshd_config.d", "etc/systemd", "etc/systemd/system", "etc/default", "etc/apt", "etc/apt/sources.list.d")
MACHINES = {3: "i686", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64", 21: "ppc64le", 22: "s390x"}  # of ELF


@dataclass(frozen=True)
class Added:
    """The record of one image."""

    mark: str
    name: str
    base: str  # its folder
    checksum: str
    size: int  # bytes of its archive
    architecture: str
    created: str


def record_file(zone: Zone, name: str) -> Path:
    return zone.images / f"{name}.json"


def added(zone: Zone, name: str) -> Added | None:
    """The record of the image of this name; None if there is none.

    Raises:
        HostError: it cannot be understood.
    """
    text = read(record_file(zone, name))
    if not text:
        return None
    known = [field.name for field in dataclasses.fields(Added)]
    try:
        data = json.loads(text)
        return Added(**{key: data[key] for key in known})
    except (ValueError, TypeError, KeyError) as error:
        raise HostError(f"the record {record_file(zone, name)} of image {name} is damaged: {error}", "mark") from error


def names(zone: Zone) -> list[str]:
    """The names of the images that were added."""
    return sorted(path.stem for path in zone.images.glob("*.json") if not path.name.startswith("."))


def bases(zone: Zone) -> set[str]:
    """The folders of the images that were added."""
    found = (added(zone, name) for name in names(zone))
    return {image.base for image in found if image}


def add(zone: Zone, wanted: dict[str, str], archive: BinaryIO, finish: Callable[[Path], None], given_up: Callable[[], bool]) -> Added:
    """Unpack an image, unless it is there with this checksum.

    Args:
        wanted: its ``name``, ``mark`` and ``checksum``.
        finish: what is done to every image in the end.
        given_up: whether the caller has gone; then unpacking stops.

    Raises:
        HostError: the name is another's, the file is not what its checksum says, or is no image; nothing of it is left.
    """
    name = wanted["name"]
    with locked(zone.images, make=True):
        known = added(zone, name)
        if known and known.mark != wanted["mark"]:
            raise HostError(f"the name {name} is taken by an image that is marked '{known.mark}', not '{wanted['mark']}'", "invalid")
        if known and known.checksum == wanted["checksum"] and (zone.images / known.base).is_dir():
            return known
        base = f"{name}-{wanted['checksum'].removeprefix('sha256:')[:12]}"
        if not (zone.images / base).is_dir():  # else whoever unpacked it was killed before the record was written
            _unpack(zone, base, wanted, archive, finish, given_up)
        size = os.fstat(archive.fileno()).st_size
        created = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        image = Added(wanted["mark"], name, base, wanted["checksum"], size, architecture(zone.images / base / "root"), created)
        write_json(record_file(zone, name), dataclasses.asdict(image))
        if known and known.base != base and not _users(zone, known):
            remove_tree(zone.images / known.base)
        return image


def _unpack(zone: Zone, base: str, wanted: dict[str, str], archive: BinaryIO, finish: Callable[[Path], None], given_up: Callable[[], bool]) -> None:
    for left in folders(zone.images):  # by somebody who was killed: we hold the lock
        if left.name.startswith(".building-"):
            remove_tree(left)
    work = Path(tempfile.mkdtemp(prefix=f".building-{base}-", dir=zone.images))
    try:
        root = work / "root"
        root.mkdir(mode=0o755)
        with _private(work / ARCHIVE) as kept:
            found = f"sha256:{_extract(wanted['name'], archive, root, kept, given_up)}"
        if found != wanted["checksum"]:
            raise HostError(f"the file of image {wanted['name']} has the checksum {found}, not {wanted['checksum']}")
        _check(wanted["name"], root)
        finish(root)
        work.rename(zone.images / base)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            remove_tree(work)
        raise


def _private(path: Path) -> BinaryIO:
    """A new file for root alone: an image holds the hashes of its passwords."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _extract(name: str, archive: BinaryIO, root: Path, kept: BinaryIO, given_up: Callable[[], bool]) -> str:
    """Unpack an archive, and keep a copy of it; returns the SHA-256 of what was unpacked."""
    first = archive.read(8)
    archive.seek(0)
    compressed = [option for start, option in COMPRESSED.items() if first.startswith(start)]
    options = ["--numeric-owner", "--same-owner", "--same-permissions", "--xattrs", "--xattrs-include=*", *compressed]
    command = ["setpriv", "--pdeathsig", "KILL", "tar", "--extract", "--file=-", f"--directory={root}", *options]
    digest = hashlib.sha256()
    with tempfile.TemporaryFile("w+", errors="replace") as complaints:
        tar = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints, start_new_session=True)
        try:
            for part in _parts(archive):
                if given_up():
                    raise HostError(f"unpacking the image {name} was stopped: the run that asked for it has ended")
                digest.update(part)
                _keep(kept, part, _full(name, root.parent.parent))
                _feed(tar.stdin, part)
            _end(tar.stdin)
            tar.wait()
        finally:
            if tar.poll() is None:
                tar.kill()
            _end(tar.stdin)
            tar.wait()
        complaints.seek(0)
        said = last_line(complaints.read())
    if tar.returncode:
        if "No space left" in said:
            raise _full(name, root.parent.parent)
        raise HostError(f"the file of image {name} cannot be unpacked as a tar archive: {said or f'tar ended with {tar.returncode}'}", "invalid")
    return digest.hexdigest()


def _keep(kept: BinaryIO, part: bytes, full: HostError) -> None:
    try:
        kept.write(part)
        kept.flush()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise full from None
        raise


def _full(name: str, folder: Path) -> HostError:
    return HostError(f"no space left for image {name} in {folder}", "shortage")


def _parts(archive: BinaryIO) -> Iterator[bytes]:
    while part := archive.read(PART):
        yield part


def _feed(pipe: IO[bytes] | None, part: bytes) -> None:
    """Hand a part on; tar does not wait for what comes behind an archive's end."""
    with contextlib.suppress(BrokenPipeError, ValueError):
        if pipe:
            pipe.write(part)


def _end(pipe: IO[bytes] | None) -> None:
    with contextlib.suppress(BrokenPipeError):
        if pipe:
            pipe.close()


def _check(name: str, root: Path) -> None:
    """See whether nodes can be made of a root file system."""
    links = [path for path in WRITTEN if (root / path).is_symlink()]
    if links:
        raise HostError(f"image {name} cannot be used: its {links[0]} is a link", "invalid")
    lacking = [path for path in FILES if (root / path).is_symlink() or not (root / path).is_file()]
    lacking += [path for path in PROGRAMS if not _has(root, path)]
    if lacking:
        raise HostError(f"the archive of image {name} is not a root file system for a node: it lacks {', '.join(lacking)}", "invalid")
    machine = architecture(root)
    if machine and machine != platform.machine():
        raise HostError(f"image {name} is for {machine}, this machine is {platform.machine()}", "invalid")


def _has(root: Path, program: str) -> bool:
    """Whether a program is there, in `usr` or beside it; what it may be a link to is not followed."""
    places = [root / "usr"] if (root / program).parent.is_symlink() else [root / "usr", root]
    return any(os.path.lexists(place / program) for place in places)


def architecture(root: Path) -> str:
    """What the programs of a root file system are made for, as `uname -m` says it; empty if unknown."""
    places = [path for path in (root / "usr/bin", root / "bin") if path.is_dir() and not path.is_symlink()]
    for path in (path for place in places for path in sorted(place.iterdir())):
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as program:
            head = program.read(20)
        if head[:4] == b"\x7fELF" and len(head) == 20:
            (machine,) = struct.unpack("<H" if head[5] == 1 else ">H", head[18:20])
            return MACHINES.get(machine, "")
    return ""


def fetch(zone: Zone, name: str, identifier: str, file: BinaryIO) -> None:
    """Copy the archive that an image was made of into a file.

    Raises:
        HostError: the image is gone, or is another one by now, or its archive was not kept.
    """
    image = added(zone, name)
    if image is None or image.base != identifier:
        raise HostError(f"there is no image {name} ({identifier}) on this machine any more", "invalid")
    try:
        with (zone.images / image.base / ARCHIVE).open("rb") as archive:
            shutil.copyfileobj(archive, file, PART)
    except FileNotFoundError:
        raise HostError(
            f"the file of image {name} was not kept, because it was added by a version before 0.8.0: delete the image, and add it again", "invalid"
        ) from None


def delete(zone: Zone, name: str, identifier: str, mark: str) -> None:
    """Delete an image; nothing if it is gone already, or is another one by now.

    Raises:
        HostError: it is not ours, or a node uses it.
    """
    if not zone.images.is_dir():
        return
    with locked(zone.images):
        image = added(zone, name)
        if image is None or image.base != identifier:
            return
        if image.mark != mark:
            raise HostError(f"image {name} is marked '{image.mark}', not '{mark}': it is left alone", "invalid")
        users = _users(zone, image)
        if users:
            raise HostError(f"image {name} is in use by {', '.join(users)}: it is left alone")
        record_file(zone, name).unlink()
        remove_tree(zone.images / image.base)


def _users(zone: Zone, image: Added) -> list[str]:
    """Nodes of any zone that use an image, or are about to."""
    zones = [dataclasses.replace(zone, name=folder.name) for folder in folders(zone.path)]
    nodes: list[tuple[str, Any]] = [item for each in zones for item in records.nodes(each).items()]
    return sorted(name for name, record in nodes if record.base == image.base or (not record.base and record.image == image.name))
