#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the NameNode of an HDFS says of its DataNodes and files. Runs on the NameNode's node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hdfs_info
short_description: Show what the NameNode of an HDFS knows
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Reads the NameNode's web page, and how the last proof of M(sky.clusters.hdfs_proof) ended. Changes nothing, and does not fail where no NameNode
    answers.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  address:
    description: The NameNode's address.
    type: str
    required: true
  port:
    description: TCP port of its web page.
    type: int
    default: 9870
  stamp:
    description: File that keeps how the last proof ended.
    type: path
    default: /var/lib/sky/proof/hdfs.json
"""

EXAMPLES = r"""
- name: Ask the NameNode
  sky.clusters.hdfs_info:
    address: 10.0.0.4
  register: hdfs
"""

RETURN = r"""
answers:
  description: Whether a NameNode answers there that takes changes; one in safe mode does not.
  returned: always
  type: bool
  sample: true
page:
  description: Address of its web page.
  returned: always
  type: str
  sample: http://10.0.0.4:9870
members:
  description:
    - The DataNodes that the NameNode knows, by their addresses. A lost one stays for a while, as V(dead).
    - A DataNode is C(at_work) if its C(state) is V(In Service), and C(busy) if it holds blocks.
  returned: always
  type: list
  elements: dict
  sample: [{address: 10.0.0.5, state: In Service, at_work: true, busy: true, detail: "0.4 of 9.8 GiB, 12 blocks"}]
work:
  description: Always empty; HDFS runs no jobs.
  returned: always
  type: list
  elements: dict
  sample: []
facts:
  description:
    - Capacity, use and free space in GiB, the DataNodes, and the blocks that lack copies. C(safe mode) says why no file can be changed, if so.
    - What others keep on the volumes is neither used nor free. A DataNode is full if no block of 128 MiB fits.
  returned: always
  type: dict
  sample:
    capacity GiB: 19.6
    used GiB: 0.8
    free GiB: 17.8
    DataNodes live: 2
    DataNodes dead: 0
    DataNodes leaving: 0
    DataNodes full: 0
    files: 14
    blocks: 12
    under-replicated blocks: 0
    missing blocks: 0
    safe mode: "off"
proof:
  description: When and how the last proof ended, in the same shape as that of M(sky.clusters.spark_info).
  returned: always
  type: dict
  sample: {outcome: success, ended: "2026-11-28T03:40:05Z", nodes: [], current: true}
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._systems import _hdfs_pages, _hdfs_stamp
from ansible_collections.sky.clusters.plugins.module_utils._systems._hdfs_pages import DEAD, IN_SERVICE, DataNode, State

GIB = 1024**3
BLOCK = 128 << 20  # of HDFS: a NameNode chooses a DataNode for a new block only if a whole one fits


def view(seen: State) -> dict[str, Any]:
    """What the NameNode says, in the shape that all systems share."""
    if not seen.answers:
        return {"answers": False, "members": [], "work": [], "facts": {}}
    return {"answers": seen.ready, "members": [_member(node) for node in seen.datanodes], "work": [], "facts": _facts(seen)}


def _member(node: DataNode) -> dict[str, Any]:
    at_work = node.state == IN_SERVICE
    detail = f"{node.used / GIB:.1f} of {node.capacity / GIB:.1f} GiB, {node.blocks} blocks" + (f", {node.to_copy} to copy" if node.to_copy else "")
    return {"address": node.address, "state": node.state, "at_work": at_work, "busy": node.blocks > 0, "detail": detail}


def _facts(seen: State) -> dict[str, Any]:
    values = seen.values or {}
    leaving = [node for node in seen.live if node.state != IN_SERVICE]
    return {
        "capacity GiB": round(values.get("CapacityTotal", 0) / GIB, 1),
        "used GiB": round(values.get("CapacityUsed", 0) / GIB, 1),
        "free GiB": round(values.get("CapacityRemaining", 0) / GIB, 1),
        "DataNodes live": len(seen.live),
        "DataNodes dead": sum(node.state == DEAD for node in seen.datanodes),
        "DataNodes leaving": len(leaving),
        "DataNodes full": sum(node.remaining < BLOCK for node in seen.live),
        "files": values.get("FilesTotal", 0),
        "blocks": values.get("BlocksTotal", 0),
        "under-replicated blocks": values.get("UnderReplicatedBlocks", 0),
        "missing blocks": values.get("MissingBlocks", 0),
        "safe mode": seen.safe_mode or "off",
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "default": 9870},
            "stamp": {"type": "path", "default": str(_hdfs_stamp.STAMP)},
        },
        supports_check_mode=True,
    )
    page = _hdfs_pages.url(module.params["address"], module.params["port"])
    module.exit_json(changed=False, page=page, proof=_hdfs_stamp.seen(Path(module.params["stamp"])), **view(_hdfs_pages.state(page)))


if __name__ == "__main__":
    main()
