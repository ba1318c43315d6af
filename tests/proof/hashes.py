# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a part depends on, and their hash: the same in every clone of the same content."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from .parts import Part
from .record import PROVED

DOCUMENTATION = ("docs", "changelogs", "LICENSES", "COPYING")
DOCUMENTS = (".md", ".rst")
DIGITS = 20


class RepositoryError(Exception):
    """The tree cannot be hashed."""


def is_documentation(path: str) -> bool:
    return PurePosixPath(path).suffix in DOCUMENTS or PurePosixPath(path).parts[0] in DOCUMENTATION


def is_below(path: str, place: str) -> bool:
    """Whether a place, which is a file, a folder or a pattern with ``*``, holds a path."""
    if "*" in place:
        return fnmatchcase(path, place) or fnmatchcase(path, f"{place}/*")
    return place == "." or path == place or path.startswith(f"{place}/")


def is_input(part: Part, path: str) -> bool:
    """Whether a part's result depends on this file of the repository."""
    if path == PROVED or (is_documentation(path) and not part.documented and path not in part.inputs):
        return False
    wanted = False
    for place in part.inputs:
        if is_below(path, place.removeprefix("!")):
            wanted = not place.startswith("!")
    return wanted


def inputs_hash(part: Part, files: Mapping[str, str]) -> str:
    """The hash of a part's inputs and of what it runs.

    Args:
        files: what each file holds, as `contents` returns it.
    """
    lines = [f"{files[path]} {path}" for path in sorted(files) if is_input(part, path)]
    return hashlib.sha256("\n".join([repr(part.commands), *lines]).encode()).hexdigest()[:DIGITS]


def contents(root: Path) -> dict[str, str]:
    """Mode and hash of every file that is, or is about to be, in the repository, as it is in the tree now."""
    listed = _git(root, "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z").split("\0")
    return {path: _content(root / path) for path in listed if path and os.path.lexists(root / path)}


def _content(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"120000 {hashlib.sha256(os.fsencode(path.readlink())).hexdigest()}"
    return f"{'100755' if mode & stat.S_IXUSR else '100644'} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def changes(root: Path) -> list[str]:
    """Files that are not as they were committed; the record of the proof does not count."""
    lines = _git(root, "status", "--porcelain", "--untracked-files=all", "--no-renames", "-z").split("\0")
    return [line[3:] for line in lines if line and line[3:] != PROVED]


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RepositoryError(f"git {words[0]} failed in {root}: {done.stderr.strip()}")
    return done.stdout
