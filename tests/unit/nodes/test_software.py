# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The software of a node, in a root folder that has some. The system's own dpkg-query answers."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._software import archives, debian, everything, jars, python_packages, system

SHA256 = "e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6"
STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc
Version: 2.36-9
Maintainer: somebody
Description: C

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
Maintainer: somebody
Description: removed, and its settings kept

"""


def jar(path: Path, **poms: tuple[str, str, str]) -> Path:
    """A jar with the notes of Maven on these artifacts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        for group, artifact, version in poms.values():
            text = f"#Generated\ngroupId={group}\nartifactId={artifact}\nversion={version}\n"
            archive.writestr(f"META-INF/maven/{group}/{artifact}/pom.properties", text)
    return path


def noted(folder: Path, file: str, name: str, version: str) -> None:
    folder.mkdir(parents=True)
    (folder / file).write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: in the text\n", encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n', encoding="utf-8")
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS, encoding="utf-8")
    for home in ("spark-4.3.0", "spark-4.2.0", "spark-jobs-0a1b"):
        (tmp_path / "opt" / home).mkdir(parents=True)
        (tmp_path / "opt" / home / f".sha256-{SHA256}").touch()
    (tmp_path / "opt/spark").symlink_to("spark-4.3.0")
    (tmp_path / "opt/spark-jobs").symlink_to("spark-jobs-0a1b")
    return tmp_path


def test_the_system(root: Path) -> None:
    assert system(root) == {"name": "debian", "version": "12"}


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="the tests' machine is no Debian")
def test_packages_that_are_installed(root: Path) -> None:
    glibc = {"name": "libc6", "version": "2.36-9", "architecture": "amd64", "source": "glibc", "source_version": "2.36-9"}
    assert debian(root) == [glibc]
    assert set(everything(root)) == {"system", "debian", "archives", "python_packages", "jars"}


def test_archives_of_every_version_are_told_apart_by_the_longest_name(root: Path) -> None:
    (root / "opt/.sky-spark-4.4.0").mkdir()
    (root / f"opt/.sky-spark-4.4.0/.sha256-{SHA256}").touch()  # is being removed
    found = [(archive["name"], archive["version"], archive["path"]) for archive in archives(root)]
    assert found == [
        ("spark", "4.2.0", "/opt/spark-4.2.0"),
        ("spark", "4.3.0", "/opt/spark-4.3.0"),
        ("spark-jobs", "0a1b", "/opt/spark-jobs-0a1b"),
    ]
    assert {archive["sha256"] for archive in archives(root)} == {SHA256}


def test_python_packages_of_wheels_and_eggs(root: Path) -> None:
    noted(root / "opt/spark-jobs-0a1b/lib/numpy-2.3.4.dist-info", "METADATA", "numpy", "2.3.4")
    noted(root / "usr/local/lib/python3.11/dist-packages/old.egg-info", "PKG-INFO", "old", "1")
    noted(root / "opt/.sky-x/lib/numpy-1.dist-info", "METADATA", "numpy", "1")
    noted(root / "usr/lib/python3/dist-packages/apt.dist-info", "METADATA", "apt", "1")  # of a package of Debian
    assert [(package["name"], package["version"]) for package in python_packages(root)] == [("numpy", "2.3.4"), ("old", "1")]
    assert python_packages(root)[0]["path"] == "/opt/spark-jobs-0a1b/lib/numpy-2.3.4.dist-info"


def test_jars_have_a_digest_and_their_own_coordinates(root: Path) -> None:
    own = jar(root / "opt/spark-4.3.0/jars/io-2.1.jar", part=("org.part", "part", "1.0"), own=("org.io", "io", "2.1"))
    jar(root / "opt/spark-4.3.0/jars/shaded.jar", part=("org.part", "part", "1.0"))
    jar(root / "opt/spark-jobs-0a1b/jars/org.csv_csv-1.14.1.jar", part=("org.part", "part", "1.0"), own=("org.csv", "csv", "1.14.1"))
    (root / "opt/spark-4.3.0/jars/broken.jar").write_text("no archive", encoding="utf-8")
    (root / "opt/spark-4.3.0/jars/link.jar").symlink_to("io-2.1.jar")
    found = {each["name"]: each for each in jars(root)}
    coordinates = {"group": "org.io", "artifact": "io", "version": "2.1"}
    file = {"name": "io-2.1.jar", "path": "/opt/spark-4.3.0/jars/io-2.1.jar", "sha256": hashlib.sha256(own.read_bytes()).hexdigest()}
    assert found["io-2.1.jar"] == file | coordinates
    assert found["org.csv_csv-1.14.1.jar"]["artifact"] == "csv"
    assert {name for name, each in found.items() if "group" not in each} == {"shaded.jar", "broken.jar"}
