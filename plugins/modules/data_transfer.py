#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring files to where jobs read them, and fetch what jobs have written."""

from __future__ import annotations

DOCUMENTATION = r"""
module: data_transfer
short_description: Bring files to where jobs read them, and fetch what they have written
version_added: 0.5.0
description:
  - Copies a file or a folder between the controller and a place that jobs use, as the cluster's user. A place is a folder of a node, such as a data
    volume or a shared file system, or a file system that the node's C(hdfs) command knows.
  - What is copied appears under its name only when it is complete. An object store cannot rename a folder - its objects appear there one by
    one, after all of them have arrived under another name.
  - Check mode copies nothing, and fails if what would be copied does not exist.
  - An action plugin of the same name brings the files to the node and back. There they need room on the node's own disk meanwhile.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  source:
    description: Where the files are. With O(direction=put) a path on the controller, with O(direction=get) a URL as in O(dest).
    type: str
    required: true
  dest:
    description:
      - Where they go. With O(direction=put) a URL such as V(hdfs:///in/), V(s3a://bucket/in/) or V(file:///data/sets/), with O(direction=get) a path
        on the controller.
      - Below a URL that ends with a slash, and below a folder that exists, they keep their name.
      - A file that exists is replaced by a file. A folder that exists is never replaced.
    type: str
    required: true
  direction:
    description: V(put) brings files from the controller; V(get) fetches them.
    type: str
    choices: [get, put]
    required: true
  user:
    description: User of the node who reads and writes.
    type: str
    default: sky
  staged:
    description: The file on the node that holds what is copied. The action plugin sets it.
    type: path
  folder:
    description: Whether O(staged) is a tar file that holds a folder. The action plugin sets it.
    type: bool
    default: false
  replaces:
    description: Whether O(dest) is a file that exists, whose place no folder can take. The action plugin sets it.
    type: bool
    default: false
    version_added: 0.7.0
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Copy a file into HDFS
  sky.clusters.data_transfer:
    direction: put
    source: logs.csv
    dest: hdfs:///user/sky/

- name: Fetch the result of a job
  sky.clusters.data_transfer:
    direction: get
    source: hdfs:///user/sky/result.parquet
    dest: ./
"""

RETURN = r"""
place:
  description: Where the files are now.
  returned: success
  type: str
  sample: hdfs:///user/sky/logs.csv
bytes:
  description: Their size.
  returned: success
  type: int
  sample: 1048576
"""

import os
import pwd
import re
import secrets
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

HDFS = "/usr/local/bin/hdfs"  # of the role that configures a cluster's file systems
NAME = "data"  # of what is staged
PLACE = re.compile(r"(file|hdfs|s3a)://([^/]*)(/.*)", re.DOTALL)  # a name may hold what begins a query or a fragment in other URLs
UNCHANGED = "nothing was changed; remove it first, or give another name"


class TransferError(Exception):
    """The files could not be copied; the message is one sentence."""


@dataclass(frozen=True)
class Store:
    """A place that jobs use, seen as a user of the node."""

    user: str

    def run(self, *command: str, output: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
        account = pwd.getpwnam(self.user)
        environment = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": account.pw_dir}
        become = ["runuser", "-u", self.user, "--"] if account.pw_uid != os.getuid() else []
        return subprocess.run([*become, *command], stdout=output, stderr=subprocess.PIPE, text=True, check=False, cwd="/", env=environment)

    def must(self, *command: str, output: int = subprocess.PIPE) -> str:
        done = self.run(*command, output=output)
        if done.returncode != 0:
            said = [line for line in (done.stderr or done.stdout).strip().splitlines() if line and not line.startswith(("\t", "WARN"))]
            raise TransferError(f"{said[-1] if said else f'{command[0]} ended with {done.returncode}'}")
        return done.stdout

    def put(self, staged: Path, place: str) -> None:
        raise NotImplementedError

    def get(self, place: str, staged: Path) -> None:
        raise NotImplementedError

    def is_folder(self, place: str) -> bool:
        raise NotImplementedError

    def exists(self, place: str) -> bool:
        raise NotImplementedError

    def write(self, content: Path, output: int) -> None:
        """Write a file, or a folder as an archive. The user reads it: what they can change meanwhile shows nothing that is not theirs."""
        self.must(*(["tar", "--create", f"--directory={content}", "."] if content.is_dir() else ["cat", "--", str(content)]), output=output)


class Folder(Store):
    """A folder of the node."""

    def put(self, staged: Path, place: str) -> None:
        part = f"{place}.part-{secrets.token_hex(4)}"
        try:
            self.must("cp", "-r", "--no-target-directory", "--", str(staged), part)
            self.must("sync", "-f", "--", part)
            self.must("mv", "--no-target-directory", "--", part, place)
        finally:
            self.run("rm", "-rf", "--", part)

    def get(self, place: str, staged: Path) -> None:
        self.must("cp", "-rH", "--no-target-directory", "--", place, str(staged))

    def is_folder(self, place: str) -> bool:
        return self.run("test", "-d", place).returncode == 0

    def exists(self, place: str) -> bool:
        return self.run("test", "-e", place).returncode == 0


class FileSystem(Store):
    """A file system of Hadoop. Its own command copies each file under another name, and renames it; a folder it fills under its final name."""

    def put(self, staged: Path, place: str) -> None:
        if not staged.is_dir():
            self.must(HDFS, "dfs", "-put", "-f", str(staged), place)
            return
        part = f"{place}.part-{secrets.token_hex(4)}"
        try:
            self.must(HDFS, "dfs", "-put", "-f", str(staged), part)
            self.must(HDFS, "dfs", "-mv", part, place)
        except TransferError:
            self.run(HDFS, "dfs", "-rm", "-r", "-f", "-skipTrash", part)
            raise

    def get(self, place: str, staged: Path) -> None:
        self.must(HDFS, "dfs", "-get", place, str(staged))

    def is_folder(self, place: str) -> bool:
        return self.run(HDFS, "dfs", "-test", "-d", place).returncode == 0

    def exists(self, place: str) -> bool:
        return self.run(HDFS, "dfs", "-test", "-e", place).returncode == 0


def store(url: str, user: str) -> tuple[Store, str]:
    """The store that a URL names, and the place in its own words."""
    parts = PLACE.fullmatch(url)
    scheme, host, path = parts.groups() if parts else ("", "", "")
    if scheme == "file" and not host:
        return Folder(user), path
    if scheme == "hdfs" or (scheme == "s3a" and host):
        if not Path(HDFS).is_file():
            raise TransferError(f"{url}: this node has no {scheme} file system; name a node that has one (sky_node)")
        return FileSystem(user), url
    raise TransferError(f"'{url}' must be a URL such as hdfs:///in/data.csv, s3a://bucket/in/data.csv or file:///data/sets/data.csv")


def size(path: Path) -> int:
    return sum(each.stat().st_size for each in ([path] if path.is_file() else path.rglob("*")) if each.is_file() and not each.is_symlink())


def foretold(given: dict[str, Any]) -> dict[str, Any]:
    """What check mode answers: the place is one that can be named, and what is fetched exists."""
    puts = given["direction"] == "put"
    there, place = store(given["dest" if puts else "source"], given["user"])
    if not puts and not there.exists(place):
        raise TransferError(f"{given['source']}: there is no such file")
    return {"place": given["dest"], "bytes": 0}


def put(given: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """From what was staged on the node to its place."""
    to, place = store(given["dest"], given["user"])
    name = Path(given["source"]).resolve().name
    if place.endswith("/") or to.is_folder(place):
        place = f"{place.rstrip('/')}/{name}"
    content = scratch / NAME
    if given["folder"]:
        content.mkdir()
        # which lets nothing out of the folder, unlike this system's version of tarfile
        subprocess.run(["tar", "--extract", "--no-same-owner", f"--file={given['staged']}", f"--directory={content}"], check=True)
    else:
        shutil.move(given["staged"], content)
    give(scratch, given["user"])
    if to.is_folder(place):
        raise TransferError(f"{place} exists and is a folder: {UNCHANGED}")
    to.put(content, place)
    return {"place": place, "bytes": size(content)}


def get(given: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """From its place to a file that the controller can fetch."""
    source, place = store(given["source"], given["user"])
    if given["replaces"] and source.is_folder(place):
        raise TransferError(f"{given['source']} is a folder, and {given['dest']} exists and is a file: {UNCHANGED}")
    content = scratch / NAME
    give(scratch, given["user"])
    source.get(place.rstrip("/"), content)
    found = {"place": given["source"], "bytes": size(content), "folder": content.is_dir()}
    staged = Path(given["staged"])
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        source.write(content, file.fileno())
        home = staged.parent.stat()  # of the user that ssh logs in as, who may not be root, and fetches it
        os.chown(file.fileno(), home.st_uid, home.st_gid)
    return found


def give(folder: Path, user: str) -> None:
    """To the user, with all that is in it; the folder itself last, which until then keeps them out of what root still changes."""
    account = pwd.getpwnam(user)
    for path in (*folder.rglob("*"), folder):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "source": {"type": "str", "required": True},
            "dest": {"type": "str", "required": True},
            "direction": {"type": "str", "choices": ["get", "put"], "required": True},
            "user": {"type": "str", "default": "sky"},
            "staged": {"type": "path"},
            "folder": {"type": "bool", "default": False},
            "replaces": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        if module.check_mode or not given["staged"]:
            module.exit_json(changed=given["direction"] == "put", **foretold(given))
        with tempfile.TemporaryDirectory(prefix="sky-data-", dir="/var/tmp") as scratch:
            found = {"get": get, "put": put}[given["direction"]](given, Path(scratch))
    except (TransferError, OSError, KeyError, subprocess.CalledProcessError, tarfile.TarError) as error:
        module.fail_json(msg=f"no user {error}" if isinstance(error, KeyError) else str(error))
    module.exit_json(changed=given["direction"] == "put", **found)


if __name__ == "__main__":
    main()
