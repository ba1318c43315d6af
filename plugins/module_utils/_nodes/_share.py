# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How full the mounted folders of stores outside of the cluster are."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

MIB = 1024 * 1024
STAT = ("stat", "--file-system", "--format=%S %b %f %a")  # unit, units, unused ones, those for users
SECONDS = 10


@dataclass(frozen=True)
class Share:
    """A folder of a store outside of the cluster; MiB."""

    mount: str
    size: int = 0
    free: int = 0
    used_percent: int = 0
    fault: str = ""


def look_at_shares(mounts: Iterable[str], table: str) -> list[Share]:
    """Those of these folders that are mounted, from the text of /proc/mounts; that one is not, its unit says."""
    there = {words[1] for line in table.splitlines() if len(words := line.split()) > 1}
    return [look_at_share(mount) for mount in mounts if mount in there]


def look_at_share(mount: str, seconds: float = SECONDS) -> Share:
    """A mounted folder. A store that does not answer blocks who asks for as long as it likes, so that a program of its own does."""
    asking = subprocess.Popen(
        [*STAT, mount], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"LC_ALL": "C"}
    )
    try:
        said, _none = asking.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        asking.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            asking.communicate(timeout=1)  # not longer: it ends when the kernel lets it
        return Share(mount, fault=f"{mount} does not answer within {seconds:.0f} s")
    if asking.returncode != 0:
        return Share(mount, fault=f"{mount} cannot be used: {said.strip()}")
    unit, blocks, unused, available = map(int, said.split())
    size, free, used = (count * unit // MIB for count in (blocks, available, blocks - unused))
    return Share(mount, size, free, share(used, used + free))


def share(part: int, whole: int) -> int:
    """In percent, rounded up as df does; 0 for a file system that does not count inodes."""
    return -(-100 * part // whole) if whole else 0
