# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every source file says whose it is and under what licence."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = {".py", ".yml", ".yaml", ".sh", ".toml", ".cfg"}
NAMES = {"run", ".gitignore", ".yamllint", ".ansible-lint", "requirements.txt", "requirements-dev.txt"}
MADE = {Path("changelogs/changelog.yaml")}  # by antsibull-changelog
WANTED = ("Copyright (c)", "GNU General Public License v3.0+", "SPDX-License-Identifier: GPL-3.0-or-later")


def test_headers(texts: dict[Path, str]) -> None:
    wrong = []
    for path, text in texts.items():
        if path in MADE or not (path.suffix in SUFFIXES or path.name in NAMES):
            continue
        head = "\n".join(text.splitlines()[:6])
        wrong += [f"{path}: lacks {words!r} in its first lines" for words in WANTED if words not in head]
    assert not wrong, "\n".join(wrong)


def test_the_licence_is_there(root: Path) -> None:
    assert (root / "COPYING").read_text(encoding="utf-8").lstrip().startswith("GNU GENERAL PUBLIC LICENSE")
    assert (root / "COPYING").resolve() == root / "LICENSES/GPL-3.0-or-later.txt"
