#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ResourceManager says of its nodes and applications. Runs on its node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: yarn_info
short_description: Show what a ResourceManager of YARN knows
version_added: 0.6.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Asks the ResourceManager for its NodeManagers and applications, and reads how the last proof of M(sky.clusters.yarn_proof) ended. Changes nothing,
    and does not fail if nothing answers.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  address:
    description: The ResourceManager's address.
    type: str
    required: true
  port:
    description: The TCP port of its web page.
    type: int
    default: 8088
  stamp:
    description: File that keeps how the last proof ended.
    type: path
    default: /var/lib/sky/proof/yarn.json
"""

EXAMPLES = r"""
- name: Ask the ResourceManager
  sky.clusters.yarn_info:
    address: 10.0.0.4
  register: yarn
"""

RETURN = r"""
answers:
  description: Whether the ResourceManager answers.
  returned: always
  type: bool
  sample: true
page:
  description: The page that was asked.
  returned: always
  type: str
  sample: http://10.0.0.4:8088
members:
  description: The NodeManagers, with YARN's words for their states. One is C(busy) if it runs containers.
  returned: always
  type: list
  elements: dict
  sample: [{address: 10.0.0.5, state: RUNNING, at_work: true, busy: false, detail: "0 containers, 0 of 1024 MiB"}]
work:
  description: The applications that wait or run.
  returned: always
  type: list
  elements: dict
  sample: [{id: application_1795911732422_0001, name: word count, user: sky, state: RUNNING, size: 3 containers, since: "2026-11-29T00:21:00Z"}]
facts:
  description: The NodeManagers and the memory of all.
  returned: always
  type: dict
  sample: {NodeManagers running: 2, memory MiB: 2048, used MiB: 0}
proof:
  description: When and how the last proof ended, in the same shape as that of M(sky.clusters.spark_info).
  returned: always
  type: dict
  sample: {outcome: success, ended: "2026-11-28T03:40:05Z", nodes: [], current: true}
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._systems import _yarn_pages
from ansible_collections.sky.clusters.plugins.module_utils._systems._proof_stamp import SUCCESS
from ansible_collections.sky.clusters.plugins.module_utils._systems._yarn_pages import NodeManager, State
from ansible_collections.sky.clusters.plugins.module_utils._systems._yarn_stamp import STAMP


def view(seen: State) -> dict[str, Any]:
    """What the ResourceManager says, in the shape that all systems share."""
    if not seen.answers:
        return {"answers": False, "members": [], "work": [], "facts": {}}
    at_work = [node for node in seen.nodes if node.at_work]
    facts = {
        "NodeManagers running": len(at_work),
        "memory MiB": sum(node.memory for node in at_work),
        "used MiB": sum(node.used for node in at_work),
    }
    return {"answers": True, "members": [_member(node) for node in seen.nodes], "work": [_work(found) for found in seen.applications], "facts": facts}


def _member(node: NodeManager) -> dict[str, Any]:
    detail = f"{node.containers} containers, {node.used} of {node.memory} MiB"
    return {"address": node.address, "state": node.state, "at_work": node.at_work, "busy": node.containers > 0, "detail": detail}


def _work(found: dict[str, Any]) -> dict[str, Any]:
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(found.get("startedTime", 0)) / 1000))
    size = f"{max(0, int(found.get('runningContainers', 0)))} containers"
    return {
        "id": found["id"],
        "name": found.get("name", ""),
        "user": found.get("user", ""),
        "state": found.get("state", ""),
        "size": size,
        "since": since,
    }


def in_words(proof: dict[str, Any]) -> dict[str, Any]:
    """The same, with what a success was."""
    if proof.get("outcome") != SUCCESS:
        return proof
    result = proof["result"]
    return proof | {"words": f"{result['words']} words were counted by MapReduce in {result['maps']} map tasks"}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "default": 8088},
            "stamp": {"type": "path", "default": str(STAMP.path)},
        },
        supports_check_mode=True,
    )
    address = module.params["address"]
    page = f"http://{f'[{address}]' if ':' in address else address}:{module.params['port']}"
    stamp = replace(STAMP, path=Path(module.params["stamp"]))
    module.exit_json(changed=False, page=page, proof=in_words(stamp.seen()), **view(_yarn_pages.state(page)))


if __name__ == "__main__":
    main()
