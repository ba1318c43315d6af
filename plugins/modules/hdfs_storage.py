#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a volume holds of HDFS, and the first format of a NameNode."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hdfs_storage
short_description: Look at what a volume holds of HDFS, and format a NameNode's
version_added: 0.5.0
description:
  - Says what the folders C(name) and C(data) of a volume hold, and to which HDFS it belongs.
  - Formats a NameNode's folder only if the volume has never held one. It is made beside its place and renamed when it is complete, so a format that
    was killed leaves nothing that counts, and the next call makes it anew.
  - A folder that is neither empty nor whole is refused and left as it is. So is one of another HDFS than O(cluster_id).
author:
  - The sky.clusters authors (@sky-clusters)
options:
  path:
    description: Where the volume is mounted.
    type: path
    required: true
  cluster:
    description: Name of the cluster that the volume belongs to; the identifier of a new HDFS begins with it.
    type: str
    required: true
  cluster_id:
    description: Identifier of the HDFS that a DataNode of this volume serves; what the folder C(data) holds must belong to it.
    type: str
    default: ""
  format:
    description: Whether to format the folder C(name) if the volume has never held one.
    type: bool
    default: false
  further:
    description:
      - Further folders in which the NameNode keeps the same. If one of them is whole, nothing is formatted, since a NameNode that starts fills an
        empty folder from the others.
    type: list
    elements: path
    default: []
  held:
    description: Identifiers of HDFS that DataNodes hold blocks of. A NameNode is not formatted if there is one, since it could not read these blocks.
    type: list
    elements: str
    default: []
  datanodes:
    description: How many DataNodes there are, for RV(copies).
    type: int
    default: 1
  most_copies:
    description: How many copies of a file should be kept where there are as many DataNodes.
    type: int
    default: 3
  replication:
    description: Write down how many copies of a file are kept.
    type: int
  user:
    description: User of the daemons.
    type: str
    default: hdfs
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Look at the volume
  sky.clusters.hdfs_storage:
    path: /data/hdfs
    cluster: demo
  register: storage

- name: Format a new NameNode
  sky.clusters.hdfs_storage:
    path: /data/hdfs
    cluster: demo
    format: true
"""

RETURN = r"""
name:
  description: Identifier of the HDFS whose NameNode keeps its files here; empty if none does.
  returned: always
  type: str
  sample: demo-1f0c2d3e
data:
  description: Identifier of the HDFS whose blocks are here; empty if there are none.
  returned: always
  type: str
  sample: demo-1f0c2d3e
replication:
  description: How many copies of a file are kept; 0 if nobody has written it down.
  returned: always
  type: int
  sample: 3
copies:
  description: How many copies are to be kept. It grows with the DataNodes up to O(most_copies), and becomes less only if O(most_copies) does.
  returned: always
  type: int
  sample: 3
"""

import json
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

NOTE = ".sky/hdfs.json"
UNFINISHED = ".sky-hdfs-format"
FORMAT = "/usr/local/lib/sky/hdfs-format"  # of the role hdfs: formats the folder that it is given, with the identifier that it is given


class StorageError(Exception):
    """The volume cannot be used as it is; the message is one sentence."""


def identifier(folder: Path) -> str:
    """The HDFS that a folder belongs to; empty if it holds nothing.

    Raises:
        StorageError: something is there that is not a whole folder of HDFS.
    """
    version = folder / "current/VERSION"
    if version.is_file():
        values = dict(line.split("=", 1) for line in version.read_text(encoding="utf-8").splitlines() if "=" in line)
        if values.get("clusterID"):
            return values["clusterID"]
    if folder.is_dir() and any(path.is_file() for path in folder.rglob("*") if path.name != "in_use.lock"):
        raise StorageError(
            f"{folder} holds files but no usable current/VERSION, so it is neither used nor formatted: restore it, or move it away to begin anew"
        )
    return ""


def owner(cluster_id: str) -> str:
    """The cluster that an identifier names."""
    return cluster_id.rpartition("-")[0] or cluster_id


def copies(most: int, datanodes: int, in_force: int) -> int:
    """How many copies of a file are to be kept: fewer than now only if the user asks for fewer."""
    wanted = max(1, min(most, datanodes))
    return in_force if wanted < in_force <= most else wanted


def note(path: Path) -> dict[str, Any]:
    """What was written down on the volume."""
    try:
        found = json.loads((path / NOTE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise StorageError(f"{path / NOTE} cannot be read: {error}") from error
    return dict(found)


def write(path: Path, content: dict[str, Any]) -> None:
    (path / NOTE).parent.mkdir(mode=0o700, exist_ok=True)
    new = path / f"{NOTE}.new"
    with new.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path / NOTE)


def format_name(path: Path, cluster: str, user: str) -> str:
    """Format beside its place, and rename; the new identifier."""
    new, cluster_id = path / UNFINISHED, f"{cluster}-{secrets.token_hex(4)}"
    shutil.rmtree(new, ignore_errors=True)  # of a format that was killed: under this name nothing counts
    new.mkdir(mode=0o700)
    shutil.chown(new, user, user)
    done = subprocess.run(["runuser", "-u", user, "--", FORMAT, str(new), cluster_id], capture_output=True, text=True, check=False)
    if done.returncode != 0 or identifier(new) != cluster_id:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise StorageError(f"{path / 'name'} could not be formatted: {said[-1] if said else f'exit code {done.returncode}'}")
    os.sync()
    if (path / "name").is_dir():
        (path / "name").rmdir()  # it is empty, or this fails
    new.rename(path / "name")
    return cluster_id


def check_format(path: Path, cluster: str, known: dict[str, Any], held: list[str]) -> None:
    """Refuse to format where a NameNode's files are missing."""
    if known.get("cluster_id"):
        raise StorageError(
            f"{path} held the NameNode of {known['cluster_id']}, and its folder 'name' is missing: it is not formatted again; "
            f"restore the folder from a backup, or remove {path / NOTE} to begin with no files"
        )
    if held:
        raise StorageError(
            f"{path} is blank, but DataNodes hold blocks of {', '.join(sorted(set(held)))}, which a new NameNode could not read: it is not "
            "formatted; give the node its former volume or restore a backup, or delete the DataNodes' volumes to begin with no files"
        )
    if not os.path.ismount(path):
        raise StorageError(f"{path} is not mounted, so the NameNode of {cluster} is not formatted on it")


@dataclass(frozen=True)
class Held:
    """What a volume holds: identifiers of HDFS, empty if there is nothing."""

    name: str
    data: str


def check_owner(path: Path, held: Held, cluster: str, cluster_id: str) -> None:
    """Refuse what belongs to another HDFS."""
    if held.name and owner(held.name) != cluster:
        raise StorageError(
            f"{path / 'name'} belongs to the HDFS {held.name} of cluster '{owner(held.name)}', not to cluster '{cluster}': it is left as it is"
        )
    if cluster_id and held.data and held.data != cluster_id:
        raise StorageError(
            f"{path / 'data'} holds blocks of the HDFS {held.data} of cluster '{owner(held.data)}', and that of cluster '{cluster}' is {cluster_id}: "
            "it is left as it is; give the volume to its own cluster, or delete it"
        )


def look(given: dict[str, Any], check: bool) -> dict[str, Any]:
    """The module's answer."""
    path, cluster = Path(given["path"]), str(given["cluster"])
    known = note(path)
    held = Held(identifier(path / "name"), identifier(path / "data"))
    check_owner(path, held, cluster, given["cluster_id"])
    further = Held(next(filter(None, (identifier(Path(each)) for each in given["further"])), ""), "")
    check_owner(path, further, cluster, "")
    formatting = given["format"] and not held.name and not further.name
    if formatting:
        check_format(path, cluster, known, given["held"])
        if not check:
            held = Held(format_name(path, cluster, given["user"]), held.data)
    held = Held(held.name or further.name, held.data)
    fresh = known | ({"cluster": cluster, "cluster_id": held.name} if held.name else {})
    fresh |= {"replication": given["replication"]} if given["replication"] else {}
    if fresh != known and not check:
        write(path, fresh)
    in_force = int(fresh.get("replication", 0))
    wanted = copies(given["most_copies"], given["datanodes"], in_force)
    return {"changed": bool(formatting or fresh != known), "name": held.name, "data": held.data, "replication": in_force, "copies": wanted}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "cluster": {"type": "str", "required": True},
            "cluster_id": {"type": "str", "default": ""},
            "format": {"type": "bool", "default": False},
            "further": {"type": "list", "elements": "path", "default": []},
            "held": {"type": "list", "elements": "str", "default": []},
            "datanodes": {"type": "int", "default": 1},
            "most_copies": {"type": "int", "default": 3},
            "replication": {"type": "int"},
            "user": {"type": "str", "default": "hdfs"},
        },
        supports_check_mode=True,
    )
    try:
        found = look(module.params, module.check_mode)
    except (StorageError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**found)


if __name__ == "__main__":
    main()
