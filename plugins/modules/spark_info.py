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
answers:
  description: Whether a master answers there that is ready for work; one that is still recovering is not.
  returned: always
  type: bool
  sample: true
page:
  description: Address of its web page.
  returned: always
  type: str
  sample: http://10.0.0.4:8080
members:
  description:
    - The workers that the master knows, by their addresses. A lost worker stays for a while, as V(DEAD).
    - A worker is C(at_work) if its C(state) is V(ALIVE), and C(busy) if it has an executor.
  returned: always
  type: list
  elements: dict
  sample: [{address: 10.0.0.5, state: ALIVE, at_work: true, busy: true, detail: "1 of 2 cores"}]
work:
  description: The applications that run or wait for cores. C(since) is in UTC.
  returned: always
  type: list
  elements: dict
  sample: [{id: app-20261121040000-0003, name: etl, user: sky, state: RUNNING, size: 2 core(s), since: "2026-11-21T04:00:00+00:00"}]
facts:
  description: State of the master, and the cores and the memory (MiB) of all workers that are at work.
  returned: always
  type: dict
  sample: {master: ALIVE, cores: 2, cores in use: 1, memory MiB: 3072, memory MiB in use: 1024}
proof:
  description:
    - When (C(ended)) and how (C(outcome), V(success), V(failure) or V(postponed)) the last proof ended, with its C(result) or the reason (C(why)),
      the ids of its C(nodes), whether the settings on the master are C(current), the same as then, and a success in C(words).
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

from ansible_collections.sky.clusters.plugins.module_utils._systems import _spark_page, _spark_proof

ALIVE = "ALIVE"


def url(address: str, port: int) -> str:
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def view(page: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says, in the shape that all systems share; a page that is not a master's is no answer."""
    try:
        workers, state = [_worker(each) for each in page["workers"]], str(page["status"])
        return {"answers": state == ALIVE, "members": workers, "work": [_application(each) for each in page["activeapps"]], "facts": _facts(page)}
    except (KeyError, TypeError):
        return {"answers": False, "members": [], "work": [], "facts": {}}


def _facts(page: Mapping[str, Any]) -> dict[str, Any]:
    alive = _spark_page.alive(page).values()
    cores, used, memory, taken = (sum(worker[key] for worker in alive) for key in ("cores", "coresused", "memory", "memoryused"))
    return {"master": page["status"], "cores": cores, "cores in use": used, "memory MiB": memory, "memory MiB in use": taken}


def _worker(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "address": found["host"],
        "state": found["state"],
        "at_work": found["state"] == ALIVE,
        "busy": found["coresused"] > 0,
        "detail": f"{found['coresused']} of {found['cores']} cores",
    }


def _application(found: Mapping[str, Any]) -> dict[str, Any]:
    since = datetime.fromtimestamp(found["starttime"] // 1000, UTC).isoformat()
    return {key: found[key] for key in ("id", "name", "user", "state")} | {"size": f"{found['cores']} core(s)", "since": since}


def in_words(proof: dict[str, Any]) -> dict[str, Any]:
    """The same, with what a success was."""
    if proof.get("outcome") != _spark_proof.SUCCESS:
        return proof
    result = proof["result"]
    return proof | {"words": f"a job ran on {len(result['executors'])} worker(s) in {result['seconds']} s"}


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
    proof = in_words(_spark_proof.seen(Path(module.params["stamp"])))
    module.exit_json(changed=False, page=page, proof=proof, **view(_spark_page.read(page) or {}))


if __name__ == "__main__":
    main()
