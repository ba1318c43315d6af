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

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._base._archives import PARTIAL, FetchError, default_folder, lock, sha256_of

IVY = re.compile(r"(^|/)ivy-[0-9.]+\.jar$")
MAVEN = "http://ant.apache.org/ivy/maven"  # a name space, not a place


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


def take(distribution: Path, names: set[str], folder: Path) -> Path:
    """Put the jars of these names that a distribution holds into a folder; its Ivy."""
    ivy = None
    try:
        with tarfile.open(distribution, "r|gz") as archive:
            for member in archive:
                base = os.path.basename(member.name)
                if not member.isfile() or (base not in names and not IVY.search(member.name)):
                    continue
                content = archive.extractfile(member)
                if content is None:
                    continue
                with (folder / base).open("wb") as file:
                    shutil.copyfileobj(content, file)
                ivy = folder / base if IVY.search(member.name) else ivy
    except (OSError, tarfile.TarError) as error:
        raise FetchError(f"{distribution} cannot be read: {error}") from error
    if ivy is None:
        raise FetchError(f"{distribution} holds no Ivy (ivy-<version>.jar), which fetches jars")
    return ivy


def ivy_file(jars: tuple[Jar, ...]) -> str:
    """The dependencies, none of which brings others along."""
    lines = [f'<ivy-module version="2.0" xmlns:m="{MAVEN}"><info organisation="sky.clusters" module="jars"/><dependencies>']
    for jar in jars:
        lines.append(f'<dependency org={quoteattr(jar.org)} name={quoteattr(jar.name)} rev={quoteattr(jar.version)} transitive="false">')
        if jar.classifier:
            lines.append(f'<artifact name={quoteattr(jar.name)} type="jar" ext="jar" m:classifier={quoteattr(jar.classifier)}/>')
        lines.append("</dependency>")
    return "\n".join([*lines, "</dependencies></ivy-module>"])


def proxies(environment: Mapping[str, str]) -> list[str]:
    """The proxy of the environment in the words of Java, which does not look there."""
    found = []
    for scheme in ("http", "https"):
        value = environment.get(f"{scheme}_proxy") or environment.get(f"{scheme}_proxy".upper()) or ""
        place = urlsplit(value if "//" in value else f"//{value}")
        if place.hostname:
            found += [f"-D{scheme}.proxyHost={place.hostname}", f"-D{scheme}.proxyPort={place.port or 80}"]
    if found and (direct := environment.get("no_proxy") or environment.get("NO_PROXY")):
        found.append("-Dhttp.nonProxyHosts=" + "|".join(host.strip() for host in direct.split(",") if host.strip()))
    return found


def ivy_fault(output: str) -> str:
    """Ivy's own words, of a kind that fits into one line."""
    lines = [line.strip(" :\t") for line in output.splitlines()]
    telling = [line for line in lines if re.search(r"not found|FAILED|UNRESOLVED|error|exception", line, re.IGNORECASE)]
    return "; ".join(list(dict.fromkeys(telling or [line for line in lines if line][-1:]))[:3])


def fetch(ivy: Path, jars: tuple[Jar, ...], folder: Path, settings: str, timeout: int) -> None:
    """Have Ivy put these jars into the folder."""
    java = shutil.which("java")
    names = ", ".join(jar.file for jar in jars)
    if java is None:
        raise FetchError(f"this machine has no Java runtime, with which Ivy fetches {names}: install one, such as default-jre-headless")
    described = folder / "ivy.xml"
    described.write_text(ivy_file(jars), encoding="utf-8")
    own = Path(settings) if settings else Path.home() / ".ivy2/ivysettings.xml"
    command = [java, f"-Divy.default.ivy.user.dir={folder / 'ivy'}", *proxies(os.environ), "-jar", str(ivy), "-ivy", str(described)]
    command += ["-settings", str(own)] if settings or own.is_file() else []
    command += ["-retrieve", str(folder / "[artifact]-[revision](-[classifier]).[ext]")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"Ivy did not fetch {names} within {timeout} seconds") from error
    missing = [jar.file for jar in jars if not (folder / jar.file).is_file()]
    if missing:
        raise FetchError(f"Ivy could not fetch {', '.join(missing)}: {ivy_fault(done.stdout + done.stderr)}")


def pack(wanted: Wanted, folder: Path, into: Path) -> None:
    """The file, from jars that are all there; every time the same."""
    # jars are compressed already; what reads the file expects gzip all the same
    with (
        into.open("wb") as file,
        gzip.GzipFile("", "wb", 0, file, mtime=0) as packed_file,
        tarfile.open(fileobj=packed_file, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for jar in sorted(wanted.jars, key=lambda jar: jar.file):
            content = (folder / jar.file).read_bytes()
            if not jar.unpack:
                _add(archive, f"jars/{jar.file}", content)
                continue
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                for name in sorted(name for name in packed.namelist() if name.startswith(f"{jar.unpack}/") and not name.endswith("/")):
                    _add(archive, name, packed.read(name))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    archive.addfile(member, io.BytesIO(content))


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
