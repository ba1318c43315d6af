# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole or not there, folders as locks, and careful removal."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import HostError


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file in one step, so that no reader and no crash ever sees half of it.

    A writer that is killed leaves its half beside it, under a name with its process number, for :func:`sweep`.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.{os.getpid()}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def sweep(*paths: Path) -> None:
    """Remove from these folders what killed writers left."""
    for entry in (entry for folder in paths if folder.is_dir() for entry in folder.iterdir()):
        found = re.fullmatch(r"\..+\.(\d+)\.[^.]+", entry.name)
        if found and not Path("/proc", found[1]).exists():
            entry.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    write(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def read(path: Path) -> str:
    """The text of a file; empty if it is not there, or no longer."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
        return ""


def peek(path: Path) -> str:
    """The text of a file of the kernel; empty if it has none for us."""
    try:
        return read(path)
    except OSError:
        return ""


def folders(path: Path) -> list[Path]:
    """The folders in a folder, by name; none if it is not there."""
    try:
        return sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.is_symlink())
    except FileNotFoundError:
        return []


@contextlib.contextmanager
def locked(folder: Path, make: bool = False) -> Iterator[None]:
    """Hold a folder alone, against other processes and other threads; the lock goes with its holder, however that ends.

    The folder itself is the lock, so that no lock file is left. With `make` it is made where it is not there.

    Raises:
        FileNotFoundError: it is not there, or was removed while we waited.
    """
    while True:
        if make:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            if make:
                continue
            raise
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _is(handle, folder):
                yield
                return
        finally:
            os.close(handle)


def _is(handle: int, folder: Path) -> bool:
    """Whether an open folder is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(folder))
    except FileNotFoundError:
        return False


def mounts_below(folder: Path) -> list[str]:
    """Mount points in or under a folder, the innermost first."""
    points = [line.split()[4].encode().decode("unicode_escape") for line in read(Path("/proc/self/mountinfo")).splitlines()]
    return sorted((p for p in points if p == str(folder) or p.startswith(f"{folder}/")), key=len, reverse=True)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it.

    Raises:
        HostError: something is mounted in it: its files may be somebody's data.
    """
    mounted = mounts_below(folder)
    if mounted:
        raise HostError(f"{folder} is not removed: {mounted[0]} is mounted there")
    while folder.exists():
        with contextlib.suppress(FileNotFoundError):  # somebody else removes it too: what is gone is gone
            shutil.rmtree(folder)


def remove_empty(*paths: Path) -> None:
    """Remove those of these folders that are empty, in this order."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.rmdir()
