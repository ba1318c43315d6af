#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, restart and stop the daemons of HDFS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hdfs_daemon
short_description: Run a daemon of HDFS
version_added: 0.5.0
description:
  - Has the systemd unit of a NameNode or a DataNode enabled, and running with the settings that are on the disk; or stopped and disabled.
  - The folders that its unit names are created, or given back to its user, before it starts.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  kind:
    description: Which daemon.
    type: str
    choices: [datanode, namenode]
    required: true
  page:
    description: Its web page, such as V(http://10.0.0.4:9870).
    type: str
    required: true
  state:
    description: What is wanted. V(stopped) also takes it out of the start of the system. V(absent) also removes its unit.
    type: str
    choices: [absent, started, stopped]
    default: started
  disruption:
    description: What to do if it runs and must be restarted. V(refuse) fails; the others restart it.
    type: str
    choices: [drain, force, refuse]
    default: drain
  wait_seconds:
    description:
      - Seconds to wait until a daemon that was started is ready.
      - A NameNode is ready when it has left safe mode, which it does when its DataNodes have reported their blocks; a DataNode when the NameNode
        has accepted it. V(0) does not wait.
    type: int
    default: 120
  pending:
    description: In check mode, that an earlier task would have changed the settings on the disk.
    type: bool
    default: false
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Start the DataNode with its present settings
  sky.clusters.hdfs_daemon:
    kind: datanode
    page: http://10.0.0.5:9864
"""

RETURN = r"""
actions:
  description: What was done, in this order; in check mode what would be.
  returned: always
  type: list
  elements: str
  sample: [enable, start]
seconds:
  description: Seconds until it was ready.
  returned: when it was started and waited for
  type: float
  sample: 9.5
"""

import json
import re
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._folders import FolderError
from ansible_collections.sky.clusters.plugins.module_utils._nodes._unit import Unit, UnitError
from ansible_collections.sky.clusters.plugins.module_utils._systems import _hdfs_pages

SETTINGS = Path("/etc/hadoop")
HOME = Path("/opt/hadoop")
FAULT = re.compile(r"(ERROR|FATAL|Exception|Error)\b.*")


def last_fault(journal: str) -> str:
    """The last fault of a journal, without the stack of calls."""
    lines = [line.strip() for line in journal.splitlines() if line.strip() and not line.lstrip().startswith(("at ", "..."))]
    faults = [found[0] for line in lines if (found := FAULT.search(line))]
    return (faults or lines[-1:] or [""])[-1]


def unit_of(kind: str) -> Unit:
    own = SETTINGS / kind
    software = " ".join(str(path) for path in sorted(HOME.glob(".sha256-*")))
    return Unit(f"hdfs-{kind}", (own / "core-site.xml", own / "hdfs-site.xml"), f"{software}\n", last_fault)


def is_ready(kind: str, page: str) -> bool:
    if kind == "namenode":
        return _hdfs_pages.state(page).ready
    text = _hdfs_pages.fetch(f"{page}/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo")
    beans = json.loads(text or b"{}").get("beans", [])
    actors = json.loads(beans[0].get("BPServiceActorInfo", "[]")) if beans else []
    return bool(actors) and all(actor.get("ActorState") == "RUNNING" for actor in actors)


def wait(kind: str, page: str, seconds: float) -> None:
    """Until it is ready."""
    end = time.monotonic() + seconds
    while not is_ready(kind, page):
        if time.monotonic() > end:
            unit = unit_of(kind)
            why = _hdfs_pages.state(page).safe_mode if kind == "namenode" else ""
            raise UnitError(f"{unit.name} is not ready after {seconds:.0f} seconds; {why or unit.tail()}")
        if unit_of(kind).status()["ActiveState"] == "failed":
            raise UnitError(f"{unit_of(kind).name} has failed; {unit_of(kind).tail()}")
        time.sleep(0.5)


def start(given: dict[str, Any], check: bool) -> dict[str, Any]:
    unit = unit_of(given["kind"])
    if given["disruption"] == "refuse" and "restart" in unit.start(check=True, pending=given["pending"]):
        raise UnitError(f"{unit.name} must be restarted, which interrupts those who use it: set sky_disruption to drain or force")
    begun = time.monotonic()
    actions = unit.start(check, given["pending"])
    if check or not given["wait_seconds"]:
        return {"actions": actions}
    wait(given["kind"], given["page"], given["wait_seconds"])
    return {"actions": actions, "seconds": round(time.monotonic() - begun, 1)}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "kind": {"type": "str", "choices": ["datanode", "namenode"], "required": True},
            "page": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["absent", "started", "stopped"], "default": "started"},
            "disruption": {"type": "str", "choices": ["drain", "force", "refuse"], "default": "drain"},
            "wait_seconds": {"type": "int", "default": 120},
            "pending": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    given, check = module.params, module.check_mode
    unit = unit_of(given["kind"])
    try:
        if given["state"] == "started":
            found = start(given, check)
        else:
            found = {"actions": unit.remove(check) if given["state"] == "absent" else unit.stop(check)}
    except (UnitError, FolderError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(found["actions"]), **found)


if __name__ == "__main__":
    main()
