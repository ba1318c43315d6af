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
      optional:
        description: Whether the file is left out where its folder does not exist.
        type: bool
        default: false
        version_added: 0.8.0
      apply:
        description:
          - A command that makes a changed file take effect. It is run when all files are written.
          - If it fails, or the run ends before it, the next run runs it again.
        type: str
        version_added: 0.7.0
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
applied:
  description: The files whose O(files[].apply) was run; in check mode those whose it would be.
  returned: always
  type: list
  elements: str
  version_added: 0.7.0
  sample: [/etc/ssh/sshd_config.d/10-sky.conf]
"""

import os
import pwd
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._rights import rights_of

Act = Callable[[AnsibleModule, Mapping[str, Any]], bool]


class WriteError(Exception):
    """A file cannot be written; the message is one sentence."""


def rights(item: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Those of its owner, if it lies in a folder of that owner's, who may put links there at any time."""
    account = pwd.getpwnam(item["owner"])
    theirs = any(folder.exists() and folder.lstat().st_uid == account.pw_uid for folder in Path(item["path"]).parents)
    return rights_of(account) if theirs else nullcontext()


def attributes(module: AnsibleModule, item: Mapping[str, Any]) -> bool:
    """Set owner, group and mode; whether one of them differed."""
    group = item["group"] or str(pwd.getpwnam(item["owner"]).pw_gid)
    changed = bool(_set(module, {"path": item["path"], "owner": item["owner"], "group": group}))  # which follows no link
    with rights(item):
        return bool(_set(module, {"path": item["path"], "mode": item["mode"]})) or changed


def _set(module: AnsibleModule, wanted: Mapping[str, str]) -> Any:
    return module.set_fs_attributes_if_different(module.load_file_common_arguments(wanted), changed=False)


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
    if item["optional"] and not Path(item["path"]).parent.is_dir():
        return False
    with rights(item):
        return _write(module, item)


def _write(module: AnsibleModule, item: Mapping[str, Any]) -> bool:
    path = Path(item["path"])
    content = item["content"].encode() + kept(path, item["keep_below"])
    if holds(path, content, item["owner"]):
        return attributes(module, item)
    if module.check_mode:
        return True
    handle, new = tempfile.mkstemp(prefix=".sky-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        validate(item["validate"], new)
        attributes(module, {**item, "path": new})
        if item["apply"]:
            pending(path).touch()
        os.replace(new, path)
    finally:
        Path(new).unlink(missing_ok=True)
    return True


def holds(path: Path, content: bytes, owner: str) -> bool:
    """Whether it is a file of this owner's with this content."""
    if not path.is_file() or path.is_symlink() or path.stat().st_uid != pwd.getpwnam(owner).pw_uid:
        return False
    try:
        return path.read_bytes() == content
    except PermissionError:
        return False  # its owner may not read it


def kept(path: Path, line: str | None) -> bytes:
    """What a file holds from a line on."""
    if not line or path.is_symlink() or not path.is_file():
        return b""
    mark = f"{line}\n".encode()
    head, found, below = path.read_bytes().partition(mark)
    return mark + below if found and head[-1:] in (b"", b"\n") else b""


def validate(command: str | None, path: str) -> None:
    if command and (said := failure([part.replace("%s", path) for part in shlex.split(command)])):
        raise WriteError(f"'{command}' refuses the new file: {said}")


def pending(path: Path) -> Path:
    """The mark of a file that has yet to take effect. It is there before the file, and outlives a run that is killed."""
    return path.with_name(f".{path.name}.pending")


def apply(module: AnsibleModule, item: Mapping[str, Any], written: Container[str]) -> bool:
    """Make a file take effect that was written, by this run or by one that ended too early; whether that was needed."""
    mark = pending(Path(item["path"]))
    if not item["apply"] or not (mark.exists() or (module.check_mode and item["path"] in written)):
        return False
    if not module.check_mode:
        if said := failure(shlex.split(item["apply"])):
            raise WriteError(f"'{item['apply']}' failed: {said}")
        mark.unlink()
    return True


def failure(command: list[str]) -> str:
    """What a command that fails says; empty if it does not fail."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return ((done.stderr or done.stdout).strip() or f"it ended with {done.returncode}") if done.returncode else ""


def each(module: AnsibleModule, kind: str, act: Act) -> list[str]:
    """Act on each of the folders or files; those that were acted on."""
    done = []
    for item in module.params[kind]:
        try:
            done += [item["path"]] if act(module, item) else []
        except (WriteError, OSError, KeyError) as error:
            module.fail_json(msg=f"{item['path']}: {error}")
    return done


def main() -> None:
    common = {"path": {"type": "path", "required": True}, "owner": {"type": "str", "default": "root"}, "group": {"type": "str"}}
    file = common | {"content": {"type": "str", "required": True}, "mode": {"type": "str", "default": "0644"}}
    file |= {"validate": {"type": "str"}, "keep_below": {"type": "str"}, "apply": {"type": "str"}}
    file |= {"optional": {"type": "bool", "default": False}}
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "dict", "default": [], "options": common | {"mode": {"type": "str", "required": True}}},
            "files": {"type": "list", "elements": "dict", "default": [], "options": file},
        },
        supports_check_mode=True,
    )
    written = each(module, "folders", folder) + each(module, "files", write)
    applied = each(module, "files", partial(apply, written=written))
    module.exit_json(changed=bool(written or applied), written=written, applied=applied)


if __name__ == "__main__":
    main()
