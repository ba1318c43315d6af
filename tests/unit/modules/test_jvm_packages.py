# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""jvm_packages with a distribution of the test's own; the real Ivy and a real repository are used by tests/integration/spark/test_single.py."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._base._archives import FetchError
from ansible_collections.sky.clusters.plugins.module_utils._base._jvm_packages import check, read
from ansible_collections.sky.clusters.plugins.modules.jvm_packages import KEPT, Wanted, forget_old, ivy_file, make, modules_of

CSV, OTHER = b"a jar", b"a jar that the first one needs"
NAMED = "org.acme:csv:1.14.1"
HASHED = f"{NAMED} --hash=sha256:{hashlib.sha256(CSV).hexdigest()}"
# Stands for Ivy: puts what is in the folder `mirror` where it is told to, as `java -jar` would, and says what it does not find
JAVA = """#!/bin/sh
for word; do
    case $word in */\\[organisation*) mkdir -p "$(dirname "$word")"; cp {mirror}/* "$(dirname "$word")" ;; esac
done
echo "		:: org.acme#unknown;1.0: not found"
"""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that holds an Ivy and a jar of its own."""
    for name in ("mirror", "bin", "cache"):
        (tmp_path / name).mkdir()
    (tmp_path / "mirror/org.acme_csv-1.14.1.jar").write_bytes(CSV)
    (tmp_path / "mirror/org.acme_needed-2.jar").write_bytes(OTHER)
    (tmp_path / "bin/java").write_text(JAVA.format(mirror=tmp_path / "mirror").replace(":: org", "org"))  # nothing is missing
    (tmp_path / "bin/java").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    path = tmp_path / "spark-9.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("d/jars/ivy-2.5.3.jar", "d/jars/guava-33.6.0-jre.jar"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


def wanted(tmp_path: Path, *packages: str) -> Wanted:
    return Wanted("jvm-jobs", "abc", tuple(read(packages)), tmp_path / "cache")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([NAMED, HASHED.replace("csv", "text")], ""),
        ([], ""),
        (["commons-csv"], "entry 0: must be group:artifact:version, such as org.apache.commons:commons-csv:1.14.1, got 'commons-csv'"),
        ([NAMED, "org.acme:csv"], "entry 1: must be group:artifact:version"),
        (["org acme:csv:1"], "entry 0: must be group:artifact:version"),
        (["../x:csv:1"], "entry 0: must be group:artifact:version"),
        ([""], "entry 0: must be group:artifact:version"),
        ([7], "entry 0: must be group:artifact:version"),
        (["org.acme:csv:latest.release"], "entry 0: 'org.acme:csv:latest.release': must name one version, got 'latest.release'"),
        (["org.acme:csv:1.+"], "entry 0: 'org.acme:csv:1.+': must name one version, got '1.+'"),
        (["org.acme:csv:[1,2)"], "entry 0: 'org.acme:csv:[1,2)': must name one version"),
        ([f"{NAMED} --hash=md5:1"], f"entry 0: '{NAMED}': only --hash=sha256:<64 hexadecimal digits> may follow, got '--hash=md5:1'"),
        ([f"{HASHED} more"], f"entry 0: '{NAMED}': only --hash=sha256:"),
        ([NAMED, "org.acme:csv:2"], "entry 1: 'org.acme:csv' is listed twice"),
    ],
)
def test_what_is_no_package_is_told_with_its_place(value: list[Any], reason: str) -> None:
    assert check(value).startswith(reason)
    assert bool(check(value)) is bool(reason)


def test_the_archive_has_the_jars_and_their_hashes(tmp_path: Path, distribution: Path) -> None:
    one = wanted(tmp_path, HASHED)
    path, sums = make(one, distribution, "", 60)
    assert sums == {"org.acme_csv-1.14.1.jar": hashlib.sha256(CSV).hexdigest(), "org.acme_needed-2.jar": hashlib.sha256(OTHER).hexdigest()}
    with tarfile.open(path) as archive:
        assert archive.getnames() == ["SHA256SUMS", "jars/org.acme_csv-1.14.1.jar", "jars/org.acme_needed-2.jar"]
        said = archive.extractfile("SHA256SUMS")
        assert said is not None
        assert said.read().decode() == "".join(f"{sha256}  jars/{name}\n" for name, sha256 in sums.items())
    assert one.found() == path
    assert sorted(found.name for found in one.folder.iterdir()) == [path.name]
    assert make(one, distribution, "", 60)[0].read_bytes() == path.read_bytes()


def test_a_damaged_archive_is_made_again(tmp_path: Path, distribution: Path) -> None:
    one = wanted(tmp_path, NAMED)
    path, _sums = make(one, distribution, "", 60)
    path.write_bytes(b"damaged")
    assert one.found() is None


def test_another_jar_than_the_hash_says_is_refused(tmp_path: Path, distribution: Path) -> None:
    with pytest.raises(FetchError, match=rf"{NAMED}: the SHA-256 of its jar is [0-9a-f]{{64}}, and the list has 0{{64}}$"):
        make(wanted(tmp_path, f"{NAMED} --hash=sha256:{'0' * 64}"), distribution, "", 60)
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_unknown_package_is_named(tmp_path: Path, distribution: Path) -> None:
    (tmp_path / "bin/java").write_text(JAVA.format(mirror=tmp_path / "mirror"))
    with pytest.raises(FetchError, match=r"^Ivy found no org\.acme:unknown:1\.0 in its repositories$"):
        make(wanted(tmp_path, "org.acme:unknown:1.0"), distribution, "", 60)


def test_what_the_distribution_has_itself_is_refused(tmp_path: Path, distribution: Path) -> None:
    with pytest.raises(FetchError, match=r"com\.acme:guava:1: spark-9 has it itself \(guava-33\.6\.0-jre\.jar\); leave it out"):
        make(wanted(tmp_path, "com.acme:guava:1"), distribution, "", 60)


def test_ivy_is_asked_for_what_is_needed_but_for_what_is_there() -> None:
    described = ElementTree.fromstring(ivy_file(read([NAMED]), modules_of(["guava-33.6.0-jre.jar", "hive-shims-0.23-2.3.10.jar", "README"])))
    (package,) = described.findall("dependencies/dependency")
    assert dict(package.items()) == {"org": "org.acme", "name": "csv", "rev": "1.14.1", "force": "true", "conf": "default"}
    assert [each.get("module") for each in described.findall("dependencies/exclude")] == ["guava", "hive-shims"]


def test_an_archive_is_kept_for_a_week(tmp_path: Path, distribution: Path) -> None:
    one = wanted(tmp_path, NAMED)
    path, _sums = make(one, distribution, "", 60)
    forget_old(one)
    assert path.exists()
    old = time.time() - KEPT - 60
    os.utime(path, (old, old))
    forget_old(one)
    assert not path.exists()
