#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mount a folder of CephFS, and prove it as its users will use it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cephfs_mount
short_description: Mount a folder of CephFS
version_added: 0.5.0
description:
  - Starts the unit C(sky-cephfs) that the role P(sky.clusters.cephfs#role) has written, and restarts it if its settings have changed. When the folder
    is mounted, a user writes, reads and removes a file there. Fails with the words of Ceph.
  - A folder of the node that is not empty, or at which something else is mounted, is not mounted over.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  path:
    description: Where it is mounted.
    type: path
    required: true
  state:
    description: V(checked) only checks that it can be mounted there. V(absent) also removes the unit.
    type: str
    choices: [absent, checked, mounted, unmounted]
    default: mounted
  folder:
    description: What is mounted, for messages.
    type: str
    default: ""
  client:
    description: Name of the client that Ceph knows.
    type: str
    default: ""
  mode:
    description: Mode of the folder itself; empty leaves it as it is.
    type: str
    default: ""
  disruption:
    description: With V(refuse) a folder that is mounted is not mounted anew, which would interrupt jobs that use it.
    type: str
    choices: [drain, force, refuse]
    default: drain
  user:
    description: Who writes, reads and removes a file.
    type: str
    default: sky
  seconds:
    description: Seconds that each step may take.
    type: int
    default: 60
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Mount the folder
  sky.clusters.cephfs_mount:
    path: /shared
    client: lab
    folder: 10.0.0.5:6789:/volumes/lab/data
"""

RETURN = r"""
actions:
  description: What was done, in this order; in check mode what would be.
  returned: always
  type: list
  elements: str
  sample: [enable, start]
"""

import os
import re
import secrets
import stat
import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._folders import FolderError
from ansible_collections.sky.clusters.plugins.module_utils._nodes._systemd import SystemdError
from ansible_collections.sky.clusters.plugins.module_utils._nodes._unit import Unit, UnitError

UNIT = "sky-cephfs"
MOUNTS = Path("/proc/self/mountinfo")
KINDS = ("ceph", "fuse.ceph-fuse")  # what the two clients of CephFS mount
ESCAPED = re.compile(r"\\([0-7]{3})")  # a blank in a path
SETTINGS = (Path("/etc/sky/cephfs.conf"), Path("/etc/sky/cephfs.key"))
WRITE = 'set -e; umask 077; cat > "$0"; cat "$0"; rm -- "$0"'
REFUSED_KEY = "the monitors refuse the key of this client"
MALFORMED_KEY = "cephfs_key is no key of Ceph, but something else or a part of one"
SILENCE = "no monitor answers"
BEGIN = "Starting sky-cephfs.service"  # what systemd writes before each attempt
# What the clients of Ceph say, the most telling first
WORDS = (
    (re.compile(r"mount error[:= ]*(?:\d+ = )?(.+)"), ""),
    (re.compile(r"ceph mount failed with (?:\(\d+\) )?(.+)"), ""),
    (re.compile(r"Malformed input"), MALFORMED_KEY),
    (re.compile(r"handle_auth_bad_method|no keyring found"), REFUSED_KEY),
    (re.compile(r"timed out|result 'timeout'"), SILENCE),
    (re.compile(r"failed to fetch mon config"), REFUSED_KEY),  # all that ceph-fuse often says of it; it is the last word after a silence too
)


class MountError(Exception):
    """The folder cannot be used; the message is one sentence."""


def reason(journal: str) -> str:
    """Why a mount failed, from the journal of its unit: of the last attempt that says it."""
    for attempt in reversed(journal.split(BEGIN)):
        for pattern, meaning in WORDS:
            if found := pattern.search(attempt):
                return meaning or found[1].strip()
    lines = [line.strip() for line in journal.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def unit() -> Unit:
    return Unit(UNIT, SETTINGS, faults=reason)


def mounted(path: Path) -> str:
    """The type of the file system that is mounted there; empty if none is. A mount that is dead is not touched."""
    place = str(Path(os.path.realpath(path.parent)) / path.name)
    kind = ""
    for line in MOUNTS.read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4]) == place:
            kind = fields[fields.index("-") + 1]  # the last one is on top
    return kind


def check_place(path: Path) -> None:
    """Files of the node are not hidden by what is mounted over them."""
    kind = mounted(path)
    if kind and kind not in KINDS:
        raise MountError(f"cephfs_mount: a file system of the type {kind} is mounted at {path}, and would be hidden: name another folder")
    if not kind and path.is_dir() and any(path.iterdir()):
        raise MountError(f"cephfs_mount: {path} is not empty, and what it holds would be hidden: move it away, or name another folder")


def check_disruption(path: Path, disruption: str) -> None:
    """Jobs that use the folder are not interrupted against the user's will."""
    if disruption == "refuse" and "restart" in unit().start(check=True, pending=False):
        raise MountError(f"cephfs_mount: {path} must be mounted anew, which interrupts jobs that use it: set sky_disruption to drain or force")


def use(path: Path, user: str, seconds: int) -> None:
    """Write, read and remove a file."""
    content, place = secrets.token_bytes(1 << 16), path / f".sky-{secrets.token_hex(6)}"
    command = ["runuser", "-u", user, "--", "sh", "-c", WRITE, str(place)]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=seconds, check=False, cwd="/")
    except subprocess.TimeoutExpired as error:
        raise MountError(f"{path} does not answer within {seconds} seconds") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        found = path.stat()
        hint = f"; it belongs to {found.st_uid}:{found.st_gid} with mode {stat.S_IMODE(found.st_mode):04o} (cephfs_mode changes it)"
        raise MountError(f"{user} cannot use {path}: {said[-1] if said else done.returncode}{hint if 'ermission denied' in str(said) else ''}")
    if done.stdout != content:
        raise MountError(f"{place} came back with other bytes than were written")


def set_mode(path: Path, mode: str, check: bool) -> list[str]:
    if not mode or stat.S_IMODE(path.stat().st_mode) == int(mode, 8):
        return []
    if not check:
        path.chmod(int(mode, 8))
    return ["mode"]


def mount(given: dict[str, Any], check: bool) -> list[str]:
    path = Path(given["path"])
    try:
        check_place(path)
        check_disruption(path, given["disruption"])
        actions = unit().start(check, pending=False)
        if check:
            return actions
        if not os.path.ismount(path):
            raise MountError(f"{unit().tail()}")
        actions += set_mode(path, given["mode"], check)
        use(path, given["user"], given["seconds"])
    except (MountError, UnitError, OSError) as error:
        if str(error).startswith("cephfs_mount: "):
            raise
        raise MountError(f"cephfs_export: {given['folder']} cannot be used as client.{given['client']}: {said(error)}") from error
    return actions


def said(error: Exception) -> str:
    """The words of Ceph, without those of systemd around them."""
    return str(error).rpartition("its journal ends with: ")[2]


def run(given: dict[str, Any], check: bool) -> list[str]:
    if given["state"] == "checked":
        check_place(Path(given["path"]))
        return []
    if given["state"] == "mounted":
        return mount(given, check)
    return unit().remove(check) if given["state"] == "absent" else unit().stop(check)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["absent", "checked", "mounted", "unmounted"], "default": "mounted"},
            "folder": {"type": "str", "default": ""},
            "client": {"type": "str", "default": ""},
            "mode": {"type": "str", "default": ""},
            "disruption": {"type": "str", "choices": ["drain", "force", "refuse"], "default": "drain"},
            "user": {"type": "str", "default": "sky"},
            "seconds": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    try:
        actions = run(module.params, module.check_mode)
    except (MountError, UnitError, FolderError, SystemdError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(actions), actions=actions)


if __name__ == "__main__":
    main()
