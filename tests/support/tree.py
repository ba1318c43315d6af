# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that are, or are about to be, in the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked() -> list[Path]:
    """Every file and link, relative to the root."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted(Path(name) for name in listed if name and ((ROOT / name).exists() or (ROOT / name).is_symlink()))


def copy_tree(place: Path) -> Path:
    """What a clone would hold, with what is not yet committed."""
    for path in tracked():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, place / path, follow_symlinks=False)
    return place


def install(folder: Path) -> Path:
    """The collection as a user gets it, built and installed below a folder; where Ansible finds it."""
    source, place = copy_tree(folder / "source"), folder / "collections"
    # where it sees no other one, which it would be content with
    alone = os.environ | {"ANSIBLE_COLLECTIONS_PATH": str(place), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false", "ANSIBLE_HOME": str(folder / "home")}
    galaxy = [str(Path(sys.executable).parent / "ansible-galaxy"), "collection"]
    subprocess.run([*galaxy, "build", str(source), "--output-path", str(folder)], check=True, capture_output=True, env=alone)
    (artifact,) = folder.glob("sky-clusters-*.tar.gz")
    subprocess.run([*galaxy, "install", str(artifact), "--collections-path", str(place)], check=True, capture_output=True, env=alone)
    return place
