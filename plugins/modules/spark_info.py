#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the master of a Spark cluster says of its workers and applications. Runs on the master's node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spark_info
short_description: Show what the master of a Spark cluster knows
version_added: 0.2.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Reads the master's web page, and how the last proof of M(sky.clusters.spark_proof) ended. Changes nothing, and does not fail where no master
    answers.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  address:
    description: The master's address.
    type: str
    required: true
  port:
    description: TCP port of its web page.
    type: int
    default: 8080
  stamp:
    description: File in which the master keeps how the last proof ended.
    type: path
    default: /var/lib/sky/proof/spark.json
"""

EXAMPLES = r"""
- name: Ask the master
  sky.clusters.spark_info:
    address: 10.0.0.4
  register: spark
"""

RETURN = r"""
page:
  description: Where the page is.
  returned: always
  type: str
  sample: http://10.0.0.4:8080
status:
  description: What the master says of itself, such as V(ALIVE) or V(RECOVERING); empty where none answers.
  returned: always
  type: str
  sample: ALIVE
workers:
  description: The workers that it knows by their addresses. One that is lost stays for a while, as V(DEAD). With C(cores_used) 0 it has no executor.
  returned: always
  type: list
  elements: dict
  sample: [{host: 10.0.0.5, state: ALIVE, cores: 2, cores_used: 1, memory: 1024, memory_used: 512}]
applications:
  description: The applications that run, or wait for room. C(cores) are those that it has.
  returned: always
  type: list
  elements: dict
  sample: [{id: app-20261121040000-0003, name: etl, user: sky, cores: 2, state: RUNNING, since: "2026-11-21T04:00:00+00:00"}]
proof:
  description:
    - When (C(ended)) and how (C(outcome), V(success), V(failure) or V(postponed)) the last proof ended, with its C(result) or the reason (C(why)),
      the ids of its C(nodes), and whether the settings on the master are C(current), the same as then.
    - Empty if none was run since a run changed a node.
  returned: always
  type: dict
  sample: {outcome: failure, ended: "2026-11-28T03:40:05Z", why: "The cluster cannot run a job: it ended with ...", nodes: [], current: true}
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils import _spark_page, _spark_proof


def url(address: str, port: int) -> str:
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def told(page: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says, under our own names; a page that is not a master's is no answer."""
    try:
        return {
            "status": str(page["status"]),
            "workers": [_worker(each) for each in page["workers"]],
            "applications": [_application(each) for each in page["activeapps"]],
        }
    except (KeyError, TypeError):
        return {"status": "", "workers": [], "applications": []}


def _worker(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "host": found["host"],
        "state": found["state"],
        "cores": found["cores"],
        "cores_used": found["coresused"],
        "memory": found["memory"],
        "memory_used": found["memoryused"],
    }


def _application(found: Mapping[str, Any]) -> dict[str, Any]:
    since = datetime.fromtimestamp(found["starttime"] // 1000, UTC).isoformat()
    return {key: found[key] for key in ("id", "name", "user", "cores", "state")} | {"since": since}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "default": 8080},
            "stamp": {"type": "path", "default": str(_spark_proof.STAMP)},
        },
        supports_check_mode=True,
    )
    page = url(module.params["address"], module.params["port"])
    proof = _spark_proof.seen(Path(module.params["stamp"]))
    module.exit_json(changed=False, page=page, proof=proof, **told(_spark_page.read(page) or {}))


if __name__ == "__main__":
    main()
