# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the folders that are shared, in a folder that holds nothing of anybody else's.

Arguments: that folder; the name of the cluster; its users, the first of whom owns the software. Prints ``changed`` if anything was.
"""

import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

HOMES = Path("/home")
SHARED_SOFTWARE = Path("/software")
UNITS = Path("/etc/systemd/system")
MOUNTS = Path("/proc/self/mountinfo")
EMPTY = {"lost+found", ".sky"}  # what an empty volume holds
SOFTWARE_MODE = 0o2775


class FolderError(Exception):
    """The folder cannot be used; the message is one sentence."""


def foreign(data: Path, cluster: str, users: Sequence[str]) -> str:
    """Why a folder holds something that is not this cluster's; empty if it does not."""
    mark = data / ".sky-nfs"
    if mark.is_file():
        other = mark.read_text(encoding="utf-8").strip()
        if other not in ("", cluster):
            return f"nfs_server_data: {data} holds the shared folders of the cluster '{other}'"
    elif data.is_dir() and {entry.name for entry in data.iterdir()} - EMPTY:
        return f"nfs_server_data: {data} is not empty, and what it holds is not this cluster's: empty it, or name another folder"
    for user in users:
        home, uid = data / "home" / user, pwd.getpwnam(user).pw_uid
        if home.is_dir() and home.stat().st_uid != uid:
            return f"nfs_server_data: {home} belongs to the user with id {home.stat().st_uid}, and {user} has the id {uid}: give {user} the former id"
    return ""


def served(users: Sequence[str]) -> Iterator[tuple[Path, Path, Path]]:
    """Of each folder that this node serves already: where its users look for it, the folder that its unit mounts there, and its place in the data."""
    shares = [(f"home-{user}", HOMES / user, Path("home", user)) for user in users]
    for share, place, inside in [*shares, ("software", SHARED_SOFTWARE, Path("software"))]:
        unit = UNITS / f"sky-nfs-{share}.service"
        found = re.search(r"^ExecStart=/bin/mount --bind (\S+) ", unit.read_text(encoding="utf-8"), re.MULTILINE) if unit.is_file() else None
        if found:
            yield place, Path(found[1]), inside


def split(data: Path, users: Sequence[str]) -> str:
    """Why users would find other files here than those that they had; empty if they would not. Who has moved them has unmounted the old ones."""
    mounted = {line.split()[4] for line in MOUNTS.read_text(encoding="utf-8").splitlines()}
    for place, source, inside in served(users):
        wanted = data / inside
        if source != wanted and (str(place) in mounted or not wanted.is_dir()):
            old = str(source).removesuffix(f"/{inside}")
            return (
                f"nfs_server_data: this node serves {old}, and {data} would take its place without its files: nothing was changed; to move them, end "
                f'all jobs, run "systemctl stop \'sky-nfs-*\'" and "cp -a {old}/. {data}" on this node, and run again with sky_full=true'
            )
        if str(place) in mounted and not (wanted.is_dir() and place.samefile(wanted)):
            return (
                f"nfs_server_data: {place} of this node is not {wanted}, which clients see: put into {wanted} what both hold, and run "
                "\"systemctl stop 'sky-nfs-*'\" on this node; the next run mounts it"
            )
    return ""


def make(data: Path, cluster: str, users: Sequence[str]) -> bool:
    """Make what is missing; whether anything was."""
    if reason := foreign(data, cluster, users) or split(data, users):
        raise FolderError(reason)
    mark, homes, software = data / ".sky-nfs", data / "home", data / "software"
    changed = not mark.is_file() or mark.stat().st_size == 0
    data.mkdir(parents=True, exist_ok=True)
    if changed:
        mark.write_text(f"{cluster}\n", encoding="utf-8")
    homes.mkdir(exist_ok=True)
    data.chmod(0o755)
    homes.chmod(0o755)
    for user in users:
        changed |= bring(HOMES / user, homes / user)
    if not software.is_dir():
        owner = pwd.getpwnam(users[0])
        software.mkdir()
        os.chown(software, owner.pw_uid, owner.pw_gid)
        software.chmod(SOFTWARE_MODE)
        changed = True
    return changed


def bring(home: Path, shared: Path) -> bool:
    """Copy the home that a user has on this node, the first time."""
    if shared.is_dir():
        return False
    new = shared.with_name(f".{shared.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    subprocess.run(["cp", "-a", home, new], check=True, capture_output=True, text=True)
    new.chmod(0o700)
    new.replace(shared)
    return True


if __name__ == "__main__":
    try:
        if make(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]):
            sys.stdout.write("changed\n")
    except FolderError as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(f"'{' '.join(map(str, error.cmd))}' failed: {' '.join((error.stderr or error.stdout or '').split())}")
