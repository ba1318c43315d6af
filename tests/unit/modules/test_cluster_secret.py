# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secret of a system: created once, readable by its owner only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.modules.cluster_secret import ensure

NAME = "spark.authenticate.secret"


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """A user's umask, as open as can be."""
    before = os.umask(0)
    yield
    os.umask(before)


def made(file: Path, settings: Path | None = None, check: bool = False) -> tuple[bool, str]:
    return ensure(file, settings, NAME, check)


def test_it_is_for_its_owner_alone_and_made_once(tmp_path: Path) -> None:
    file = tmp_path / "lost" / "secrets" / "spark"
    first, second = made(file), made(file)
    assert (first[0], second[0]) == (True, False)
    assert first[1] == second[1] == file.read_text().strip()
    assert len(first[1]) == 64
    assert [path.stat().st_mode & 0o777 for path in (file, file.parent, file.parent.parent)] == [0o600, 0o700, 0o700]


def test_two_clusters_have_two(tmp_path: Path) -> None:
    assert made(tmp_path / "a")[1] != made(tmp_path / "b")[1]


def test_one_that_was_lost_is_taken_from_the_settings_of_the_daemons(tmp_path: Path) -> None:
    settings = tmp_path / "spark-daemons.conf"
    settings.write_text(f"spark.authenticate true\nspark.authenticate.secret {'5d' * 32}\nspark.x y\n")
    assert made(tmp_path / "secret", settings, check=True) == (True, "5d" * 32)
    assert made(tmp_path / "secret", settings) == (True, "5d" * 32)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_an_empty_file_left_by_a_full_disk_is_written_again(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    assert len(made(tmp_path / "secret")[1]) == 64


def test_check_mode_makes_none(tmp_path: Path) -> None:
    assert made(tmp_path / "secrets" / "spark", check=True) == (True, "")
    assert not (tmp_path / "secrets").exists()
