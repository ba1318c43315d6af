# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node images: Debian root file systems built by mmdebstrap from a recipe, kept under a name that is the recipe's hash."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import platform
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import added, apt, records
from .command import last_line
from .errors import HostError
from .files import folders, locked, remove_tree, write_json
from .places import Zone

VERSION = 2  # of what this file makes of a recipe: a change here makes new images
PACKAGES = (  # what a node needs to start, to be logged into, and to be managed by Ansible
    "systemd-sysv",
    "xfsprogs",
    "dbus",
    "openssh-server",
    "iproute2",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "ca-certificates",
    "e2fsprogs",
)
MASKED = (  # what is of no use in a node, or would take apt's lock behind a role's back
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "console-getty.service",
    "container-getty@.service",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "getty.target",
    "systemd-journald-audit.socket",
    "systemd-logind.service",
    "systemd-remount-fs.service",
    "systemd-udev-trigger.service",
    "systemd-udevd.service",
)
SSHD = """\
# Keys only; each node has a host key of its own, of the one kind whose fingerprint the controller knows.
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
"""
DEADLINE = 1200  # seconds; a slow mirror
KEPT = 30 * 86400  # seconds that an unused image is kept

Say = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """What an image is made of."""

    name: str
    suite: str  # empty: it is no recipe but an image that was added
    packages: tuple[str, ...] = ()  # besides those that every node needs

    def all_packages(self) -> list[str]:
        return sorted({*PACKAGES, *self.packages})


class Images:
    """The images of a machine, shared by its zones."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.folder = zone.images

    def identifier(self, recipe: Recipe, sources: str, settings: str) -> str:
        parts = [VERSION, recipe.suite, recipe.all_packages(), MASKED, SSHD, platform.machine(), sources, settings]
        return f"{recipe.name}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]}"

    def root(self, identifier: str) -> Path:
        return self.folder / identifier / "root"

    def ensure(self, recipe: Recipe, say: Say, given_up: Callable[[], bool]) -> str:
        """The image's identifier, once it exists. A second caller waits for the first.

        Args:
            say: reports progress, now and then.
            given_up: whether the caller has gone; then building stops.
        """
        if not recipe.suite:
            return self._added(recipe.name)
        sources, settings = apt.sources(recipe.suite), apt.settings()
        identifier = self.identifier(recipe, sources, settings)
        if not self._used(identifier):
            say(f"building image {recipe.name} (30-60 s)")
            with locked(self.folder, make=True):
                self._clear()
                if not self._used(identifier):
                    self._build(recipe, identifier, sources, settings, say, given_up)
        return identifier

    def exists(self, recipe: Recipe) -> bool:
        """Whether the image of a recipe need not be built."""
        return not recipe.suite or (self.folder / self.identifier(recipe, apt.sources(recipe.suite), apt.settings())).exists()

    def _added(self, name: str) -> str:
        image = added.added(self.zone, name)
        if image is None or not self._used(image.base):
            raise HostError(f"there is no image {name} on this machine any more", "invalid")
        return image.base

    def _used(self, identifier: str) -> bool:
        """Whether an image is there; if so, notes that it is in use today."""
        try:
            os.utime(self.folder / identifier)
        except FileNotFoundError:
            return False
        return True

    def _clear(self) -> None:
        """Remove what killed builders left, and images that nobody has used for long: we hold the lock, so nobody is building."""
        bases = {record.base for zone in folders(self.zone.path) for record in records.nodes(dataclasses.replace(self.zone, name=zone.name)).values()}
        bases |= added.bases(self.zone)
        for folder in folders(self.folder):
            unused = folder.name not in bases and time.time() - folder.stat().st_mtime > KEPT
            if unused or folder.name.startswith(".building-"):
                remove_tree(folder)

    def _build(self, recipe: Recipe, identifier: str, sources: str, settings: str, say: Say, given_up: Callable[[], bool]) -> None:
        work = Path(tempfile.mkdtemp(prefix=f".building-{identifier}-", dir=self.folder))
        try:
            (work / "debian.sources").write_text(sources)
            (work / "log").touch()
            self._mmdebstrap(recipe, work, settings, say, given_up)
            finish(work / "root")
            write_json(work / "recipe.json", {"name": recipe.name, "suite": recipe.suite, "packages": recipe.all_packages()})
            work.rename(self.folder / identifier)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                remove_tree(work)
            raise

    def _mmdebstrap(self, recipe: Recipe, work: Path, settings: str, say: Say, given_up: Callable[[], bool]) -> None:
        command = [
            # in name spaces of its own, and dying with us: however we end, no process and no mount of it is left
            *("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", "--dpkgopt=force-unsafe-io"),
            *(f"--aptopt={line}" for line in settings.splitlines()),
            f"--include={','.join(recipe.all_packages())}",
            *(recipe.suite, str(work / "root")),
            # without sources of the machine's own, mmdebstrap's default is what serves
            *([str(work / "debian.sources")] if (work / "debian.sources").read_text() else []),
        ]
        with (work / "log").open("w") as log:
            builder = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            try:
                _watch(builder, recipe.name, work / "log", say, given_up)
            finally:
                _end(builder)
        if builder.returncode:
            said = (work / "log").read_text(errors="replace")
            why = _reason(said)
            kind = "invalid" if re.search(r"Unable to locate package|no installation candidate", why) else "error"
            raise HostError(f"building the image {recipe.name} of {recipe.suite} failed: {why}", kind, "\n".join(said.splitlines()[-20:]))


def _watch(builder: subprocess.Popen[bytes], name: str, log: Path, say: Say, given_up: Callable[[], bool]) -> None:
    started = spoken = time.monotonic()
    while builder.poll() is None:
        now = time.monotonic()
        if given_up():
            raise HostError(f"building the image {name} was stopped: the run that asked for it has ended")
        if now - started > DEADLINE:
            raise HostError(f"building the image {name} did not end within {DEADLINE} s; its last line: {last_line(log.read_text(errors='replace'))}")
        if now - spoken >= 5:
            say(f"building image {name} ({now - started:.0f} s): {last_line(log.read_text(errors='replace'))[:80]}")
            spoken = now
        time.sleep(0.1)


def _end(builder: subprocess.Popen[bytes]) -> None:
    """End a builder that is still at work; its name spaces go with it."""
    if builder.poll() is None:
        builder.kill()
        builder.wait()


def _reason(log: str) -> str:
    """The line that says why; mmdebstrap's very last ones only say that it stops."""
    errors = [line for line in log.splitlines() if line.startswith("E:") and "mmdebstrap failed" not in line]
    return (errors[0] if errors else last_line(log)).strip()


def finish(root: Path) -> None:
    """Take out what each node must have of its own, and what a node must not do."""
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    _write(root / "etc/ssh/sshd_config.d/00-sky.conf", SSHD)
    for name in MASKED:
        unit = root / "etc/systemd/system" / name
        unit.parent.mkdir(parents=True, exist_ok=True)
        unit.unlink(missing_ok=True)
        unit.symlink_to("/dev/null")
    for name in ("etc/hostname", "etc/resolv.conf"):
        (root / name).unlink(missing_ok=True)
    _write(root / "etc/machine-id", "")
    _write(root / "etc/fstab", "")
    _write(root / "etc/default/locale", "LANG=C.UTF-8\n")
    aside = root / "etc/apt/sources.list.d" / "0000debian.sources"  # mmdebstrap's name for the sources that it was given
    if aside.exists():
        aside.rename(aside.with_name("debian.sources"))


def _write(path: Path, text: str) -> None:
    """Never through a link, which could lead out of the image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)
