# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ivy, which a distribution of Spark holds: it fetches jars by name, with a site's own settings and proxy. And archives of jars."""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from ._archives import FetchError

IVY = re.compile(r"(^|/)ivy-[0-9.]+\.jar$")
MAVEN = "http://ant.apache.org/ivy/maven"  # a name space, not a place


def take(distribution: Path, names: set[str], folder: Path, seen: Callable[[str], object] = str) -> Path:
    """Put the jars of these names that a distribution holds into a folder; its Ivy.

    Args:
        seen: told the name of each file.
    """
    ivy = None
    try:
        with tarfile.open(distribution, "r|gz") as archive:
            for member in archive:
                base = os.path.basename(member.name)
                seen(base)
                if not member.isfile() or (base not in names and not IVY.search(member.name)):
                    continue
                content = archive.extractfile(member)
                if content is None:
                    continue
                with (folder / base).open("wb") as file:
                    shutil.copyfileobj(content, file)
                ivy = folder / base if IVY.search(member.name) else ivy
    except (OSError, tarfile.TarError) as error:
        raise FetchError(f"{distribution} cannot be read: {error}") from error
    if ivy is None:
        raise FetchError(f"{distribution} holds no Ivy (ivy-<version>.jar), which fetches jars")
    return ivy


def retrieve(ivy: Path, described: str, pattern: str, names: str, settings: str, timeout: int) -> str:
    """Have Ivy put the jars of an ivy file where a pattern says; what it printed.

    Args:
        names: what is fetched, for messages.
        settings: Ivy's settings; by default those of the user, if there are any.
    """
    java = shutil.which("java")
    if java is None:
        raise FetchError(f"this machine has no Java runtime, with which Ivy fetches {names}: install one, such as default-jre-headless")
    file = ivy.with_name("ivy.xml")
    file.write_text(described, encoding="utf-8")
    own = Path(settings) if settings else Path.home() / ".ivy2/ivysettings.xml"
    command = [java, f"-Divy.default.ivy.user.dir={ivy.with_name('ivy')}", *proxies(os.environ), "-jar", str(ivy), "-ivy", str(file)]
    command += ["-settings", str(own)] if settings or own.is_file() else []
    command += ["-retrieve", pattern]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"Ivy did not fetch {names} within {timeout} seconds") from error
    return done.stdout + done.stderr


def proxies(environment: Mapping[str, str]) -> list[str]:
    """The proxy of the environment in the words of Java, which does not look there."""
    found = []
    for scheme in ("http", "https"):
        value = environment.get(f"{scheme}_proxy") or environment.get(f"{scheme}_proxy".upper()) or ""
        place = urlsplit(value if "//" in value else f"//{value}")
        if place.hostname:
            found += [f"-D{scheme}.proxyHost={place.hostname}", f"-D{scheme}.proxyPort={place.port or 80}"]
    if found and (direct := environment.get("no_proxy") or environment.get("NO_PROXY")):
        found.append("-Dhttp.nonProxyHosts=" + "|".join(host.strip() for host in direct.split(",") if host.strip()))
    return found


def ivy_fault(output: str) -> str:
    """Ivy's own words, of a kind that fits into one line."""
    lines = [line.strip(" :\t") for line in output.splitlines()]
    telling = [line for line in lines if re.search(r"not found|FAILED|UNRESOLVED|error|exception", line, re.IGNORECASE)]
    return "; ".join(list(dict.fromkeys(telling or [line for line in lines if line][-1:]))[:3])


@contextmanager
def packed(into: Path) -> Iterator[tarfile.TarFile]:
    """An archive to add files to; the same files give the same bytes every time."""
    # jars are compressed already; what reads the file expects gzip all the same
    with (
        into.open("wb") as file,
        gzip.GzipFile("", "wb", 0, file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        yield archive


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add one file."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    archive.addfile(member, io.BytesIO(content))
