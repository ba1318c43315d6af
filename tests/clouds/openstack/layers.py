# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is built once and kept: folders named by the hash of everything that they are made from, whole or not there."""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import folders, remove_tree

BUILDING = ".building-"


def digest(*parts: Any) -> str:
    """The hash of values and of the contents of files."""
    known = [part.read_text() if isinstance(part, Path) else part for part in parts]
    return hashlib.sha256(json.dumps([platform.machine(), *known]).encode()).hexdigest()


@dataclass(frozen=True)
class Layer:
    """One of these folders.

    Attributes:
        build: makes its content in an empty folder beside it.
    """

    cache: Path
    name: str
    digest: str
    build: Callable[[Path], None]

    @property
    def folder(self) -> Path:
        return self.cache / f"{self.name}-{self.digest}"

    @property
    def is_there(self) -> bool:
        return self.folder.is_dir()

    def ensure(self) -> float:
        """Build it if it is not there; returns the seconds that it took. Who builds holds the lock."""
        began = time.monotonic()
        if not self.is_there:
            self.cache.mkdir(parents=True, exist_ok=True)
            work = Path(tempfile.mkdtemp(prefix=f"{BUILDING}{self.name}-", dir=self.cache))
            work.chmod(0o755)
            self.build(work)
            work.rename(self.folder)
        return time.monotonic() - began


def clear(cache: Path, kept: Iterable[Layer] = ()) -> None:
    """Remove what killed builders left, and, where layers are named, all others: we hold the lock, so nobody builds."""
    names = {layer.folder.name for layer in kept}
    for folder in folders(cache):
        if folder.name.startswith(BUILDING) or (names and folder.name not in names):
            remove_tree(folder)
