# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""jar_archive with a distribution of the test's own; real jars and the real Ivy are used by tests/integration/storage."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._base._archives import PARTIAL, FetchError
from ansible_collections.sky.clusters.plugins.module_utils._base._ivy import MAVEN, ivy_fault, proxies
from ansible_collections.sky.clusters.plugins.modules.jar_archive import Jar, Wanted, ivy_file, make


def jar(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return content.getvalue()


CLASSES, PAGES = jar({"A.class": "a"}), jar({"web/index.html": "hello", "web/b.css": "b", "C.class": "c"})
JARS = (
    Jar("com.acme", "server", "1.0", hashlib.sha256(CLASSES).hexdigest()),
    Jar("com.acme", "pages", "1.0", hashlib.sha256(PAGES).hexdigest(), "tests", "web"),
)
# Stands for Ivy: puts what is in the folder `mirror` beside it where it is told to, as `java -jar` would
JAVA = """#!/bin/sh
for word; do
    case $word in */\\[artifact*) cp {mirror}/* "$(dirname "$word")" ;; esac
done
echo "UNRESOLVED: not found"
"""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that holds the first jar and an Ivy; the second jar is in a mirror."""
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror/pages-1.0-tests.jar").write_bytes(PAGES)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/java").write_text(JAVA.format(mirror=tmp_path / "mirror"))
    (tmp_path / "bin/java").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return packed(tmp_path, {"d-1/jars/server-1.0.jar": CLASSES, "d-1/jars/ivy-2.5.3.jar": b"ivy", "d-1/jars/other.jar": b"x"})


def packed(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "d.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def wanted(tmp_path: Path, jars: tuple[Jar, ...] = JARS, folder: str = "cache") -> Wanted:
    (tmp_path / folder).mkdir(exist_ok=True)
    return Wanted("acme", jars, tmp_path / folder)


def test_jars_come_from_the_distribution_or_else_from_ivy(tmp_path: Path, distribution: Path) -> None:
    one = wanted(tmp_path)
    assert make(one, distribution, "", 60) == ["pages-1.0-tests.jar"]
    with tarfile.open(one.path) as archive:
        assert archive.getnames() == ["web/b.css", "web/index.html", "jars/server-1.0.jar"]
    assert sorted(path.name for path in one.folder.iterdir()) == [one.path.name]


def test_the_same_lock_gives_the_same_bytes(tmp_path: Path, distribution: Path) -> None:
    one, two = wanted(tmp_path), wanted(tmp_path, folder="elsewhere")
    for each in (one, two):
        make(each, distribution, "", 60)
    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.path.name == two.path.name


def test_another_build_in_the_distribution_is_not_taken(tmp_path: Path, distribution: Path) -> None:
    (tmp_path / "mirror/server-1.0.jar").write_bytes(CLASSES)
    other = packed(distribution.parent, {"jars/server-1.0.jar": b"another build", "jars/ivy-2.5.3.jar": b"ivy"})
    assert make(wanted(tmp_path), other, "", 60) == ["server-1.0.jar", "pages-1.0-tests.jar"]


def test_a_jar_with_another_checksum_is_refused(tmp_path: Path, distribution: Path) -> None:
    (tmp_path / "mirror/pages-1.0-tests.jar").write_bytes(jar({"web/index.html": "tampered"}))
    one = wanted(tmp_path)
    with pytest.raises(FetchError, match=r"pages-1\.0-tests\.jar: its SHA-256 is [0-9a-f]{64}, not the locked"):
        make(one, distribution, "", 60)
    assert not one.path.exists()


def test_what_ivy_cannot_find_is_named(tmp_path: Path, distribution: Path) -> None:
    jars = (*JARS, replace(JARS[0], name="missing"))
    with pytest.raises(FetchError, match=r"Ivy could not fetch missing-1\.0\.jar: UNRESOLVED: not found"):
        make(wanted(tmp_path, jars), distribution, "", 60)


def test_without_java_it_says_what_to_install(tmp_path: Path, distribution: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(FetchError, match=r"this machine has no Java runtime, with which Ivy fetches pages-1\.0-tests\.jar: install one"):
        make(wanted(tmp_path), distribution, "", 60)


def test_a_distribution_without_ivy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="holds no Ivy"):
        make(wanted(tmp_path), packed(tmp_path, {"jars/a.jar": b"a"}), "", 60)


def test_what_a_killed_run_has_left_is_removed(tmp_path: Path, distribution: Path) -> None:
    one = wanted(tmp_path)
    (one.folder / f"{PARTIAL}x").mkdir()
    make(one, distribution, "", 60)
    assert sorted(path.name for path in one.folder.iterdir()) == [one.path.name]


def test_the_dependencies_bring_no_others() -> None:
    found = ElementTree.fromstring(ivy_file(JARS)).findall("dependencies/dependency")
    assert [(each.get("name"), each.get("rev"), each.get("transitive")) for each in found] == [("server", "1.0", "false"), ("pages", "1.0", "false")]
    (artifact,) = found[1].findall("artifact")
    assert artifact.get(f"{{{MAVEN}}}classifier") == "tests"


def test_the_proxy_of_the_environment_in_the_words_of_java() -> None:
    assert proxies({}) == []
    assert proxies({"https_proxy": "http://proxy:3128", "NO_PROXY": "localhost, .lab"}) == [
        "-Dhttps.proxyHost=proxy",
        "-Dhttps.proxyPort=3128",
        "-Dhttp.nonProxyHosts=localhost|.lab",
    ]


def test_a_fault_of_ivy_in_one_line() -> None:
    assert ivy_fault(":: loading\n\t\t:: a#b;1: not found\n\t\t:: a#b;1: not found\n") == "a#b;1: not found"
