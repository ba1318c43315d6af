#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Download the source archive of a Python package with pip."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pip_archive
short_description: Download the source archive of a Python package with pip
version_added: 0.1.0
description:
  - Downloads the source archive of a Python package to a folder with pip, so that the index, mirror, proxy and certificates of a site apply as with
    C(pip install).
  - Nothing is installed. pip verifies the checksum before it reads the metadata in the archive.
  - The archive gets its name only when it is complete. A killed run leaves nothing that a later run would use by mistake.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  name:
    description: Name of the package.
    type: str
    required: true
  version:
    description: Version of the package.
    type: str
    required: true
  sha256:
    description: SHA-256 of the archive, in hexadecimal. Another archive is rejected.
    type: str
    required: true
  dest:
    description:
      - Folder for the archive. It is created if it does not exist.
      - By default C(sky-clusters) in E(XDG_CACHE_HOME), or in C(~/.cache).
    type: path
  timeout:
    description: Maximum seconds for pip.
    type: int
    default: 3600
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
notes:
  - Run it on the controller (O(ignore:connection=local)), with a Python that has pip.
"""

EXAMPLES = r"""
- name: Download the archive that contains Spark
  sky.clusters.pip_archive:
    name: pyspark
    version: 4.3.0
    sha256: e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6
  delegate_to: localhost
  run_once: true
  register: archive
"""

RETURN = r"""
path:
  description: Path of the archive. In check mode it may not exist yet.
  returned: always
  type: str
  sample: /home/me/.cache/sky-clusters/pyspark-4.3.0.tar.gz
size:
  description: Size of the archive in bytes.
  returned: when the archive exists
  type: int
  sample: 455910862
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._base._archives import PARTIAL, FetchError, default_folder, lock, sha256_of


@dataclass(frozen=True)
class Archive:
    """The wanted archive, and the folder for it."""

    name: str
    version: str
    sha256: str
    folder: Path

    @property
    def path(self) -> Path:
        # Indexes normalise names in this way; the archive's own name may differ in case and dashes.
        return self.folder / f"{re.sub(r'[-_.]+', '_', self.name).lower()}-{self.version}.tar.gz"

    @property
    def marker(self) -> Path:
        return self.path.with_name(self.path.name + ".sha256")


def stamp(archive: Archive) -> str:
    """The content of the marker of a verified archive, which saves reading hundreds of megabytes in every run."""
    stat = archive.path.stat()
    return f"{archive.sha256} {stat.st_size} {stat.st_mtime_ns}\n"


def is_present(archive: Archive, remember: bool) -> bool:
    """Whether the right archive exists."""
    if not archive.path.is_file():
        return False
    if archive.marker.is_file() and archive.marker.read_text() == stamp(archive):
        return True
    if sha256_of(archive.path) != archive.sha256:
        return False
    if remember:
        archive.marker.write_text(stamp(archive))
    return True


def pip_fault(name: str, output: str) -> str:
    """The errors that pip printed, in one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        return f"{sys.executable} has no pip: install it (python3-pip), or run Ansible from a virtual environment that has it"
    if any("DO NOT MATCH THE HASHES" in line for line in lines):
        got = next((line.split()[-1] for line in lines if line.startswith("Got")), "another value")
        return f"pip downloaded an archive of {name} with SHA-256 {got}, which is not the expected one"
    errors = [line.removeprefix("ERROR: ") for line in lines if line.lower().startswith("error:")] or lines[-1:]
    return f"pip could not download {name}: " + "; ".join(errors[:3])


def pip_download(archive: Archive, scratch: Path, timeout: int) -> None:
    """Download the archive into `scratch`."""
    wanted = scratch / "requirements.txt"
    wanted.write_text(f"{archive.name}=={archive.version} --hash=sha256:{archive.sha256}\n")
    # The archive is kept here, so pip need not cache it; the package is never installed, so its dependencies are not needed.
    options = ["--no-deps", "--no-binary", archive.name, "--require-hashes", "--no-cache-dir", "--no-input", "--progress-bar", "off"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(scratch / "got"), "--requirement", str(wanted)]
    try:
        # pip unpacks the archive to read its metadata: a small /tmp may not have enough space for it, the destination has.
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=os.environ | {"TMPDIR": str(scratch)}, check=False)
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"pip did not download {archive.name} {archive.version} within {timeout} seconds") from error
    if done.returncode != 0:
        raise FetchError(pip_fault(f"{archive.name} {archive.version}", done.stderr or done.stdout))


def fetch(archive: Archive, timeout: int) -> None:
    """Download the archive, verify it, and give it its name."""
    for old in archive.folder.glob(PARTIAL + "*"):
        shutil.rmtree(old)  # under the lock, so it is from a killed run
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=archive.folder) as name:
        scratch = Path(name)
        pip_download(archive, scratch, timeout)
        files = list((scratch / "got").iterdir())
        if len(files) != 1 or sha256_of(files[0]) != archive.sha256:
            raise FetchError(
                f"pip downloaded {', '.join(f.name for f in files) or 'nothing'} for {archive.name}, not the archive with the expected SHA-256"
            )
        files[0].chmod(0o644)
        files[0].replace(archive.path)
        archive.marker.write_text(stamp(archive))


def ensure(archive: Archive, timeout: int, check: bool) -> bool:
    """Download the archive unless it exists; whether it was, or in check mode would be, downloaded."""
    if check:
        return not is_present(archive, remember=False)
    archive.folder.mkdir(parents=True, exist_ok=True)
    with lock(archive.folder):
        if is_present(archive, remember=True):
            return False
        fetch(archive, timeout)
        return True


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "version": {"type": "str", "required": True},
            "sha256": {"type": "str", "required": True},
            "dest": {"type": "path"},
            "timeout": {"type": "int", "default": 3600},
        },
        supports_check_mode=True,
    )
    given = module.params
    if re.fullmatch(r"[0-9a-fA-F]{64}", given["sha256"]) is None:
        module.fail_json(msg=f"sha256 must be 64 hexadecimal digits, got '{given['sha256']}'")
    archive = Archive(given["name"], given["version"], given["sha256"].lower(), Path(given["dest"]) if given["dest"] else default_folder())
    try:
        changed = ensure(archive, given["timeout"], module.check_mode)
        size = {"size": archive.path.stat().st_size} if archive.path.is_file() else {}
    except (FetchError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, path=str(archive.path), **size)


if __name__ == "__main__":
    main()
