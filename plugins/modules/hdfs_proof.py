#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove an HDFS: write, read and compare a file through every DataNode."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hdfs_proof
short_description: Prove an HDFS by files on every DataNode
version_added: 0.5.0
description:
  - Writes random bytes through every DataNode, as the cluster's user, in one copy, which must lie on that DataNode. Reads them back from there,
    and compares the bytes, where the NameNode says that they are, and HDFS's own checksum, which must be the same on all.
  - How it ended, and when, is kept in a stamp, with the members and settings. After a success nothing is written again until these change, or the
    stamp is removed. The role removes it before it changes a node.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  page:
    description: The NameNode's web page, such as V(http://10.0.0.4:9870).
    type: str
    required: true
  namenode:
    description: Address and port at which clients reach the NameNode.
    type: str
    required: true
  datanodes:
    description: Web pages of all DataNodes.
    type: list
    elements: str
    required: true
  user:
    description: User that writes the files.
    type: str
    required: true
  nodes:
    description: Ids of the nodes that the proof is about; they become part of the stamp.
    type: list
    elements: str
    default: []
  mib:
    description: Size of each file.
    type: int
    default: 4
  stamp:
    description: File that keeps the stamp.
    type: path
    default: /var/lib/sky/proof/hdfs.json
  force:
    description: Write the files although a stamp of a success exists.
    type: bool
    default: false
  seconds:
    description: Seconds that the DataNodes may take to join and the NameNode to leave safe mode.
    type: int
    default: 180
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Prove the HDFS
  sky.clusters.hdfs_proof:
    page: http://10.0.0.4:9870
    namenode: 10.0.0.4:8020
    datanodes: ["http://10.0.0.5:9864", "http://10.0.0.6:9864"]
    user: sky
"""

RETURN = r"""
result:
  description: What the last successful proof found.
  returned: when there is one
  type: dict
  sample: {datanodes: [10.0.0.5, 10.0.0.6], mib: 4, seconds: 1.4}
"""

import os
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._systems import _hdfs_pages, _hdfs_stamp, _spark_proof
from ansible_collections.sky.clusters.plugins.module_utils._systems._hdfs_pages import IN_SERVICE, RemoteError, Web

AT_ONCE = 8  # DataNodes


class ProofError(Exception):
    """The HDFS did not do it; the message is one sentence."""


@dataclass(frozen=True)
class Subject:
    """What is to be proved."""

    page: str
    namenode: str
    datanodes: tuple[str, ...]
    user: str


def address(page: str) -> str:
    return str(urlsplit(page).hostname)


def wait(subject: Subject, seconds: float) -> None:
    """Until the NameNode takes changes and has every DataNode."""
    wanted = {address(page) for page in subject.datanodes}
    end = time.monotonic() + seconds
    while True:
        seen = _hdfs_pages.state(subject.page)
        missing = wanted - {node.address for node in seen.live if node.state == IN_SERVICE}
        if seen.ready and not missing:
            return
        if time.monotonic() > end:
            break
        time.sleep(0.5)
    if not seen.answers:
        raise ProofError(f"the NameNode at {subject.page} does not answer; on its node, see 'journalctl -u hdfs-namenode'")
    if missing:
        raise ProofError(
            f"no DataNode on {', '.join(sorted(missing))} has joined within {seconds:.0f} seconds; there, see 'journalctl -u hdfs-datanode'"
        )
    raise ProofError(f"the NameNode takes no changes after {seconds:.0f} seconds: {seen.safe_mode}")


def through(datanode: str, subject: Subject, folder: str, content: bytes) -> Mapping[str, Any]:
    """Write and read one file through one DataNode; its checksum by HDFS."""
    own, path = address(datanode), f"{folder}/{address(datanode).replace(':', '.')}"
    web, head = Web(datanode, subject.user, subject.namenode), Web(subject.page, subject.user)
    web.call(path, "CREATE", "PUT", body=content, replication=1, overwrite="true")
    if web.call(path, "OPEN") != content:
        raise ProofError(f"the DataNode {own} returned other bytes than were written")
    blocks = head.json(path, "GETFILEBLOCKLOCATIONS")["BlockLocations"]["BlockLocation"]
    held = {name.rpartition(":")[0].strip("[]") for block in blocks for name in block["names"]}
    if held != {own}:
        raise ProofError(f"what was written through the DataNode {own} is on {', '.join(sorted(held)) or 'none'}: it may be full")
    return dict(web.json(path, "GETFILECHECKSUM")["FileChecksum"])


def prove(subject: Subject, mib: int) -> dict[str, Any]:
    """The proof itself."""
    begun = time.monotonic()
    content = os.urandom(mib << 20)
    folder = f"/tmp/sky-proof-{secrets.token_hex(6)}"  # noqa: S108  # of HDFS, and nobody can know the name
    head = Web(subject.page, subject.user)
    head.call(folder, "MKDIRS", "PUT", permission="700")
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sums = list(pool.map(lambda page: through(page, subject, folder, content), subject.datanodes))
    finally:
        head.call(folder, "DELETE", "DELETE", recursive="true")
    if any(each != sums[0] for each in sums):
        raise ProofError("the same bytes have different checksums on different DataNodes")
    return {"datanodes": sorted(map(address, subject.datanodes)), "mib": mib, "seconds": round(time.monotonic() - begun, 1)}


def run(given: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """The module's answer."""
    subject = Subject(given["page"], given["namenode"], tuple(given["datanodes"]), given["user"])
    stamp = Path(given["stamp"])
    about = {"datanodes": sorted(subject.datanodes), "user": subject.user, "nodes": sorted(given["nodes"]), "files": _hdfs_stamp.files()}
    old = _spark_proof.read(stamp)
    if old.get("subject") == about and old["outcome"] == _spark_proof.SUCCESS and not given["force"]:
        return {"changed": False, "result": old["result"]}
    if check:
        return {"changed": True}
    try:
        wait(subject, given["seconds"])
        result = prove(subject, given["mib"])
    except (ProofError, RemoteError, OSError) as error:
        _spark_proof.write(stamp, about, _spark_proof.FAILURE, why=sentence(error))
        raise
    _spark_proof.write(stamp, about, _spark_proof.SUCCESS, result=result)
    return {"changed": True, "result": result}


def sentence(error: Exception) -> str:
    """Why there is no proof, in a sentence."""
    return f"The HDFS cannot store files: {error}"


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "page": {"type": "str", "required": True},
            "namenode": {"type": "str", "required": True},
            "datanodes": {"type": "list", "elements": "str", "required": True},
            "user": {"type": "str", "required": True},
            "nodes": {"type": "list", "elements": "str", "default": []},
            "mib": {"type": "int", "default": 4},
            "stamp": {"type": "path", "default": "/var/lib/sky/proof/hdfs.json"},
            "force": {"type": "bool", "default": False},
            "seconds": {"type": "int", "default": 180},
        },
        supports_check_mode=True,
    )
    try:
        answer = run(module.params, module.check_mode)
    except (ProofError, RemoteError, OSError) as error:
        module.fail_json(msg=sentence(error))
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
