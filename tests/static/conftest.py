# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the static checks look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support import tree


@pytest.fixture(scope="session")
def root() -> Path:
    return tree.ROOT


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    return tree.tracked()


@pytest.fixture(scope="session")
def texts(tracked: list[Path]) -> dict[Path, str]:
    """The text of every file that is text."""
    found = {}
    for path in tracked:
        try:
            found[path] = (tree.ROOT / path).read_text(encoding="utf-8")
        except (UnicodeDecodeError, IsADirectoryError):
            continue
    return found
