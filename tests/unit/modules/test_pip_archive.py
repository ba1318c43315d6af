# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pip_archive with a real pip, and a package that needs no index."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._base._archives import PARTIAL, FetchError, default_folder
from ansible_collections.sky.clusters.plugins.modules.pip_archive import Archive, ensure, pip_fault

PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
# pip asks a package for its metadata before it hands it out; this one needs no tools for that.
BACKEND = """
import os
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    name = "tiny_thing-1.0.dist-info"
    os.makedirs(os.path.join(folder, name))
    with open(os.path.join(folder, name, "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: tiny-thing\\nVersion: 1.0\\n")
    return name
def build_wheel(folder, config_settings=None, metadata_directory=None):
    raise NotImplementedError
"""


def source_archive(folder: Path) -> str:
    """Make one in `folder`; its checksum."""
    folder.mkdir()
    path = folder / "tiny_thing-1.0.tar.gz"
    files = {"pyproject.toml": PROJECT, "backend.py": BACKEND, "PKG-INFO": "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n"}
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"tiny_thing-1.0/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A site that serves packages from a folder of its own, as its pip settings say; the checksum of its only one."""
    checksum = source_archive(tmp_path / "mirror")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "mirror"))
    return checksum


def wanted(tmp_path: Path, sha256: str, name: str = "tiny-thing") -> Archive:
    return Archive(name, "1.0", sha256, tmp_path / "cache")


def test_an_archive_is_downloaded_once_with_the_settings_of_the_site(tmp_path: Path, site: str) -> None:
    archive = wanted(tmp_path, site)
    assert ensure(archive, timeout=120, check=True)
    assert not archive.folder.exists(), "check mode made something"
    assert ensure(archive, timeout=120, check=False)
    assert hashlib.sha256(archive.path.read_bytes()).hexdigest() == site
    (tmp_path / "mirror" / "tiny_thing-1.0.tar.gz").unlink()
    assert not ensure(archive, timeout=120, check=False)
    assert not ensure(archive, timeout=120, check=True)


def test_another_checksum_is_refused_and_leaves_nothing(tmp_path: Path, site: str) -> None:
    archive = wanted(tmp_path, "0" * 64)
    with pytest.raises(FetchError, match=f"SHA-256 {site}, which is not the expected one"):
        ensure(archive, timeout=120, check=False)
    assert [path.name for path in archive.folder.iterdir()] == [".lock"]


@pytest.mark.usefixtures("site")
def test_unknown_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"could not download no-such-thing 1\.0: .*no-such-thing==1\.0"):
        ensure(wanted(tmp_path, "0" * 64, name="no-such-thing"), timeout=120, check=False)


def test_remains_of_a_killed_run_are_removed(tmp_path: Path, site: str) -> None:
    archive = wanted(tmp_path, site)
    (archive.folder / f"{PARTIAL}old").mkdir(parents=True)
    ensure(archive, timeout=120, check=False)
    assert not list(archive.folder.glob(f"{PARTIAL}*"))


def test_a_damaged_archive_is_downloaded_again(tmp_path: Path, site: str) -> None:
    archive = wanted(tmp_path, site)
    ensure(archive, timeout=120, check=False)
    archive.path.write_bytes(b"cut short")
    assert ensure(archive, timeout=120, check=False)
    assert hashlib.sha256(archive.path.read_bytes()).hexdigest() == site


def test_an_archive_placed_by_hand_is_used(tmp_path: Path, site: str) -> None:
    archive = wanted(tmp_path, site)
    archive.folder.mkdir()
    (tmp_path / "mirror" / "tiny_thing-1.0.tar.gz").rename(archive.path)
    assert not ensure(archive, timeout=120, check=False)


@pytest.mark.usefixtures("site")
def test_the_time_limit_applies(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="within 0 seconds"):
        ensure(wanted(tmp_path, "0" * 64), timeout=0, check=False)


def test_python_without_pip_is_named() -> None:
    assert "has no pip: install it" in pip_fault("x", "/usr/bin/python3: No module named pip\n")


def test_folder_follows_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "sky-clusters"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert default_folder() == Path(os.path.expanduser("~/.cache/sky-clusters"))
