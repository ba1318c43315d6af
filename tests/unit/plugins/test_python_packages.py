# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python packages for nodes, with a real pip and wheels that need no index."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES
from ansible_collections.sky.clusters.plugins.plugin_utils._python_packages import (
    PackagesError,
    Target,
    build,
    check,
    content,
    known_version,
    version_of,
)

OWN = ROLES["spark_worker"].packages["spark_python_packages"]
HERE = Target(sys.version_info[1], "x86_64", 36)
OTHER = Target(sys.version_info[1] + 1, "x86_64", 36)


def wheel(folder: Path, name: str, version: str = "1.0", requires: str = "") -> str:
    """A wheel with one module and one program; its SHA-256."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = '{version}'\ndef main(): print('{name}', version)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{f'Requires-Dist: {requires}' if requires else ''}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items())
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        for inner, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            file.writestr(zipfile.ZipInfo(inner), text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site that serves packages from a folder of its own, as its pip settings say."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def unpacked(archive: Path, folder: Path) -> Path:
    folder.mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    return folder


def test_an_environment_has_the_packages_and_their_programs(mirror: Path, tmp_path: Path) -> None:
    wheel(mirror, "tiny", requires="small")
    wheel(mirror, "small")
    minor = subprocess.run(["/usr/bin/python3", "-c", "import sys; print(sys.version_info[1])"], capture_output=True, text=True, check=True).stdout
    system = Target(int(minor), "x86_64", 36)  # whose Python the environment has; that of the tests may be another
    built = build("python-jobs", ["tiny==1.0"], system, tmp_path / "cache")
    assert hashlib.sha256(built.path.read_bytes()).hexdigest() == built.sha256
    env = unpacked(built.path, tmp_path / "env")
    said = subprocess.run([env / "bin/python3", "-c", "import tiny, small, sys; print(sys.prefix)"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(env)
    assert (env / "bin/tiny").read_text(encoding="utf-8").startswith(f"#!/opt/python-jobs-{built.version}/bin/python3\n")
    assert bool(list(env.glob("lib/python3.*/site-packages/__pycache__/tiny.*.pyc"))) is system.is_own
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [built.path.name]


def test_the_same_packages_give_the_same_archive(mirror: Path, tmp_path: Path) -> None:
    wheel(mirror, "tiny")
    one, two = (build("python-jobs", ["tiny"], HERE, tmp_path / name) for name in ("one", "two"))
    assert (one.version, one.sha256) == (two.version, two.sha256)
    (mirror / "tiny-1.0-py3-none-any.whl").unlink()
    assert build("python-jobs", ["tiny"], HERE, tmp_path / "one") == one  # pip is not needed again
    one.path.write_bytes(b"damaged")
    with pytest.raises(PackagesError, match="No matching distribution found for tiny"):
        build("python-jobs", ["tiny"], HERE, tmp_path / "one")


def test_conditions_on_the_python_are_those_of_the_nodes(mirror: Path, tmp_path: Path) -> None:
    wheel(mirror, "tiny", requires=f"small ; python_version >= '{OTHER.version}'")
    wheel(mirror, "small")
    for target, has in ((HERE, False), (OTHER, True)):
        env = unpacked(build("python-jobs", ["tiny"], target, tmp_path / "cache").path, tmp_path / target.version)
        assert (env / f"lib/python{target.version}/site-packages/small.py").exists() is has


def test_hashes_are_checked_where_the_requirements_have_them(mirror: Path, tmp_path: Path) -> None:
    sha256 = wheel(mirror, "tiny")
    build("python-jobs", [f"tiny==1.0 --hash=sha256:{sha256}"], HERE, tmp_path / "cache")
    with pytest.raises(PackagesError, match=f"pip refused tiny==1.0: its SHA-256 is {sha256}, and the requirements have another one"):
        build("python-jobs", [f"tiny==1.0 --hash=sha256:{'0' * 64}"], HERE, tmp_path / "cache")
    wheel(mirror, "small")
    with pytest.raises(PackagesError, match=r"all requirements must have their versions pinned with ==\. These do not: small"):
        build("python-jobs", [f"tiny==1.0 --hash=sha256:{sha256}", "small"], HERE, tmp_path / "cache")


@pytest.mark.usefixtures("mirror")
def test_a_package_that_does_not_exist_is_named(tmp_path: Path) -> None:
    sentence = rf"pip could not install the packages: No matching distribution found for no-such-thing as a wheel for Python {HERE.version} on x86_64"
    with pytest.raises(PackagesError, match=sentence):
        build("python-jobs", ["no-such-thing"], HERE, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_version_follows_from_the_content_of_a_file_and_of_those_that_it_includes(tmp_path: Path) -> None:
    file, more = tmp_path / "requirements.txt", tmp_path / "more.txt"
    file.write_text("# ours\n-r more.txt\ntiny==1.0 \\\n    --hash=sha256:00\n", encoding="utf-8")
    more.write_text("small\n", encoding="utf-8")
    before = version_of(str(file), HERE)
    file.write_text("# changed words\n-r more.txt\ntiny==1.0 \\\n    --hash=sha256:00\n", encoding="utf-8")
    assert version_of(str(file), HERE) == before
    assert version_of(str(file), OTHER) != before
    more.write_text("small==2\n", encoding="utf-8")
    assert version_of(str(file), HERE) != before
    assert content(["tiny"]) == content('["tiny"]') == ["tiny"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("nowhere.txt", "no such file nowhere.txt; give a list of requirements, or the path of a requirements file on the controller"),
        ({"numpy": "2"}, "must be a list of requirements, or the path of a requirements file, got {'numpy': '2'}"),
        ("[numpy", "must be a list of requirements, or the path of a requirements file, got '[numpy'"),
        ([7], "entry 0: must be a requirement such as 'numpy==2.4.0', got 7"),
        (["numpy", "num py"], "entry 1: 'num py' is no requirement of pip: "),
        (["-r more.txt"], "entry 0: must be one requirement, not an option of pip, got '-r more.txt': use a requirements file"),
        (["PySpark==4.1"], "entry 0: 'PySpark==4.1' cannot be installed: it comes with the cluster, in the version that spark_version names"),
    ],
)
def test_what_is_no_list_of_requirements_is_refused(value: Any, sentence: str) -> None:
    assert check(value, OWN).startswith(sentence)


def test_a_bad_line_of_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    good = "--index-url http://mirror/simple\n./own.whl\nown @ file:///own.whl\n"
    good += "numpy>=2,<3 ; python_version < '4'  # words\n\ntiny[x]==1 --hash=sha256:00\n"
    file.write_text(good, encoding="utf-8")
    assert check(str(file), OWN) == ""
    file.write_text(f"{good}numpy=2\n", encoding="utf-8")
    assert check(str(file), OWN).startswith(f"{file}, line 7: 'numpy=2' is no requirement of pip: ")


def test_the_python_of_nodes_is_read() -> None:
    assert Target.parse("Python 3.13 aarch64 glibc 2.41") == Target(13, "aarch64", 41)
    options = Target(13, "aarch64", 18).options()
    assert options[:5] == ["--python-version=3.13", "--implementation=cp", "--platform=manylinux_2_18_aarch64", "--platform=manylinux_2_17_aarch64",
                           "--platform=manylinux2014_aarch64"]  # fmt: skip
    with pytest.raises(PackagesError, match=r"the nodes have Python 3\.13 x86_64 musl 1"):
        Target.parse("Python 3.13 x86_64 musl 1")


def test_what_the_head_has_is_found() -> None:
    assert known_version(["1a 00", "2b 11"], "2b") == "11"
    assert known_version(["1a 00"], "2b") == ""
