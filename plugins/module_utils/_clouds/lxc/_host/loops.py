# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loop devices: a volume's file as a block device, found again by that file whoever made it."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

from .command import run
from .errors import HostError
from .files import peek

GONE = " (deleted)"  # what the kernel writes behind the name of a file that was removed


def attached(prefix: Path) -> dict[str, str]:
    """Loop devices of the files in a folder: device by file."""
    found = {}
    for block in Path("/sys/block").glob("loop*"):
        file = _backing(block).removesuffix(GONE)
        if file.startswith(f"{prefix}/"):
            found[file] = f"/dev/{block.name}"
    return found


def _backing(block: Path) -> str:
    return peek(block / "loop" / "backing_file").strip()


def of(file: Path) -> str:
    """The loop device of a file; empty if it has none."""
    return attached(file.parent).get(str(file), "")


def attach(file: Path) -> str:
    """The file as a block device; the one that it has already, if any, unless that shows a deleted file of the same name."""
    device = of(file)
    if device and _backing(Path("/sys/block", Path(device).name)).endswith(GONE):
        detach(file)
        device = ""
    return device or run("losetup", "--find", "--show", "--direct-io=off", str(file)).strip()


def busy(device: str) -> bool:
    """Whether a device is mounted, or held by a program that wants it alone, such as fsck."""
    try:
        os.close(os.open(device, os.O_RDONLY | os.O_EXCL))
    except OSError as error:
        return error.errno == errno.EBUSY
    return False


def detach(file: Path, seconds: float = 10) -> None:
    """Free the loop device of a file.

    Raises:
        HostError: something still has it open: the kernel frees it only when that lets go.
    """
    deadline = time.monotonic() + seconds
    while device := of(file):
        try:
            run("losetup", "--detach", device)
        except HostError:
            if of(file) == device:
                raise  # else somebody else has freed it just now
        if not of(file):
            return
        if time.monotonic() > deadline:
            raise HostError(f"{device} of {file} is still in use {seconds:.0f} s after its node has stopped")
        time.sleep(0.05)


def grow(file: Path) -> None:
    """Let the loop device of a file, if it has one, see the file's new size."""
    device = of(file)
    if device:
        run("losetup", "--set-capacity", device)
