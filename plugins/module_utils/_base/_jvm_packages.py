# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of the JVM as users name them: Maven coordinates, each with the SHA-256 of its jar where it is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

EXAMPLE = "org.apache.commons:commons-csv:1.14.1"
HASH = "--hash=sha256:"
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
OF_REPOSITORIES = re.compile(r"(?i)latest(\..*)?|release|.*\+")  # what the newest one is changes
SHA256 = re.compile(r"[0-9a-f]{64}")


class CoordinateError(ValueError):
    """A text is no package; the message is one sentence."""


@dataclass(frozen=True)
class Package:
    """One package that is asked for."""

    group: str
    artifact: str
    version: str
    sha256: str = ""

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file(self) -> str:
        """The name that its jar gets: two groups may have an artifact of the same name."""
        return f"{self.group}_{self.artifact}-{self.version}.jar"


def parse(text: Any) -> Package:
    """One package, as it is written in the list."""
    if not isinstance(text, str):
        raise CoordinateError(f"must be group:artifact:version, such as {EXAMPLE}, got {text!r}")
    coordinate, *rest = text.split()
    parts = coordinate.split(":")
    if len(parts) != 3 or not all(map(PART.fullmatch, parts[:2])):
        raise CoordinateError(f"must be group:artifact:version, such as {EXAMPLE}, got '{text}'")
    if not VERSION.fullmatch(parts[2]) or OF_REPOSITORIES.fullmatch(parts[2]):
        raise CoordinateError(f"'{coordinate}': must name one version, got '{parts[2]}'")
    package = Package(parts[0], parts[1], parts[2])
    if not rest:
        return package
    sha256 = rest[0].removeprefix(HASH).lower()
    if len(rest) != 1 or not rest[0].startswith(HASH) or not SHA256.fullmatch(sha256):
        raise CoordinateError(f"'{coordinate}': only {HASH}<64 hexadecimal digits> may follow, got '{' '.join(rest)}'")
    return replace(package, sha256=sha256)


def read(texts: Iterable[Any]) -> list[Package]:
    """All packages of a list.

    Raises:
        CoordinateError: of the first entry that is none, with its place.
    """
    found: dict[tuple[str, str], Package] = {}
    for number, text in enumerate(texts):
        try:
            package = parse(text or None)
        except CoordinateError as error:
            raise CoordinateError(f"entry {number}: {error}") from None
        if (package.group, package.artifact) in found:
            raise CoordinateError(f"entry {number}: '{package.group}:{package.artifact}' is listed twice")
        found[package.group, package.artifact] = package
    return list(found.values())


def check(value: Any) -> str:
    """Why a list cannot be used, as far as it shows without a repository; empty if it can."""
    try:
        read(value)
    except CoordinateError as error:
        return str(error)
    return ""
