# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node has of its own over its image: name, keys, user, resolver. Written from outside, before it first starts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .command import run
from .files import read

FIRST_UID = 1000
HOST_KEY = "etc/ssh/ssh_host_ed25519_key"


class Disk:
    """A node's root folder as it will see it: what is written over the image, else the image."""

    def __init__(self, upper: Path, image: Path) -> None:
        self.upper = upper
        self.image = image

    def read(self, name: str) -> str:
        return read(self.upper / name) or read(self.image / name)

    def folder(self, name: str) -> Path:
        """A folder over that of the image; it keeps the image's owner and mode, for the node sees the upper one's."""
        path = self.upper / name
        if not path.is_dir():
            if name not in ("", "."):
                self.folder(os.path.dirname(name))
            path.mkdir(mode=0o755)
            below = self.image / name
            if below.is_dir():
                found = below.stat()
                os.chown(path, found.st_uid, found.st_gid)
                path.chmod(found.st_mode & 0o7777)
        return path

    def write(self, name: str, text: str, mode: int = 0o644, owner: tuple[int, int] = (0, 0)) -> None:
        path = self.folder(os.path.dirname(name)) / os.path.basename(name)
        path.unlink(missing_ok=True)  # never through a link that the node made
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            os.fchmod(out.fileno(), mode)
            os.fchown(out.fileno(), *owner)
            out.write(text)


@dataclass(frozen=True)
class Account:
    """Whom the ssh keys let in."""

    name: str
    uid: int
    home: str


def furnish(disk: Disk, name: str, address: str, user: str, keys: Sequence[str]) -> list[str]:
    """Write all that is the node's own; returns its public host keys."""
    disk.folder("")
    disk.write("etc/hostname", f"{name}\n")
    disk.write("etc/machine-id", "")
    disk.write("etc/hosts", hosts(name, address))
    account = ensure_user(disk, user)
    authorise(disk, account, keys)
    return [host_key(disk, name)]


def hosts(name: str, address: str) -> str:
    """The node's own name means its own address: daemons that listen on their name must not end up on loopback."""
    return f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{address} {name}\n"


def resolve(disk: Disk, resolvers: Sequence[str]) -> None:
    disk.write("etc/resolv.conf", "".join(f"nameserver {address}\n" for address in resolvers))


def ensure_user(disk: Disk, user: str) -> Account:
    """The account, made if the image has none of the name; other than root it may become root without a password, as in public clouds."""
    passwd = [line.split(":") for line in disk.read("etc/passwd").splitlines() if line.count(":") == 6]
    known = {fields[0]: Account(fields[0], int(fields[2]), fields[5]) for fields in passwd}
    account = known.get(user)
    if account is None:
        taken = {fields.uid for fields in known.values()}
        account = Account(user, next(uid for uid in range(FIRST_UID, 60000) if uid not in taken), f"/home/{user}")
        _add(disk, account)
    if account.uid != 0:
        disk.write(f"etc/sudoers.d/90-sky-{user.replace('.', '_')}", f"{user} ALL=(ALL) NOPASSWD:ALL\n", 0o440)  # sudo skips names with a dot
    return account


def _add(disk: Disk, account: Account) -> None:
    """The lines that useradd would write; it cannot run here, for nothing is mounted yet."""
    lines = {
        "etc/passwd": (f"{account.name}:x:{account.uid}:{account.uid}::{account.home}:/bin/bash", 0o644),
        "etc/group": (f"{account.name}:x:{account.uid}:", 0o644),
        "etc/shadow": (f"{account.name}:*:19000:0:99999:7:::", 0o640),
        "etc/gshadow": (f"{account.name}:!::", 0o640),
    }
    shadow = (disk.image / "etc/shadow").stat().st_gid
    for name, (line, mode) in lines.items():
        disk.write(name, f"{disk.read(name).rstrip()}\n{line}\n", mode, (0, shadow if mode == 0o640 else 0))
    home = disk.folder(account.home.strip("/"))
    os.chown(home, account.uid, account.uid)
    home.chmod(0o700)


def authorise(disk: Disk, account: Account, keys: Sequence[str]) -> None:
    """The keys that let in, and no others."""
    home = account.home.strip("/")
    folder = disk.folder(f"{home}/.ssh")
    os.chown(folder, account.uid, account.uid)
    folder.chmod(0o700)
    disk.write(f"{home}/.ssh/authorized_keys", "".join(f"{key.strip()}\n" for key in keys), 0o600, (account.uid, account.uid))


def host_key(disk: Disk, name: str) -> str:
    """Make the node's ssh host key; returns the public one, ``type base64``."""
    disk.folder("etc/ssh")
    path = disk.upper / HOST_KEY
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path))
    return " ".join(read(Path(f"{path}.pub")).split()[:2])


def resolvers(configured: Sequence[str], texts: Sequence[str] | None = None) -> list[str]:
    """Who answers the nodes' questions for names: the addresses given, else the machine's own resolvers.

    The machine's resolv.conf often names a forwarder on loopback, which a node cannot use; the real servers are then in another file.

    Args:
        configured: addresses from the cluster file.
        texts: resolv.conf files, in the order of preference; the machine's by default.

    Returns:
        Addresses; empty if the machine names none but loopback.
    """
    if configured:
        return list(configured)
    places = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf", "/run/resolvconf/resolv.conf")
    for text in texts if texts is not None else [read(Path(place)) for place in places]:
        found = [words[1] for words in map(str.split, text.splitlines()) if len(words) > 1 and words[0] == "nameserver"]
        real = [address for address in found if not address.startswith("127.") and address != "::1"]
        if real:
            return real[:3]
    return []
