#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which NodeManagers a ResourceManager accepts, and how one leaves."""

from __future__ import annotations

DOCUMENTATION = r"""
module: yarn_nodes
short_description: Keep the list of NodeManagers that a ResourceManager accepts
version_added: 0.6.0
description:
  - Keeps the lists of NodeManagers that the ResourceManager accepts, and of those that leave. It runs on the ResourceManager's node.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  page:
    description: The ResourceManager's web page, such as V(http://10.0.0.4:8088).
    type: str
    required: true
  state:
    description:
      - V(members) accepts the NodeManagers of O(members) and no others; those of them that leave keep leaving. V(present) accepts that of O(address).
      - V(leaving) gives it no more containers, and waits until the jobs that use it have ended, at most O(drain_seconds). V(left) forgets it.
      - V(answers) waits until the ResourceManager answers, at most O(seconds).
    type: str
    choices: [answers, leaving, left, members, present]
    required: true
  members:
    description: Addresses of the NodeManagers.
    type: list
    elements: str
    default: []
  address:
    description: Address of one NodeManager.
    type: str
    default: ""
  seconds:
    description: Seconds to wait for an answer.
    type: int
    default: 120
  drain_seconds:
    description: Seconds that it may take to leave. Containers that still run then are ended, and their tasks run elsewhere.
    type: int
    default: 600
  progress_seconds:
    description:
      - Seconds after which a module that waits returns and says what still runs. The action of the same name calls it again.
      - With V(0) it waits to the end.
    type: int
    default: 0
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Accept these NodeManagers
  sky.clusters.yarn_nodes:
    page: http://10.0.0.4:8088
    state: members
    members: [10.0.0.5, 10.0.0.6]

- name: Drain a NodeManager
  sky.clusters.yarn_nodes:
    page: http://10.0.0.4:8088
    state: leaving
    address: 10.0.0.6
"""

RETURN = r"""
drained_in:
  description: Seconds until it had left.
  returned: when O(state=leaving) and it has left
  type: int
  sample: 12
ended:
  description: The containers that still ran when O(drain_seconds) had passed.
  returned: when O(state=leaving) and it has left
  type: list
  elements: str
  sample: []
draining:
  description: How many containers it still runs; -1 if the ResourceManager does not answer.
  returned: when O(state=leaving) and O(progress_seconds) have passed
  type: dict
  sample: {containers: 2}
"""

import fcntl
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._pending import Pending
from ansible_collections.sky.clusters.plugins.module_utils._systems import _yarn_pages
from ansible_collections.sky.clusters.plugins.module_utils._systems._yarn_pages import NodeManager

MEMBERS = Path("/etc/yarn/members")
LEAVING = Path("/etc/yarn/leaving")
RESOURCEMANAGER = "yarn-resourcemanager"  # its unit
YARN = "/usr/local/bin/yarn"  # of the role yarn
SLACK = 30  # s that the ResourceManager may take to end the containers of a node
STAYS = ("RUNNING", "DECOMMISSIONING")


class NodesError(Exception):
    """The list is not as wanted; the message is one sentence."""


@contextmanager
def locked() -> Iterator[None]:
    """One task at a time: those of several nodes that leave run side by side."""
    with MEMBERS.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read(path: Path) -> set[str]:
    return set(path.read_text(encoding="ascii").split()) if path.is_file() else set()


def text(names: Iterable[str]) -> str:
    return "".join(f"{name}\n" for name in sorted(names))


def put(path: Path, names: Iterable[str]) -> None:
    new = path.with_suffix(".new")
    new.write_text(text(names), encoding="ascii")
    new.chmod(0o644)
    new.replace(path)


def change(members: set[str], leaving: set[str], page: str, seconds: int) -> bool:
    """Write the lists, and have the ResourceManager read them, also what an earlier run wrote; whether there was anything to do.

    Those that leave keep leaving, within so many seconds.
    """
    wanted = {MEMBERS: members, LEAVING: leaving}
    stale = {path: names for path, names in wanted.items() if not path.is_file() or path.read_text(encoding="ascii") != text(names)}
    pending = Pending(MEMBERS.with_suffix(".pending"), RESOURCEMANAGER)
    if stale:
        pending.note()
    for path, names in stale.items():
        put(path, names)
    return pending.settle(lambda: _yarn_pages.state(page).answers, lambda: refresh(seconds if leaving else 0)) or bool(stale)


def refresh(seconds: int) -> None:
    """Have the ResourceManager read the lists. Those that leave are given so long; without it, their containers end now."""
    gracefully = ["-g", str(seconds), "-server"] if seconds else []
    done = subprocess.run([YARN, "rmadmin", "-refreshNodes", *gracefully], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NodesError(f"the ResourceManager did not take the list of NodeManagers: {said[-1] if said else f'exit code {done.returncode}'}")


def staying(page: str, address: str) -> NodeManager | None:
    """The NodeManager, as long as the ResourceManager counts on it. One that does not answer may be about to start again."""
    seen = _yarn_pages.state(page)
    if not seen.answers:
        return NodeManager(address, "", -1, 0, 0)
    node = seen.of(address)
    return node if node is not None and node.state in STAYS else None


def leave(page: str, address: str, seconds: int, slice_seconds: int) -> dict[str, Any]:
    """Drain one NodeManager. Also one without containers stays until the jobs have ended that may need what its tasks have left."""
    began = time.monotonic()
    with locked():
        changed = change(read(MEMBERS), read(LEAVING) | {address}, page, seconds)
    end = began + (min(seconds, slice_seconds) if slice_seconds else seconds)
    while (node := staying(page, address)) is not None and time.monotonic() < end:
        time.sleep(1)
    if node is not None and time.monotonic() - began < seconds:
        return {"changed": changed, "draining": {"containers": node.containers}}
    ended = forced(page, address) if node is not None else []
    return {"changed": changed, "drained_in": round(time.monotonic() - began), "ended": ended}


def forced(page: str, address: str) -> list[str]:
    """End what still runs; the containers."""
    node = _yarn_pages.state(page).of(address)
    if node is None or node.state not in STAYS:
        return []
    with locked():
        refresh(0)
    end = time.monotonic() + SLACK
    while (now := staying(page, address)) is not None:
        if time.monotonic() > end:
            raise NodesError(f"the ResourceManager still counts on the NodeManager {address} ({now.state or 'it does not answer'})")
        time.sleep(1)
    return [f"container {number + 1} on {address}" for number in range(node.containers)]


def answers(page: str, seconds: int) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while not _yarn_pages.state(page).answers:
        if time.monotonic() > end:
            raise NodesError(f"the ResourceManager does not answer at {page} after {seconds} s; see 'journalctl -u yarn-resourcemanager' on its node")
        time.sleep(0.5)
    return {"changed": False}


def run(given: dict[str, Any]) -> dict[str, Any]:
    page, address = given["page"], given["address"]
    if given["state"] == "answers":
        return answers(page, given["seconds"])
    if given["state"] == "leaving":
        return leave(page, address, given["drain_seconds"], given["progress_seconds"])
    seconds = given["drain_seconds"]
    with locked():
        members, leaving = read(MEMBERS), read(LEAVING)
        if given["state"] == "members":
            return {"changed": change(set(given["members"]), leaving & set(given["members"]), page, seconds)}
        if given["state"] == "left":
            return {"changed": change(members - {address}, leaving - {address}, page, seconds)}
        return {"changed": change(members | {address}, leaving - {address}, page, seconds)}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "page": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["answers", "leaving", "left", "members", "present"], "required": True},
            "members": {"type": "list", "elements": "str", "default": []},
            "address": {"type": "str", "default": ""},
            "seconds": {"type": "int", "default": 120},
            "drain_seconds": {"type": "int", "default": 600},
            "progress_seconds": {"type": "int", "default": 0},
        },
        required_if=[("state", state, ["address"]) for state in ("leaving", "left", "present")],
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=False)
    try:
        module.exit_json(**run(module.params))
    except (NodesError, OSError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
