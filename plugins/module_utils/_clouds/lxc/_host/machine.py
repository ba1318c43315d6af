# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine itself must have before it can carry nodes: packages, lxcfs, one kernel limit. Recorded so that it can be undone."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .command import run, succeeds
from .errors import HostError
from .files import locked, read, remove_empty, remove_tree, write, write_json
from .processes import Process

PROGRAMS = {  # what is called, and the Debian package that has it
    "lxc-start": "lxc",
    "lxcfs": "lxcfs",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "ip": "iproute2",
    "losetup": "mount",
    "ssh-keygen": "openssh-client",
}
FILES = {"/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring"}
INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
INSTANCES_NEEDED = 4096  # a systemd node takes about 8 of them, and the kernel's default is 128 for all nodes together
SYSCTL = Path("/etc/sysctl.d/60-sky-clusters.conf")
LXCFS = Path("/var/lib/lxcfs")
REMEDY = "`./quickstart.sh --host` prepares the machine"

Say = Callable[[str], None]


def missing() -> list[str]:
    """What the machine lacks, one sentence each; readable without being root."""
    found = []
    packages = lacking()
    if packages:
        found.append(f"the machine lacks the packages {', '.join(packages)}: {REMEDY}")
    if not _lxcfs_runs():
        found.append(f"lxcfs is not running, so that nodes would see all cores and memory of the machine: {REMEDY}")
    if int(read(INSTANCES) or 0) < INSTANCES_NEEDED:
        found.append(f"fs.inotify.max_user_instances is {read(INSTANCES).strip()}, nodes need {INSTANCES_NEEDED}: {REMEDY}")
    return found


def prepare(path: Path, say: Say) -> None:
    """Give the machine what it lacks, and record under `path` what was changed."""
    with locked(path, make=True):
        notes = Notes(path)
        _install(notes, say)
        _raise_limit(notes, say)
        _start_lxcfs(notes, say)


def undo(path: Path, say: Say) -> None:
    """Take back what :func:`prepare` changed, and remove the image cache.

    Raises:
        HostError: a cloud under `path` still holds something.
    """
    if not path.is_dir():
        return
    with locked(path):
        kept = sorted(entry.name for entry in path.iterdir() if entry.is_dir() and entry.name != "image-cache")
        if kept:
            raise HostError(f"{path} still holds the zones {', '.join(kept)}: destroy their clusters, data included, or remove their folders, first")
        changed = Notes(path).changed
        _stop_lxcfs(changed, say)
        _lower_limit(changed, say)
        _uninstall(changed, say)
        if (path / "image-cache").is_dir():
            remove_tree(path / "image-cache")
        (path / "machine.json").unlink(missing_ok=True)
        remove_empty(path)


class Notes:
    """What was changed, read from its file."""

    def __init__(self, path: Path) -> None:
        self.file = path / "machine.json"
        text = read(self.file)
        self.changed: dict[str, Any] = json.loads(text) if text else {}

    def add(self, **changed: Any) -> None:
        self.changed |= changed
        write_json(self.file, self.changed)


def _installed() -> set[str]:
    lines = run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}\t${Package}\n").splitlines()
    return {line.split("\t")[1] for line in lines if line.startswith("ii")}


def lacking() -> list[str]:
    """Packages that are not there."""
    programs = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    return sorted(programs | {package for file, package in FILES.items() if not Path(file).exists()})


def _install(notes: Notes, say: Say) -> None:
    packages = lacking()
    if not packages:
        return
    if shutil.which("apt-get") is None:
        raise HostError(f"this machine has no apt-get: install {', '.join(packages)} with its package manager, then run this again")
    say(f"installing {', '.join(packages)}")
    before = _installed()
    _apt("update", "-q")
    try:
        _apt("install", "-q", "-y", "--no-install-recommends", *packages)
    finally:
        notes.add(packages=sorted({*notes.changed.get("packages", []), *(_installed() - before)}))


def _apt(*words: str) -> None:
    run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *words, timeout=900)


def _uninstall(changed: dict[str, Any], say: Say) -> None:
    packages = [name for name in changed.get("packages", []) if name in _installed()]
    if packages:
        say(f"removing {', '.join(packages)}")
        _apt("purge", "-q", "-y", *packages)


def _raise_limit(notes: Notes, say: Say) -> None:
    now = int(read(INSTANCES))
    if now >= INSTANCES_NEEDED:
        return
    say(f"raising fs.inotify.max_user_instances from {now} to {INSTANCES_NEEDED}")
    notes.add(instances=notes.changed.get("instances", now))
    write(SYSCTL, f"# A node with systemd takes about 8 of these.\nfs.inotify.max_user_instances = {INSTANCES_NEEDED}\n")
    INSTANCES.write_text(str(INSTANCES_NEEDED))


def _lower_limit(changed: dict[str, Any], say: Say) -> None:
    if "instances" not in changed:
        return
    say(f"setting fs.inotify.max_user_instances back to {changed['instances']}")
    SYSCTL.unlink(missing_ok=True)
    if int(read(INSTANCES)) == INSTANCES_NEEDED:  # somebody who set another value since wants to keep it
        INSTANCES.write_text(str(changed["instances"]))


def _lxcfs_runs() -> bool:
    try:
        return (LXCFS / "proc" / "meminfo").exists()
    except OSError:  # a killed lxcfs leaves a mount behind that nobody answers
        return False


def _unmount_dead() -> None:
    """Take away the mount that a killed lxcfs left: nothing can be mounted over it."""
    try:
        LXCFS.stat()
    except OSError as error:
        if error.errno == errno.ENOTCONN:
            run("umount", str(LXCFS))


def _has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def _start_lxcfs(notes: Notes, say: Say) -> None:
    if _lxcfs_runs():
        return
    say("starting lxcfs")
    _unmount_dead()
    if _has_systemd():
        notes.add(lxcfs="systemd")
        run("systemctl", "enable", "--now", "lxcfs")
    else:
        LXCFS.mkdir(parents=True, exist_ok=True)
        log = os.open("/var/log/lxcfs.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        daemon = subprocess.Popen(["lxcfs", str(LXCFS)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/")
        os.close(log)
        notes.add(lxcfs=vars(Process.of(daemon.pid)))
    deadline = time.monotonic() + 10
    while not _lxcfs_runs():
        if time.monotonic() > deadline:
            raise HostError(f"lxcfs was started but shows nothing in {LXCFS}: see /var/log/lxcfs.log or `journalctl -u lxcfs`")
        time.sleep(0.05)


def _stop_lxcfs(changed: dict[str, Any], say: Say) -> None:
    noted = changed.get("lxcfs")
    if noted == "systemd":
        say("stopping lxcfs")
        succeeds("systemctl", "disable", "--now", "lxcfs")
    elif noted and (process := Process(**noted)).alive():
        say("stopping lxcfs")
        os.kill(process.pid, signal.SIGTERM)
        Path("/var/log/lxcfs.log").unlink(missing_ok=True)
