#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create folders and write small files, several in one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: files
short_description: Create folders and write small files, several in one call
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Does in one call what a loop of M(ansible.builtin.template) and M(ansible.builtin.file) does in two or three calls for each file.
  - A file is replaced in one step, and only when its content differs. A run that is killed leaves no half-written file.
options:
  folders:
    description: Folders to create, with their modes and owners, in this order and before the files. They must not be symbolic links.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where it is. C(~user) is expanded on the node.
        type: path
        required: true
      mode:
        description: Its mode, in octal digits.
        type: str
        required: true
      owner:
        description: Its user.
        type: str
        default: root
      group:
        description: Its group; by default the primary group of O(folders[].owner).
        type: str
  files:
    description: Files to write.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where it is. C(~user) is expanded on the node.
        type: path
        required: true
      content:
        description: What it contains.
        type: str
        required: true
      mode:
        description: Its mode, in octal digits.
        type: str
        default: "0644"
      owner:
        description: Its user.
        type: str
        default: root
      group:
        description: Its group; by default the primary group of O(files[].owner).
        type: str
      validate:
        description: A command that accepts the new file before it replaces the old one; C(%s) is its path.
        type: str
      keep_below:
        description: A line. If the file has it, this line and what follows it are kept below O(files[].content).
        type: str
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Write the settings
  sky.clusters.files:
    folders:
      - {path: /data/spark, owner: spark, mode: "0750"}
    files:
      - {path: /etc/spark/spark-env.sh, content: "{{ lookup('ansible.builtin.template', 'spark-env.sh.j2') }}"}
"""

RETURN = r"""
written:
  description: The files and folders that were created or changed; in check mode those that would be.
  returned: always
  type: list
  elements: str
  sample: [/etc/spark/spark-env.sh]
"""

import os
import pwd
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule


class WriteError(Exception):
    """A file cannot be written; the message is one sentence."""


def attributes(module: AnsibleModule, item: Mapping[str, Any]) -> bool:
    """Set owner, group and mode; whether one of them differed."""
    group = item["group"] or str(pwd.getpwnam(item["owner"]).pw_gid)
    wanted = {"path": item["path"], "mode": item["mode"], "owner": item["owner"], "group": group}
    return bool(module.set_fs_attributes_if_different(module.load_file_common_arguments(wanted), changed=False))


def folder(module: AnsibleModule, item: Mapping[str, Any]) -> bool:
    """Create a folder; whether anything differed."""
    path = Path(item["path"])
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise WriteError(f"{path} is not a folder")  # its owner may have put a link there, to be given what it points to
    missing = not path.exists()
    if missing and module.check_mode:
        return True
    if missing:
        path.mkdir(parents=True)
    return attributes(module, item) or missing


def write(module: AnsibleModule, item: Mapping[str, Any]) -> bool:
    """Write a file; whether anything differed."""
    path = Path(item["path"])
    content = item["content"].encode() + kept(path, item["keep_below"])
    if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
        return attributes(module, item)
    if module.check_mode:
        return True
    handle, new = tempfile.mkstemp(prefix=".sky-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        validate(item["validate"], new)
        attributes(module, {**item, "path": new})
        os.replace(new, path)
    finally:
        Path(new).unlink(missing_ok=True)
    return True


def kept(path: Path, line: str | None) -> bytes:
    """What a file holds from a line on."""
    if not line or path.is_symlink() or not path.is_file():
        return b""
    mark = f"{line}\n".encode()
    head, found, below = path.read_bytes().partition(mark)
    return mark + below if found and head[-1:] in (b"", b"\n") else b""


def validate(command: str | None, path: str) -> None:
    if not command:
        return
    done = subprocess.run([part.replace("%s", path) for part in shlex.split(command)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise WriteError(f"'{command}' refuses the new file: {(done.stderr or done.stdout).strip()}")


def main() -> None:
    common = {"path": {"type": "path", "required": True}, "owner": {"type": "str", "default": "root"}, "group": {"type": "str"}}
    file = common | {"content": {"type": "str", "required": True}, "mode": {"type": "str", "default": "0644"}}
    file |= {"validate": {"type": "str"}, "keep_below": {"type": "str"}}
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "dict", "default": [], "options": common | {"mode": {"type": "str", "required": True}}},
            "files": {"type": "list", "elements": "dict", "default": [], "options": file},
        },
        supports_check_mode=True,
    )
    written = []
    for kind, act in (("folders", folder), ("files", write)):
        for item in module.params[kind]:
            try:
                written += [item["path"]] if act(module, item) else []
            except (WriteError, OSError, KeyError) as error:
                module.fail_json(msg=f"{item['path']}: {error}")
    module.exit_json(changed=bool(written), written=written)


if __name__ == "__main__":
    main()
