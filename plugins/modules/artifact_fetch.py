#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch a large file from another node, and verify it while it arrives."""

from __future__ import annotations

DOCUMENTATION = r"""
module: artifact_fetch
short_description: Fetch a large file from another node, and verify it while it arrives
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Fetches a file over HTTP and computes its SHA-256 while it arrives. M(ansible.builtin.get_url) reads a file four times for its checksums, which
    takes longer than the transfer.
  - The file gets its name only when it is complete and verified.
options:
  url:
    description: Address of the file. No proxy is used.
    type: str
    required: true
  dest:
    description: Where the file goes; the folder must exist.
    type: path
    required: true
  sha256:
    description: SHA-256 of the file. A file with another one is refused.
    type: str
    required: true
  timeout:
    description: Seconds that the server may be silent.
    type: int
    default: 60
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Fetch the archive
  sky.clusters.artifact_fetch:
    url: http://10.0.0.4:7070/archive
    dest: /var/cache/archive.tgz
    sha256: e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6
"""

RETURN = r"""
"""

import hashlib
import http.client
import urllib.request
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

BLOCK = 1 << 20


class FetchError(Exception):
    """The file cannot be had; the message is one sentence."""


def is_whole(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def fetch(url: str, dest: Path, sha256: str, timeout: int) -> None:
    new = dest.with_name(f"{dest.name}.new")
    digest = hashlib.sha256()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as answer, new.open("wb") as file:
            while block := answer.read(BLOCK):
                digest.update(block)
                file.write(block)
        if digest.hexdigest() != sha256:
            raise FetchError(f"{url} has SHA-256 {digest.hexdigest()} instead of {sha256}")
        new.chmod(0o644)
        new.replace(dest)
    except (OSError, http.client.HTTPException) as error:
        raise FetchError(f"{url} cannot be fetched: {error}") from error
    finally:
        new.unlink(missing_ok=True)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "dest": {"type": "path", "required": True},
            "sha256": {"type": "str", "required": True},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    given = module.params
    dest, sha256 = Path(given["dest"]), given["sha256"].lower()
    changed = not is_whole(dest, sha256)
    try:
        if changed and not module.check_mode:
            fetch(given["url"], dest, sha256, given["timeout"])
    except FetchError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
