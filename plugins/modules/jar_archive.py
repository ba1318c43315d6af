#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack Java archives, fetched by name with Ivy, into one file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: jar_archive
short_description: Pack Java archives, fetched by name, into one file
version_added: 0.5.0
description:
  - Packs Java archives (jars) into one gzipped tar file in a folder of this machine. Every jar must have the SHA-256 that the lock says.
  - A jar that O(distribution) holds is taken from there. The others are fetched by the Ivy in O(distribution), in one go, so that a site's own Ivy
    settings and its proxy are honoured.
  - The same lock always gives the same file, byte for byte. It appears under its name only when it is complete.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  name:
    description: What the name of the file begins with.
    type: str
    required: true
  jars:
    description: The lock.
    type: list
    elements: dict
    required: true
    suboptions:
      org:
        description: Organisation of the artifact.
        type: str
        required: true
      name:
        description: Its name.
        type: str
        required: true
      version:
        description: Its version.
        type: str
        required: true
      classifier:
        description: Its classifier, if it has one.
        type: str
        default: ""
      sha256:
        description: SHA-256 of its jar.
        type: str
        required: true
      unpack:
        description: Pack only the files of this folder of the jar, each as a file of its own.
        type: str
        default: ""
  distribution:
    description: A gzipped tar file that holds jars, and Ivy among them, such as the source archive of C(pyspark).
    type: path
    required: true
  settings:
    description: Ivy's settings. By default C(~/.ivy2/ivysettings.xml) if it exists, else those of Ivy.
    type: path
  dest:
    description:
      - Folder that keeps the file; it is created if it is missing.
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
- name: Pack a jar and its web pages
  sky.clusters.jar_archive:
    name: acme
    distribution: /home/me/.cache/sky-clusters/pyspark-4.3.0.tar.gz
    jars:
      - org: com.acme
        name: server
        version: 1.2.0
        sha256: 06772d24529e59939915979b3edba204d367750ef7dc5120411f35221dd4818c
      - org: com.acme
        name: pages
        version: 1.2.0
        sha256: afcb2a1a357b531bde29197adfc9cac4ed8e1e46ee3cdb1385d0ecdd16a520b2
        unpack: webapps
  delegate_to: localhost
  run_once: true
  register: archive
"""

RETURN = r"""
path:
  description: The file. In check mode it may not exist yet.
  returned: always
  type: str
  sample: /home/me/.cache/sky-clusters/acme-06772d24529e.tar.gz
sha256:
  description: Its SHA-256.
  returned: when it exists
  type: str
  sample: e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6
size:
  description: Its size in bytes.
  returned: when it exists
  type: int
  sample: 113541120
fetched:
  description: The jars that Ivy fetched; the others were in O(distribution).
  returned: when the file was made
  type: list
  elements: str
  sample: [server-1.2.0.jar]
"""

import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._base._archives import PARTIAL, FetchError, default_folder, lock, sha256_of
from ansible_collections.sky.clusters.plugins.module_utils._base._ivy import MAVEN, add, ivy_fault, packed, retrieve, take


@dataclass(frozen=True)
class Jar:
    """One locked jar."""

    org: str
    name: str
    version: str
    sha256: str
    classifier: str = ""
    unpack: str = ""

    @property
    def file(self) -> str:
        return f"{self.name}-{self.version}{f'-{self.classifier}' if self.classifier else ''}.jar"


@dataclass(frozen=True)
class Wanted:
    """What is wanted, and where it is kept."""

    name: str
    jars: tuple[Jar, ...]
    folder: Path

    @property
    def path(self) -> Path:
        lock = json.dumps([asdict(jar) for jar in self.jars], sort_keys=True)
        return self.folder / f"{self.name}-{hashlib.sha256(lock.encode()).hexdigest()[:12]}.tar.gz"


def ivy_file(jars: tuple[Jar, ...]) -> str:
    """The dependencies, none of which brings others along."""
    lines = [f'<ivy-module version="2.0" xmlns:m="{MAVEN}"><info organisation="sky.clusters" module="jars"/><dependencies>']
    for jar in jars:
        lines.append(f'<dependency org={quoteattr(jar.org)} name={quoteattr(jar.name)} rev={quoteattr(jar.version)} transitive="false">')
        if jar.classifier:
            lines.append(f'<artifact name={quoteattr(jar.name)} type="jar" ext="jar" m:classifier={quoteattr(jar.classifier)}/>')
        lines.append("</dependency>")
    return "\n".join([*lines, "</dependencies></ivy-module>"])


def fetch(ivy: Path, jars: tuple[Jar, ...], folder: Path, settings: str, timeout: int) -> None:
    """Have Ivy put these jars into the folder."""
    names = ", ".join(jar.file for jar in jars)
    said = retrieve(ivy, ivy_file(jars), f"{folder}/[artifact]-[revision](-[classifier]).[ext]", names, settings, timeout)
    missing = [jar.file for jar in jars if not (folder / jar.file).is_file()]
    if missing:
        raise FetchError(f"Ivy could not fetch {', '.join(missing)}: {ivy_fault(said)}")


def pack(wanted: Wanted, folder: Path, into: Path) -> None:
    """The file, from jars that are all there; every time the same."""
    with packed(into) as archive:
        for jar in sorted(wanted.jars, key=lambda jar: jar.file):
            content = (folder / jar.file).read_bytes()
            if not jar.unpack:
                add(archive, f"jars/{jar.file}", content)
                continue
            with zipfile.ZipFile(io.BytesIO(content)) as jar_file:
                for name in sorted(name for name in jar_file.namelist() if name.startswith(f"{jar.unpack}/") and not name.endswith("/")):
                    add(archive, name, jar_file.read(name))


def check(jars: tuple[Jar, ...], folder: Path) -> None:
    """Every jar is the locked one."""
    for jar in jars:
        found = sha256_of(folder / jar.file)
        if found != jar.sha256:
            raise FetchError(f"{jar.file}: its SHA-256 is {found}, not the locked {jar.sha256}")


def make(wanted: Wanted, distribution: Path, settings: str, timeout: int) -> list[str]:
    """Make the file; the jars that had to be fetched for it."""
    for old in wanted.folder.glob(PARTIAL + "*"):
        shutil.rmtree(old)  # under the lock, so it belongs to a run that was killed
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=wanted.folder) as name:
        folder = Path(name)
        ivy = take(distribution, {jar.file for jar in wanted.jars}, folder)
        missing = tuple(jar for jar in wanted.jars if not (folder / jar.file).is_file() or sha256_of(folder / jar.file) != jar.sha256)
        for jar in missing:  # another version of the distribution may hold another build of the same name
            (folder / jar.file).unlink(missing_ok=True)
        if missing:
            fetch(ivy, missing, folder, settings, timeout)
        check(wanted.jars, folder)
        pack(wanted, folder, folder / "packed")
        (folder / "packed").replace(wanted.path)
        return [jar.file for jar in missing]


def main() -> None:
    jar = {"org": {"type": "str", "required": True}, "name": {"type": "str", "required": True}, "version": {"type": "str", "required": True}}
    jar |= {"sha256": {"type": "str", "required": True}, "classifier": {"type": "str", "default": ""}, "unpack": {"type": "str", "default": ""}}
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "jars": {"type": "list", "elements": "dict", "required": True, "options": jar},
            "distribution": {"type": "path", "required": True},
            "settings": {"type": "path"},
            "dest": {"type": "path"},
            "timeout": {"type": "int", "default": 1800},
        },
        supports_check_mode=True,
    )
    given = module.params
    folder = Path(given["dest"]) if given["dest"] else default_folder()
    wanted = Wanted(given["name"], tuple(Jar(**each) for each in given["jars"]), folder)
    if module.check_mode and not wanted.path.is_file():
        module.exit_json(changed=True, path=str(wanted.path))
    made = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder):
            if not wanted.path.is_file():
                made = {"fetched": make(wanted, Path(given["distribution"]), given["settings"] or "", given["timeout"])}
    except (FetchError, OSError, zipfile.BadZipFile) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(made), path=str(wanted.path), sha256=sha256_of(wanted.path), size=wanted.path.stat().st_size, **made)


if __name__ == "__main__":
    main()
