# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public ssh keys that nodes let in, and the keys that this controller logs in with. The second are always among the first."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ._cluster import Cluster, ClusterFileError, Login, Settings

NONE = "ssh_keys: no key in the file, in the ssh agent or in ~/.ssh/*.pub; create one with ssh-keygen, or list keys in the file"
OFFERED = 5  # sshd ends a connection after six keys that it does not know
SHORTEST = Path("/tmp")  # noqa: S108  # a folder there is used only if it is ours
LONGEST = 70  # characters of the folder of control sockets: a socket's path may have 107, and ssh appends 17 to ours for a moment


@dataclass(frozen=True)
class Key:
    """A key that this controller can use."""

    public: str  # one line
    file: Path | None = None  # its private half; None while only the agent has it


@dataclass(frozen=True)
class Ring:
    """The keys of this controller."""

    keys: tuple[Key, ...] = ()  # those of the agent first
    agent: tuple[str, ...] = ()
    home: tuple[str, ...] = ()  # public keys under ~/.ssh, whether or not their private halves are there
    given: tuple[str, ...] = ()  # of the private key file that Ansible is configured to use


def ring(home: Path, private_key: str = "") -> Ring:
    """Look for the keys of this controller.

    Args:
        private_key: Ansible's own setting of a private key file, if any.
    """
    agent = _of_agent()
    named = Path(private_key).expanduser() if private_key else None
    given = _public_half(named) if named else ""
    public = {path: _line(path) for path in sorted((home / ".ssh").glob("*.pub"))}
    lines = tuple(line for line in public.values() if line)
    files = {_blob(line): path.with_suffix("") for path, line in public.items() if line and path.with_suffix("").is_file()}
    if named and given:
        files[_blob(given)] = named
    found = {_blob(line): Key(line, files.get(_blob(line))) for line in (*agent, *filter(None, [given]))}
    found |= {_blob(line): Key(line, files[_blob(line)]) for line in lines if _blob(line) in files and _blob(line) not in found}
    return Ring(tuple(found.values()), agent, lines, (given,) if given else ())


def authorised_keys(settings: Settings, own: Ring) -> tuple[str, ...]:
    """The file's keys, else the agent's, else those under ``~/.ssh``; and the key that Ansible is configured to use.

    Raises:
        ClusterFileError: there is none, or this controller can use none of them: nobody could log in.
    """
    unique = _chosen(settings, own)
    if not unique:
        raise ClusterFileError([NONE])
    usable = _usable(unique, own)
    if not usable:
        raise ClusterFileError([_no_use(settings, own)])
    ignored = [why for key in usable if (why := _ignored(key, own))]
    if len(ignored) == len(usable):
        raise ClusterFileError(ignored)
    return unique


def with_agent(lines: Sequence[str], own: Ring) -> list[str]:
    """These keys and those of the agent, each once."""
    return with_keys(lines, own.agent)


def with_keys(lines: Sequence[str], more: Sequence[str]) -> list[str]:
    """These keys, in their order, and then more, each once."""
    known = {_blob(line) for line in lines}
    return [*lines, *(line for line in more if _blob(line) not in known)]


def with_login(cluster: Cluster, own: Ring) -> Cluster:
    """The same cluster with what says how this controller logs in at its nodes."""
    folder = private_folder()
    usable = [key for key in _usable(_chosen(cluster.settings, own), own) if not _ignored(key, own)]
    files = [file for key in usable[:OFFERED] if (file := _file(key, folder))]
    return dataclasses.replace(cluster, login=Login(tuple(files), folder))


def private_folder() -> str:
    """A folder for this user alone whose name is short enough for ssh's control sockets; empty where there is none."""
    own = os.environ.get("ANSIBLE_HOME") or "~/.ansible"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    places = [Path(own).expanduser() / "sky", *([Path(runtime) / "sky"] if runtime else []), SHORTEST / f"sky-{os.geteuid()}"]
    return next((str(place) for place in places if _is_private(place)), "")


def _is_private(place: Path) -> bool:
    """Whether a folder exists, or can be created, that is ours and that nobody else can write to."""
    if not place.is_absolute() or len(str(place)) > LONGEST or set(str(place)) & set("%\"'\\ "):
        return False
    try:
        place.mkdir(0o700, parents=True, exist_ok=True)
        found = place.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077 and os.access(place, os.W_OK)


def _chosen(settings: Settings, own: Ring) -> tuple[str, ...]:
    """What nodes let in, each key once."""
    unique: dict[str, str] = {}
    for line in settings.ssh_keys or (*(own.agent or own.home), *own.given):
        unique.setdefault(_blob(line), line)
    return tuple(unique.values())


def _usable(lines: tuple[str, ...], own: Ring) -> list[Key]:
    wanted = {_blob(line) for line in lines}
    return [key for key in own.keys if _blob(key.public) in wanted]


def _ignored(key: Key, own: Ring) -> str:
    """Why ssh would ignore a key; empty if it would not."""
    if key.file is None or _blob(key.public) in map(_blob, own.agent):
        return ""
    found = key.file.stat()
    if found.st_uid == os.geteuid() and found.st_mode & 0o077:
        return f"{key.file}: ssh ignores this private key because others can read it (mode {found.st_mode & 0o777:04o}); run: chmod 600 {key.file}"
    return "" if os.access(key.file, os.R_OK) else f"{key.file}: this private key cannot be read"


def _no_use(settings: Settings, own: Ring) -> str:
    """The message if this controller could not log in."""
    if not settings.ssh_keys:
        return (
            "ssh_keys: the keys in ~/.ssh/*.pub have no private keys next to them, and the ssh agent has none: this run could not log in to its nodes"
        )
    mine = own.keys[0].public if own.keys else "none was found in the ssh agent or under ~/.ssh"
    return f"ssh_keys: this run has none of their private keys; add a key of yours ({mine}), or load one of theirs into the ssh agent"


def _file(key: Key, folder: str) -> str:
    """The file that selects a key for ssh; for a key that only the agent has, a file with its public half."""
    if key.file is not None:
        return str(key.file)
    if not folder:
        return ""
    path = Path(folder) / f"{hashlib.sha256(_blob(key.public).encode()).hexdigest()[:16]}.pub"
    if not path.is_file():
        new = path.with_suffix(f".{os.getpid()}")
        new.write_text(f"{key.public}\n", encoding="utf-8")
        new.chmod(0o600)
        new.replace(path)
    return str(path)


def _blob(line: str) -> str:
    """The key itself, without its comment."""
    return " ".join(line.split()[:2])


def _of_agent() -> tuple[str, ...]:
    try:
        answer = subprocess.run(["ssh-add", "-L"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(map(_steady, _plain(answer.stdout.splitlines()))) if answer.returncode == 0 else ()


def _steady(line: str) -> str:
    """A key without the comment that an agent gives to one that has none, the path of its file: in AWX this is another in each job.

    The keys are part of what nodes are configured with, so each job would visit all nodes again.
    """
    words = line.split(maxsplit=2)
    return _blob(line) if len(words) == 3 and words[2].startswith("/") else line


def _line(path: Path) -> str:
    try:
        return next(_plain(path.read_text(encoding="utf-8").splitlines()), "")
    except (OSError, ValueError):
        return ""


def _public_half(private: Path) -> str:
    """The public half of a private key: the file beside it, or what ssh-keygen makes of it."""
    beside = _line(Path(f"{private}.pub"))
    if beside:
        return beside
    try:
        command = ["ssh-keygen", "-y", "-P", "", "-f", str(private)]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return next(_plain(answer.stdout.splitlines()), "") if answer.returncode == 0 else ""


def _plain(lines: list[str]) -> Iterator[str]:
    """Keys without certificates, which are not lines of authorized_keys."""
    return (text for line in lines if len((text := line.strip()).split()) >= 2 and "-cert-v01@" not in text and not text.startswith("#"))
