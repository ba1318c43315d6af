#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolve packages of the JVM with Ivy into one archive."""

from __future__ import annotations

DOCUMENTATION = r"""
module: jvm_packages
short_description: Resolve packages of the JVM with Ivy, into an archive of jars
version_added: 0.6.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Runs the Ivy in O(distribution) on this machine, so that a site's own Ivy settings and its proxy apply. It resolves the packages with all that
    they need, except what O(distribution) has itself, in whatever version. The versions in O(packages) are used as they are.
  - The archive contains the jars, and their SHA-256 in the file C(SHA256SUMS), which C(sha256sum --check) reads.
  - The archive is kept on this machine for a week, for other clusters with the same packages.
options:
  name:
    description: Name of the distribution that the archive is for.
    type: str
    required: true
  version:
    description: Its version, which must be another one for other packages and for another O(distribution).
    type: str
    required: true
  packages:
    description: Maven coordinates, C(group:artifact:version). The SHA-256 of the jar may follow as C(--hash=sha256:...), and is compared.
    type: list
    elements: str
    required: true
  variable:
    description: The variable that they come from, for messages.
    type: str
    required: true
  distribution:
    description: A gzipped tar file that holds jars, and Ivy among them, such as the source archive of C(pyspark).
    type: path
    required: true
  settings:
    description: Ivy's settings. By default C(~/.ivy2/ivysettings.xml) if it exists, else those of Ivy.
    type: path
  dest:
    description:
      - Folder that keeps the archive; it is created if it is missing.
      - By default C(sky-clusters) in E(XDG_CACHE_HOME), or in C(~/.cache).
    type: path
  timeout:
    description: Seconds that Ivy may take.
    type: int
    default: 1800
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
notes:
  - It is made to run on the controller (O(ignore:connection=local)), with a Java runtime.
"""

EXAMPLES = r"""
- name: Resolve packages
  sky.clusters.jvm_packages:
    name: jvm-jobs
    version: 3f9a01bc22de
    packages: ["org.apache.commons:commons-csv:1.14.1"]
    variable: spark_jvm_packages
    distribution: /home/me/.cache/sky-clusters/pyspark-4.3.0.tar.gz
  delegate_to: localhost
  run_once: true
  register: packages
"""

RETURN = r"""
path:
  description: The archive; empty in check mode if Ivy would run.
  returned: always
  type: str
  sample: /home/me/.cache/sky-clusters/jvm-jobs-3f9a01bc22de-0a1b2c3d4e5f.tgz
sha256:
  description: Its SHA-256; empty in check mode if Ivy would run.
  returned: always
  type: str
  sample: 0a1b2c3d4e5f9939915979b3edba204d367750ef7dc5120411f35221dd4818c7
jars:
  description: The SHA-256 of each jar, by its name.
  returned: when Ivy has run
  type: dict
  sample: {org.apache.commons_commons-csv-1.14.1.jar: 32be0e1e76673092f5d12cb790bd2acb6c2ab04c4ea6efc69ea5ee17911c24fe}
"""

import re
import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._base._archives import PARTIAL, FetchError, default_folder, lock, sha256_of
from ansible_collections.sky.clusters.plugins.module_utils._base._ivy import add, ivy_fault, packed, retrieve, take
from ansible_collections.sky.clusters.plugins.module_utils._base._jvm_packages import CoordinateError, Package, read

KEPT = 7 * 24 * 3600  # seconds to keep an archive on the controller
JAR = re.compile(r"(.+?)-[0-9].*\.jar")
UNRESOLVED = re.compile(r":: ([\w.-]+)#([\w.-]+);(\S+): not found")
SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Wanted:
    """What is wanted, and where it is kept."""

    name: str
    version: str
    packages: tuple[Package, ...]
    folder: Path

    def path(self, sha256: str) -> Path:
        return self.folder / f"{self.name}-{self.version}-{sha256[:12]}.tgz"

    def found(self) -> Path | None:
        """The archive that an earlier run, perhaps for another cluster, has made."""
        candidates = sorted(self.folder.glob(f"{self.name}-{self.version}-*.tgz"), key=lambda path: path.stat().st_mtime, reverse=True)
        return next((path for path in candidates if path == self.path(sha256_of(path))), None)


def ivy_file(packages: Iterable[Package], own: Iterable[str]) -> str:
    """The packages with what they need, but for the modules of these names."""
    lines = [
        '<ivy-module version="2.0"><info organisation="sky.clusters" module="packages"/>',
        '<configurations><conf name="default"/></configurations>',
    ]
    lines += [
        "<dependencies>",
        *(
            f"<dependency org={quoteattr(package.group)} name={quoteattr(package.artifact)} rev={quoteattr(package.version)}"
            ' force="true" conf="default"/>'
            for package in packages
        ),
        *(f"<exclude module={quoteattr(name)}/>" for name in sorted(own)),
        "</dependencies></ivy-module>",
    ]
    return "\n".join(lines)


def modules_of(files: Iterable[str]) -> dict[str, str]:
    """The names of the modules whose jars are among these files, each with its jar."""
    return {match[1]: file for file in files if (match := JAR.fullmatch(file))}


def refuse_own(packages: Iterable[Package], own: dict[str, str], distribution: str) -> None:
    """Another version beside that of the distribution would come before it, and break what is made for that one."""
    for package in packages:
        if package.artifact in own:
            raise FetchError(f"{package}: {distribution} has it itself ({own[package.artifact]}); leave it out")


def missing(packages: Iterable[Package], folder: Path, said: str) -> str:
    """What Ivy has not found, in one sentence; empty if all is there."""
    unknown = list(dict.fromkeys(":".join(match) for match in UNRESOLVED.findall(said)))
    if unknown:
        return f"Ivy found no {', '.join(unknown)} in its repositories"
    absent = [str(package) for package in packages if not (folder / package.file).is_file()]
    return f"Ivy could not fetch {', '.join(absent)}: {ivy_fault(said)}" if absent else ""


def compare(packages: Iterable[Package], sums: dict[str, str]) -> None:
    """Each jar is the one that the list names by its hash."""
    for package in packages:
        if package.sha256 and sums[package.file] != package.sha256:
            raise FetchError(f"{package}: the SHA-256 of its jar is {sums[package.file]}, and the list has {package.sha256}")


def make(wanted: Wanted, distribution: Path, settings: str, timeout: int) -> tuple[Path, dict[str, str]]:
    """Make the archive; its path, and the hashes of the jars in it."""
    for old in wanted.folder.glob(PARTIAL + "*"):
        shutil.rmtree(old)  # under the lock, so it belongs to a run that was killed
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=wanted.folder) as name:
        place, got = Path(name), Path(name) / "got"
        files: list[str] = []
        ivy = take(distribution, set(), place, files.append)
        own = modules_of(files)
        refuse_own(wanted.packages, own, re.sub(r"\.(tar\.gz|tgz)$", "", distribution.name))
        pattern = f"{got}/[organisation]_[artifact]-[revision](-[classifier]).[ext]"
        said = retrieve(ivy, ivy_file(wanted.packages, own), pattern, ", ".join(map(str, wanted.packages)), settings, timeout)
        if fault := missing(wanted.packages, got, said):
            raise FetchError(fault)
        sums = {path.name: sha256_of(path) for path in sorted(got.glob("*.jar"))}
        compare(wanted.packages, sums)
        with packed(place / "packed") as archive:
            add(archive, SUMS, "".join(f"{sha256}  jars/{file}\n" for file, sha256 in sums.items()).encode())
            for file in sums:
                add(archive, f"jars/{file}", (got / file).read_bytes())
        path = wanted.path(sha256_of(place / "packed"))
        (place / "packed").replace(path)
        return path, sums


def forget_old(wanted: Wanted) -> None:
    for old in wanted.folder.glob(f"{wanted.name}-*.tgz"):
        if time.time() - old.stat().st_mtime > KEPT:
            old.unlink(missing_ok=True)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "version": {"type": "str", "required": True},
            "packages": {"type": "list", "elements": "str", "required": True},
            "variable": {"type": "str", "required": True},
            "distribution": {"type": "path", "required": True},
            "settings": {"type": "path"},
            "dest": {"type": "path"},
            "timeout": {"type": "int", "default": 1800},
        },
        supports_check_mode=True,
    )
    given = module.params
    folder = Path(given["dest"]) if given["dest"] else default_folder()
    try:
        wanted = Wanted(given["name"], given["version"], tuple(read(given["packages"])), folder)
        if module.check_mode and not wanted.found():
            module.exit_json(changed=True, path="", sha256="")
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder):
            forget_old(wanted)
            path, made = wanted.found(), {}
            if path is None:
                path, sums = make(wanted, Path(given["distribution"]), given["settings"] or "", given["timeout"])
                made = {"jars": sums}
    except (CoordinateError, FetchError, OSError) as error:
        module.fail_json(msg=f"{given['variable']}: {error}")
    module.exit_json(changed=bool(made), path=str(path), sha256=sha256_of(path), **made)


if __name__ == "__main__":
    main()
