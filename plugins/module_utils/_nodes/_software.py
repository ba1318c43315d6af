# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The software that a node has: packages of its distribution and of Python, unpacked archives and jars. Ships with the modules that run on nodes.

Of Python and Java, what Debian's own packages hold is left out: those packages are named themselves.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from ._distributions import MARKER, names

FOLDERS = ("opt", "usr/local")  # what Debian leaves to others
FIELDS = ("name", "version", "architecture", "source", "source_version")
FORMAT = "${db:Status-Status}\\t${Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${source:Version}\\n"
POM = "pom.properties"


def system(root: Path = Path("/")) -> dict[str, str]:
    """Name and version of the operating system, as purl and CycloneDX want them."""
    lines = (root / "etc/os-release").read_text(encoding="utf-8").splitlines()
    found = {key: value.strip("\"'") for key, _sign, value in (line.partition("=") for line in lines)}
    return {"name": found.get("ID", "linux"), "version": found.get("VERSION_ID", "")}


def debian(root: Path = Path("/")) -> list[dict[str, str]]:
    """The packages of the distribution that are installed."""
    command = ["dpkg-query", f"--admindir={root / 'var/lib/dpkg'}", "--show", "--showformat", FORMAT]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in said.splitlines()]
    return [dict(zip(FIELDS, row[1:], strict=True)) for row in rows if row[0] == "installed"]


def archives(root: Path = Path("/")) -> list[dict[str, str]]:
    """The archives that were unpacked, each with its SHA-256."""
    known = sorted(names(root), key=len, reverse=True)  # of `spark` and `spark-jobs` the longer one
    found = []
    for marker in sorted((root / "opt").glob(f"[!.]*/{MARKER}*")):
        if marker.parent.is_symlink():  # to the version in use
            continue
        home = marker.parent.name
        name = next((name for name in known if home.startswith(f"{name}-")), home.rpartition("-")[0] or home)
        place = _place(marker.parent, root)
        found.append({"name": name, "version": home.removeprefix(f"{name}-"), "sha256": marker.name.removeprefix(MARKER), "path": place})
    return found


def python_packages(root: Path = Path("/")) -> list[dict[str, str]]:
    """The Python packages beside Debian's, by what their installer noted."""
    found = []
    for path in _files(root):
        if (path.name, path.parent.suffix) in (("METADATA", ".dist-info"), ("PKG-INFO", ".egg-info")):
            noted = HeaderParser().parsestr(path.read_text(encoding="utf-8", errors="replace"))
            if noted["Name"] and noted["Version"]:
                found.append({"name": noted["Name"], "version": noted["Version"], "path": _place(path.parent, root)})
    return found


def jars(root: Path = Path("/")) -> list[dict[str, str]]:
    """The Java archives beside Debian's, each with its SHA-256, and with what Maven noted inside of it, if anything."""
    return [_jar(path, root) for path in _files(root) if path.suffix == ".jar"]


def _files(root: Path) -> Iterator[Path]:
    """Files of these folders, without links and without what is being unpacked or removed."""
    for top in FOLDERS:
        for folder, below, files in os.walk(root / top):
            below[:] = sorted(name for name in below if not name.startswith(".sky-"))
            yield from (path for name in sorted(files) if not (path := Path(folder, name)).is_symlink())


def _jar(path: Path, root: Path) -> dict[str, str]:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "sha256": sha256, "path": _place(path, root), **_coordinates(path)}


def _coordinates(path: Path) -> dict[str, str]:
    """Group, artifact and version. A jar may hold parts of others with what Maven noted of them: its own are those of its name."""
    with contextlib.suppress(OSError, zipfile.BadZipFile, NotImplementedError), zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("META-INF/maven/") and name.endswith(f"/{POM}"):
                noted = _properties(archive.read(name).decode("utf-8", "replace"))
                group, artifact, version = (noted.get(key, "") for key in ("groupId", "artifactId", "version"))
                named = f"{artifact}-{version}"  # Ivy writes the group before it
                if group and artifact and version and (path.stem.startswith(named) or path.stem.endswith(f"_{named}")):
                    return {"group": group, "artifact": artifact, "version": version}
    return {}


def _properties(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {key.strip(): value.strip() for key, _sign, value in (line.partition("=") for line in lines)}


def _place(path: Path, root: Path) -> str:
    """The path on the node."""
    return f"/{path.relative_to(root)}"


def everything(root: Path = Path("/")) -> dict[str, Any]:
    """All of it, as the module returns it."""
    return {
        "system": system(root),
        "debian": debian(root),
        "archives": archives(root),
        "python_packages": python_packages(root),
        "jars": jars(root),
    }
