# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Software that was unpacked from an archive, one folder for each version. Ships with the modules that run on nodes: the standard library alone.

Version 4.3.0 of ``spark`` is in ``/opt/spark-4.3.0``, with a marker file that holds the SHA-256 of its archive in its name. ``/opt/spark`` points to
the version in use, and ``/var/cache/sky-spark-4.3.0.tgz`` is the archive, on nodes that serve it to others. What is being unpacked or removed is in
``/opt/.sky-spark-4.3.0``. A folder without a marker is somebody else's, whatever its name: it is never changed.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

MARKER = ".sha256-"


class DistributionError(Exception):
    """The archive cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Version:
    """One version of a distribution, by the archive that it came from."""

    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.version} {self.sha256}"


@dataclass(frozen=True)
class Recipe:
    """How an archive becomes a distribution.

    Attributes:
        transform: expressions for tar's ``--transform``, applied to the names in the archive.
        exclude: patterns of names that are not unpacked.
        contains: a file that the result must contain.
        links: symbolic links in the result: target by name. What the archive has there is removed.
    """

    transform: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    contains: str = ""
    links: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Distribution:
    """All versions of one distribution on this node."""

    name: str
    root: Path = Path("/")

    @property
    def link(self) -> Path:
        return self.root / "opt" / self.name

    def home(self, version: str) -> Path:
        return self.link.with_name(f"{self.name}-{version}")

    def unfinished(self, version: str) -> Path:
        """Where a version is unpacked, and where it is while it is removed; what a killed run left there is of no use."""
        return self.link.with_name(f".sky-{self.name}-{version}")

    def archive(self, version: str) -> Path:
        return self.root / "var/cache" / f"sky-{self.name}-{version}.tgz"

    def marker(self, wanted: Version) -> Path:
        return self.home(wanted.version) / f"{MARKER}{wanted.sha256}"

    def current(self) -> Version | None:
        """The version that the link points to."""
        return next((found for found in self.unpacked() if self.home(found.version) == self._target()), None)

    def unpacked(self) -> list[Version]:
        """The versions that are whole."""
        markers = sorted(self.link.parent.glob(f"{self.name}-*/{MARKER}*"))
        return [Version(path.parent.name.removeprefix(f"{self.name}-"), path.name.removeprefix(MARKER)) for path in markers]

    def unpack(self, wanted: Version, recipe: Recipe) -> bool:
        """Unpack the archive beside the final folder, and rename it; whether there was anything to do."""
        if self.marker(wanted).exists():
            return False
        home, new = self.home(wanted.version), self.unfinished(wanted.version)
        if home.exists() and wanted.version not in self._versions():
            raise DistributionError(f"{home} exists and was not made by this collection: move it away")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        new.chmod(0o755)
        _extract(self.archive(wanted.version), new, recipe)
        if recipe.contains and not (new / recipe.contains).exists():
            raise DistributionError(f"the archive with SHA-256 {wanted.sha256} does not contain {recipe.contains}: it is no {self.name} distribution")
        for name, target in recipe.links.items():
            _link(new / name, target)
        (new / self.marker(wanted).name).touch()
        if home.exists():
            old = self.unfinished(f"{wanted.version}.old")
            shutil.rmtree(old, ignore_errors=True)
            home.rename(old)
        new.rename(home)
        self.sweep()
        return True

    def use(self, version: str, check: bool = False) -> bool:
        """Point the link to a version; whether it pointed elsewhere."""
        home = self.home(version)
        if self._target() == home:
            return False
        if not check:
            new = self.link.with_name(f"{self.name}.new-link")
            new.unlink(missing_ok=True)
            new.symlink_to(home)
            new.replace(self.link)
        return True

    def unused(self, keep: Iterable[str]) -> list[str]:
        """Versions that are neither to be kept, nor current, nor in use by a process."""
        known = self._versions() | {path.name.removeprefix(f"sky-{self.name}-").removesuffix(".tgz") for path in self._archives()}
        kept = {*keep} | {found.version for found in [self.current()] if found}
        return sorted(version for version in known - kept if not in_use(self.home(version)))

    def remove(self, version: str) -> None:
        if version in self._versions():
            self.home(version).rename(self.unfinished(version))  # its marker may be the first to go
            self.sweep()
        self.archive(version).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete what is unfinished."""
        for rest in self._rests():
            shutil.rmtree(rest, ignore_errors=True)

    def remove_all(self, check: bool = False) -> bool:
        """Remove every version, the link and the archives; whether there were any."""
        versions, rests, archives = self._versions(), self._rests(), self._archives()
        links = [self.link] if self._target() in {self.home(version) for version in versions} else []
        if not check:
            for path in (*links, *archives):
                path.unlink()
            for version in versions:
                self.remove(version)
            self.sweep()
        return bool(versions or rests or archives)

    def _versions(self) -> set[str]:
        return {found.version for found in self.unpacked()}

    def _rests(self) -> list[Path]:
        return list(self.link.parent.glob(self.unfinished("*").name))

    def _archives(self) -> list[Path]:
        return list(self.archive("*").parent.glob(self.archive("*").name))

    def _target(self) -> Path | None:
        return self.link.parent / self.link.readlink() if self.link.is_symlink() else None


def names(root: Path = Path("/")) -> list[str]:
    """The distributions of this node."""
    return sorted(link.name for link in (root / "opt").glob("*") if link.is_symlink() and Distribution(link.name, root).current())


def in_use(home: Path) -> bool:
    """Whether a process runs a file of this folder, works in it, or has one open or mapped."""
    inside = f"{home}/"
    return any(name == str(home) or name.startswith(inside) for process in Path("/proc").glob("[0-9]*") for name in _names(process))


def _names(process: Path) -> list[str]:
    """The files that a process uses; one that has ended meanwhile uses none."""
    found: list[str] = []
    for link in [process / "exe", process / "cwd", *_listed(process / "fd")]:
        with contextlib.suppress(OSError):
            found.append(os.readlink(link))
    with contextlib.suppress(OSError):
        maps = (process / "maps").read_text(encoding="utf-8", errors="replace")
        found += [f"/{path}" for _rest, slash, path in (line.partition("/") for line in maps.splitlines()) if slash]
    return found


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _extract(archive: Path, folder: Path, recipe: Recipe) -> None:
    options = [f"--exclude={pattern}" for pattern in recipe.exclude] + [f"--transform={expression}" for expression in recipe.transform]
    command = ["tar", "--extract", "--file=-", f"--directory={folder}", "--no-same-owner", "--no-same-permissions", *options]
    with tempfile.TemporaryFile("w+") as said, gzip.open(archive) as content:
        # zlib takes half the processor time of gzip(1), and tar writes at the same time
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said) as tar:
            fault = _feed(content, tar.stdin) if tar.stdin else ""
        said.seek(0)
        fault = fault or " | ".join(said.read().strip().splitlines()[-2:])
    if tar.returncode != 0 or fault:
        raise DistributionError(f"{archive} cannot be unpacked: {fault}")


def _feed(content: gzip.GzipFile, tar: IO[bytes]) -> str:
    """Pass the content to tar; why it cannot be read, if so."""
    try:
        shutil.copyfileobj(content, tar, 1 << 20)
        tar.close()
    except BrokenPipeError:  # tar says why
        return ""
    except (OSError, EOFError, zlib.error) as error:
        return str(error)
    return ""


def _link(path: Path, target: str) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    Path(target).mkdir(mode=0o755, parents=True, exist_ok=True)
    path.symlink_to(target)
