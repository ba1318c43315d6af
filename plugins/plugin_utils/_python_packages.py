# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python packages for nodes: pip on the controller resolves them for the nodes' Python, and makes a virtual environment in one archive.

The requirements are a list, or the path of a requirements file. pip reads its own settings (index, mirror, proxy, certificates) as always.
"""

from __future__ import annotations

import compileall
import gzip
import hashlib
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = "1"  # of the environment; another one gives it another version
SECONDS = 1800  # that pip may take
KEPT = 7 * 24 * 3600  # seconds to keep an archive on the controller
TIME = 315532800  # of all files in an archive, so that the same packages give the same archive
OLDEST_GLIBC = 5  # minor version: of the platform that pip calls manylinux1
LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
NODE = re.compile(r"Python (3)\.(\d+) (\w+) glibc (2)\.(\d+)")
INCLUDED = re.compile(r"^(?:-r|--requirement|-c|--constraint)[ =]*(\S+)")
SPECIFIER = re.compile(r"\s(?:--hash|--config-settings)[ =].*$|\s+#.*$")
# pip evaluates conditions such as python_version < "3.12" for its own interpreter, whatever --python-version says
FOR_ANOTHER_PYTHON = """
import json, runpy, sys
from pip._vendor.packaging import markers
own, target = markers.default_environment, json.loads(sys.argv.pop(1))
markers.default_environment = lambda: {**own(), **target}
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


class PackagesError(Exception):
    """The packages cannot be installed; one sentence per line."""


@dataclass(frozen=True)
class Target:
    """The Python that the packages are for."""

    minor: int  # of Python 3
    machine: str
    glibc: int  # minor version of glibc 2

    @classmethod
    def parse(cls, text: str) -> Target:
        """Of what M(sky.clusters.software_info) says about a node."""
        match = NODE.fullmatch(text)
        if not match:
            raise PackagesError(f"packages can be installed for Python 3 with glibc 2 only, and the nodes have {text}")
        return cls(int(match[2]), match[3], int(match[5]))

    @property
    def version(self) -> str:
        return f"3.{self.minor}"

    @property
    def is_own(self) -> bool:
        """Whether it is the Python of this process."""
        return (3, self.minor) == sys.version_info[:2]

    def options(self) -> list[str]:
        """The options of pip that choose its wheels, the best first."""
        names = [name for minor in range(self.glibc, OLDEST_GLIBC - 1, -1) for name in (f"manylinux_2_{minor}", LEGACY.get(minor, "")) if name]
        platforms = [f"--platform={name}_{self.machine}" for name in (*names, "linux")]
        return [f"--python-version={self.version}", "--implementation=cp", *platforms, "--only-binary=:all:"]

    def markers(self) -> dict[str, str]:
        return {"python_version": self.version, "python_full_version": f"{self.version}.0", "platform_machine": self.machine}


@dataclass(frozen=True)
class Built:
    """An environment in an archive."""

    version: str
    sha256: str
    path: Path


def read(value: Any) -> Any:
    """The requirements: a list, or the path of a file. A form sends a list as JSON."""
    return json.loads(value) if isinstance(value, str) and value.lstrip().startswith("[") else value


def check(value: Any, own: Mapping[str, str]) -> str:
    """Why a value is no requirements, as far as it shows without an index; empty if it is.

    Args:
        own: packages that must not be among them, and why.
    """
    try:
        value = read(value)
    except ValueError:
        return f"must be a list of requirements, or the path of a requirements file, got {value!r}"
    if isinstance(value, str):
        path = Path(value).expanduser()
        if not path.is_file():
            return f"no such file {value}; give a list of requirements, or the path of a requirements file on the controller"
        return next((f"{value}, line {number}: {reason}" for number, line in _lines(path) if (reason := _bad(line, own))), "")
    if not isinstance(value, list):
        return f"must be a list of requirements, or the path of a requirements file, got {value!r}"
    for number, entry in enumerate(value):
        if reason := _bad_entry(entry, own):
            return f"entry {number}: {reason}"
    return ""


def _bad_entry(entry: Any, own: Mapping[str, str]) -> str:
    if not isinstance(entry, str):
        return f"must be a requirement such as 'numpy==2.4.0', got {entry!r}"
    if entry.strip().startswith("-") or "\n" in entry:
        return f"must be one requirement, not an option of pip, got {entry!r}: use a requirements file"
    return _bad(entry, own)


def _bad(line: str, own: Mapping[str, str]) -> str:
    """Why one line is no requirement. Options, files and addresses are left to pip."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    text = SPECIFIER.sub("", line).strip()
    if not text or text.startswith(("-", ".", "/", "~")) or re.match(r"\w+(\+\w+)?:", text):
        return ""
    try:
        name = canonicalize_name(Requirement(text).name)
    except InvalidRequirement as error:
        return f"'{text}' is no requirement of pip: {str(error).splitlines()[0]}"
    return f"'{text}' cannot be installed: {own[name]}" if name in own else ""


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The logical lines of a requirements file, without comments, with their numbers."""
    begun, number = "", 0
    for at, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        number = number if begun else at
        begun += line
        if begun.endswith("\\"):
            begun = begun[:-1] + " "
            continue
        if (text := begun.strip()) and not text.startswith("#"):
            yield number, text
        begun = ""
    if begun.strip():
        yield number, begun.strip()


def content(value: Any) -> Any:
    """What the requirements consist of: the list, or the texts of the file and of those that it includes."""
    try:
        value = read(value)
    except ValueError:
        return value
    if not isinstance(value, str):
        return value
    texts: dict[str, str] = {}
    waiting = [Path(value).expanduser()]
    while waiting:
        path = waiting.pop()
        if str(path) in texts or not path.is_file():
            continue
        texts[str(path)] = "\n".join(line for _number, line in _lines(path))
        waiting += [path.parent / match[1] for line in texts[str(path)].splitlines() if (match := INCLUDED.match(line))]
    return list(texts.values())  # without the paths: the same file elsewhere is the same


def version_of(value: Any, target: Target) -> str:
    """The version of the environment: a hash of all that it is made of."""
    made_of = json.dumps([FORMAT, content(value), target.version, target.machine, target.glibc])
    return hashlib.sha256(made_of.encode()).hexdigest()[:12]


def build(name: str, value: Any, target: Target, folder: Path) -> Built:
    """Make the environment, and its archive in a folder of the controller, where it is kept for a week.

    Raises:
        PackagesError: pip refuses; with its own reason.
    """
    version = version_of(value, target)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{name}-*.tgz"):
        if time.time() - old.stat().st_mtime > KEPT:
            old.unlink(missing_ok=True)
    if found := _built_before(name, version, folder):
        return found
    with tempfile.TemporaryDirectory(prefix=".packages-", dir=folder) as place:
        env = Path(place) / "env"
        _install(value, target, Path(place))
        _arrange(Path(place) / "target", env, target, f"/opt/{name}-{version}")
        archive = Path(place) / "archive"
        _pack(env, archive)
        sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
        path = folder / f"{name}-{version}-{sha256[:12]}.tgz"
        archive.replace(path)
    return Built(version, sha256, path)


def _built_before(name: str, version: str, folder: Path) -> Built | None:
    """What an earlier run, perhaps for another cluster, has made of the same requirements."""
    for path in sorted(folder.glob(f"{name}-{version}-*.tgz"), key=lambda path: path.stat().st_mtime, reverse=True):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        if path.name == f"{name}-{version}-{sha256[:12]}.tgz":
            return Built(version, sha256, path)
    return None


def _install(value: Any, target: Target, place: Path) -> None:
    """Let pip install the requirements into the folder ``target``."""
    start = ["-m", "pip"] if target.is_own else ["-c", FOR_ANOTHER_PYTHON, json.dumps(target.markers())]
    options = ["--no-compile", "--no-input", "--disable-pip-version-check", "--progress-bar=off", "--quiet", f"--target={place / 'target'}"]
    file = Path(value).expanduser().resolve() if isinstance(value, str) else place / "list"
    if not isinstance(value, str):
        file.write_text("".join(f"{line}\n" for line in value), encoding="utf-8")
    command = [sys.executable, *start, "install", *options, *target.options(), "--requirement", str(file)]
    # pip unpacks what it downloads: a small /tmp may not have enough space for it
    env = os.environ | {"TMPDIR": str(place), "PIP_REQUIRE_VIRTUALENV": "0"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=env, cwd=file.parent, check=False)
    except subprocess.TimeoutExpired:
        raise PackagesError(f"pip did not end within {SECONDS} seconds") from None
    if done.returncode != 0:
        raise PackagesError(reason(done.stderr or done.stdout, target))


def reason(output: str, target: Target) -> str:
    """Why pip has refused, in one sentence."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        return f"{sys.executable} has no pip: install it (python3-pip), or run Ansible from a virtual environment that has it"
    if any("DO NOT MATCH THE HASHES" in line for line in lines):
        at = next(number for number, line in enumerate(lines) if line.startswith("Expected sha256"))
        which = lines[at - 1].split(" from ")[0].rstrip(":")
        got = next((line.split()[-1] for line in lines[at:] if line.startswith("Got")), "another one")
        return f"pip refused {which}: its SHA-256 is {got}, and the requirements have another one"
    errors = [_whole(lines, number) for number, line in enumerate(lines) if line.startswith("ERROR:")] or lines[-1:]
    hint = ""
    if any(line.startswith("No matching distribution") for line in errors):
        hint = f" as a wheel for Python {target.version} on {target.machine}"
        errors = errors[-1:]
    return f"pip could not install the packages: {'; '.join(errors[:3])}{hint}"


def _whole(lines: Sequence[str], number: int) -> str:
    """An error of pip, with the line after it if that says what is meant."""
    text = lines[number].removeprefix("ERROR: ").split(" (from versions:")[0]
    return f"{text} {lines[number + 1].split(' (from ')[0]}" if text.endswith(":") and number + 1 < len(lines) else text


def _arrange(target: Path, env: Path, python: Target, home: str) -> None:
    """Make a virtual environment of a folder in which pip has put packages, programs and data side by side."""
    packages = env / f"lib/python{python.version}/site-packages"
    packages.parent.mkdir(parents=True)
    target.mkdir(exist_ok=True)  # an empty list
    target.rename(packages)
    for name in ("bin", "etc", "share"):
        if (packages / name).is_dir() and not (packages / name / "__init__.py").exists():
            (packages / name).rename(env / name)
    (env / "bin").mkdir(exist_ok=True)
    for program in (env / "bin").iterdir():
        first, newline, rest = program.read_bytes().partition(b"\n")
        if first.startswith(b"#!") and b"python" in first:
            program.write_bytes(f"#!{home}/bin/python3".encode() + newline + rest)
    for name in ("python3", "python"):
        (env / "bin" / name).unlink(missing_ok=True)
        (env / "bin" / name).symlink_to("/usr/bin/python3" if name == "python3" else "python3")
    (env / "pyvenv.cfg").write_text(f"home = /usr/bin\ninclude-system-site-packages = true\nversion = {python.version}\n", encoding="utf-8")
    shutil.rmtree(env / "share/man", ignore_errors=True)
    if python.is_own:  # no user of a node may write there, so every job would compile what it imports
        # by the content of the source, as its time is not kept
        compileall.compile_dir(packages, quiet=2, stripdir=env, prependdir=home, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def _pack(env: Path, archive: Path) -> None:
    """Pack a folder, so that the same content gives the same archive."""
    with (
        archive.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=4, mtime=TIME) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        tar.add(env, ".", filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A file without what differs between two controllers."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mtime = TIME
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def known_version(versions: Sequence[str], wanted: str) -> str:
    """The SHA-256 of a version that the head has, among those that it names; empty if it has none."""
    return next((sha256 for version, _blank, sha256 in (text.partition(" ") for text in versions) if version == wanted), "")
