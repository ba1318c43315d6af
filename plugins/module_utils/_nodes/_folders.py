# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders that a service writes to, as its unit file names them. Ships with the modules that run on nodes: the standard library alone.

A unit file of the collection has a section for them, which systemd ignores::

    [X-Sky]
    Folders=0750:/data/spark/work 0700:/data/spark/recovery
"""

from __future__ import annotations

import configparser
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

FULL_ACCESS = 0o700


class FolderError(Exception):
    """A folder cannot be repaired; the message is one sentence."""


@dataclass(frozen=True)
class Folder:
    """A folder that the user of a service must be able to write to."""

    path: Path
    mode: int  # it is created with this; of one that exists only the owner's access is set
    user: str

    def fault(self) -> str:
        """What keeps the user from writing to it; empty if nothing does."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return f"{self.path} is missing"
        except OSError as error:
            return f"{self.path}: {error.strerror}"
        if not stat.S_ISDIR(found.st_mode):
            return f"{self.path} is not a folder"
        if (owner := _name(found.st_uid)) != self.user:
            return f"{self.path} belongs to {owner} instead of {self.user}"
        if found.st_mode & FULL_ACCESS != FULL_ACCESS:
            return f"{self.path} has mode {stat.S_IMODE(found.st_mode):04o}, so that {self.user} cannot write to it"
        return f"{self.path} is on a read-only file system" if os.statvfs(self.path).f_flag & os.ST_RDONLY else ""

    def repair(self) -> bool:
        """Create it, or give it back to its user; whether there was anything to do.

        Raises:
            FolderError: something else is in its place, or the file system is read-only.
        """
        if not self.fault():
            return False
        account = pwd.getpwnam(self.user)
        try:
            self._give(account.pw_uid, account.pw_gid)
        except OSError as error:
            raise FolderError(f"{self.path}: {error.strerror}") from error
        if fault := self.fault():
            raise FolderError(fault)
        return True

    def _give(self, uid: int, gid: int) -> None:
        if not self.path.exists() and not self.path.is_symlink():
            self.path.mkdir(parents=True)
            self.path.chmod(self.mode)
        # not through a link, which a job could have put there in order to own what it points to
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            found = os.fstat(handle)
            if found.st_uid != uid:
                os.fchown(handle, uid, gid)
            os.fchmod(handle, stat.S_IMODE(found.st_mode) | FULL_ACCESS)
        finally:
            os.close(handle)


def folders(unit: Path) -> list[Folder]:
    """Those that a unit file names; none where there is no such file."""
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parsed.read_string(unit.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return []
    named = (entry.partition(":") for entry in parsed.get("X-Sky", "Folders", fallback="").split())
    user = parsed.get("Service", "User", fallback="root")
    return [Folder(Path(path), int(mode, 8), user) for mode, _colon, path in named]


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
