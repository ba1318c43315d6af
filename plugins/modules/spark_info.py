#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what the master of a Spark cluster reports of its workers and applications. Runs on the node of the master."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spark_info
short_description: Show the state of a Spark cluster as its master reports it
version_added: 0.2.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Reads the web page of the master, and the result of the last proof by M(sky.clusters.spark_proof). Changes nothing, and does not fail if no master
    answers.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  address:
    description: Address of the master.
    type: str
    required: true
  port:
    description: TCP port of the web page.
    type: int
    default: 8080
  stamp:
    description: File with the result of the last proof.
    type: path
    default: /var/lib/sky/proof/spark.json
"""

EXAMPLES = r"""
- name: Query the master
  sky.clusters.spark_info:
    address: 10.0.0.4
  register: spark
"""

RETURN = r"""
answers:
  description: Whether a master answers and is ready for work. A master that is still recovering is not.
  returned: always
  type: bool
  sample: true
page:
  description: Address of the web page.
  returned: always
  type: str
  sample: http://10.0.0.4:8080
members:
  description:
    - The workers that the master knows, by address. A lost worker is listed as V(DEAD) for some time.
    - A worker is C(at_work) if its C(state) is V(ALIVE), and C(busy) if it has an executor.
  returned: always
  type: list
  elements: dict
  sample: [{address: 10.0.0.5, state: ALIVE, at_work: true, busy: true, detail: "1 of 2 cores"}]
work:
  description: The applications that run or wait for cores, with the time of submission (C(since), UTC).
  returned: always
  type: list
  elements: dict
  sample: [{id: app-20261121040000-0003, name: etl, user: sky, state: RUNNING, size: 2 core(s), since: "2026-11-21T04:00:00+00:00"}]
facts:
  description: State of the master, and the cores and the memory (MiB) of all workers that are alive.
  returned: always
  type: dict
  sample: {master: ALIVE, cores: 2, cores in use: 1, memory MiB: 3072, memory MiB in use: 1024}
proof:
  description:
    - The last proof, with the time of its end (C(ended)) and its C(outcome) (V(success), V(failure) or V(postponed)). It also has the C(result), or
      the reason of a failure (C(why)), the ids of the C(nodes), and a description of a success (C(words)). C(current) is whether the settings on the
      master are still the same.
    - Empty if no proof was run since a node was last changed.
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
    """The state that the page shows, in the form that all systems share; the page of anything but a master is no answer."""
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
    """The same, with a description of a success."""
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
