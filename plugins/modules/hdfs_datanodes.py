#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which DataNodes a NameNode accepts, and let them leave without losing a block."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hdfs_datanodes
short_description: Accept DataNodes, and let them leave without losing a block
version_added: 0.5.0
description:
  - Runs on the NameNode's node. The NameNode accepts the DataNodes of one list only, so a DataNode of another cluster never joins.
  - A DataNode that leaves is decommissioned. The NameNode copies its blocks to others, and the node is done when no block needs it.
  - A DataNode is not decommissioned if the others would be fewer than the copies of a file, or if they lack the space. Nothing is changed then.
  - An action plugin of the same name calls it in slices of a few seconds, and shows how many blocks are left.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  page:
    description: The NameNode's web page, such as V(http://10.0.0.4:9870).
    type: str
    required: true
  state:
    description:
      - V(members) makes O(members) the list. Of them, those that leave already keep leaving if O(leaving) has them.
      - V(leaving) decommissions O(address), and waits until its blocks are elsewhere. One that a run which was killed has stopped after that is done.
      - V(left) takes O(address) off the list; its DataNode has stopped.
      - V(present) has O(address) in service again.
    type: str
    choices: [leaving, left, members, present]
    required: true
  members:
    description: Address and port of each DataNode, such as V(10.0.0.5:9866).
    type: list
    elements: str
    default: []
  address:
    description: Address and port of one DataNode.
    type: str
    default: ""
  leaving:
    description: All DataNodes that leave in this run.
    type: list
    elements: str
    default: []
  replication:
    description: How many copies of a file are kept.
    type: int
    default: 1
  seconds:
    description: Seconds that decommissioning may take. After them the task fails, and the node stays and keeps handing over its blocks.
    type: int
    default: 3600
  slice_seconds:
    description: Seconds after which RV(left) is returned although blocks are left; V(0) waits until O(seconds). The action plugin sets it.
    type: int
    default: 0
  begun:
    description:
      - O(address) leaves already. A NameNode that does not answer, or takes no changes, is waited for then, at most O(seconds).
      - The action plugin sets it from its second call on.
    type: bool
    default: false
  report:
    description:
      - Have the DataNodes that stay report all their blocks first. A DataNode whose writing was interrupted may still have an old copy of a block. It
        takes no new one until the NameNode has removed the old one, of which it learns by such a report only.
      - The action plugin sets it when nothing moves.
    type: bool
    default: false
  ipc_port:
    description: The port of DataNodes that takes such requests.
    type: int
    default: 9867
  force:
    description: Let the DataNode leave without decommissioning it. Blocks of which it has the only copy cannot be read until its volume returns.
    type: bool
    default: false
  list:
    description: The file that keeps the list.
    type: path
    default: /etc/hadoop/datanodes.json
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Accept these DataNodes
  sky.clusters.hdfs_datanodes:
    page: http://10.0.0.4:9870
    state: members
    members: ["10.0.0.5:9866", "10.0.0.6:9866"]

- name: Hand over the blocks of a DataNode
  sky.clusters.hdfs_datanodes:
    page: http://10.0.0.4:9870
    state: leaving
    address: 10.0.0.6:9866
    replication: 1
"""

RETURN = r"""
left:
  description: How many blocks the DataNode has yet to hand over.
  returned: when O(state=leaving) and O(slice_seconds) had passed
  type: int
  sample: 12
why:
  description: Why it cannot hand them over.
  returned: when O(report) and the NameNode waits for more copies than there are DataNodes
  type: str
  sample: files want more copies than there are DataNodes
blocks:
  description: How many blocks it had when it began to leave.
  returned: when O(state=leaving)
  type: int
  sample: 40
"""

import fcntl
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._pending import Pending
from ansible_collections.sky.clusters.plugins.module_utils._systems._hdfs_pages import (
    DEAD,
    DECOMMISSIONED,
    IN_SERVICE,
    DataNode,
    State,
    setting,
    state,
)

LEAVES = "DECOMMISSIONED"  # in the list
HDFS = "/usr/local/bin/hdfs"  # of the role hdfs
NAMENODE = "hdfs-namenode"  # its unit
GIB = 1024**3
Entry = dict[str, Any]


class LeaveError(Exception):
    """A DataNode cannot leave; the message is one sentence."""


def place(text: str) -> tuple[str, int]:
    address, _colon, port = text.rpartition(":")
    return address.strip("[]"), int(port)


def entry(text: str, leaves: bool = False) -> Entry:
    address, port = place(text)
    return {"hostName": address, "port": port, **({"adminState": LEAVES} if leaves else {})}


def is_of(found: Entry, text: str) -> bool:
    return (found["hostName"], found["port"]) == place(text)


@dataclass(frozen=True)
class List:
    """The file with the DataNodes that the NameNode accepts."""

    path: Path

    def read(self) -> list[Entry]:
        try:
            return list(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One task at a time: those of several nodes that leave run side by side."""
        with self.path.with_suffix(".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def change(self, change: Callable[[list[Entry]], list[Entry]], page: str, check: bool) -> bool:
        """Change it, and have the NameNode read it, also what an earlier run changed; whether there was anything to do."""
        with self.locked():
            found = self.read()
            fresh = sorted(change(found), key=lambda each: (each["hostName"], each["port"]))
            pending = Pending(self.path.with_suffix(".pending"), NAMENODE)
            if check:
                return fresh != found or pending.mark.exists()
            if fresh != found:
                pending.note()
                self._write(fresh)
            return pending.settle(lambda: state(page).answers, refresh) or fresh != found

    def _write(self, entries: list[Entry]) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
        new.chmod(0o644)
        new.replace(self.path)


def refresh() -> None:
    """Have the NameNode read the list."""
    done = subprocess.run([HDFS, "dfsadmin", "-refreshNodes"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise LeaveError(f"the NameNode did not take the list of DataNodes: {said[-1] if said else f'exit code {done.returncode}'}")


def report(seen: State, given: dict[str, Any]) -> None:
    """Have the DataNodes that stay report all their blocks. One that cannot is left out: nothing depends on it but the time that is taken."""
    places = [f"[{node.address}]" if ":" in node.address else node.address for node in seen.live if node.state == IN_SERVICE]

    def ask(address: str) -> None:
        subprocess.run([HDFS, "dfsadmin", "-triggerBlockReport", f"{address}:{given['ipc_port']}"], capture_output=True, timeout=60, check=False)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ask, places))


def members(found: list[Entry], given: dict[str, Any]) -> list[Entry]:
    """The list of members; of those that leave in this run, what was begun continues."""
    going = [text for text in given["leaving"] if any(is_of(each, text) and each.get("adminState") == LEAVES for each in found)]
    return [entry(text, text in going) for text in given["members"]]


def leaving(given: dict[str, Any]) -> set[tuple[str, int]]:
    return {place(text) for text in (*given["leaving"], given["address"])}


def staying(seen: State, given: dict[str, Any]) -> list[DataNode]:
    return [node for node in seen.live if node.state == IN_SERVICE and (node.address, node.port) not in leaving(given)]


def check_room(seen: State, given: dict[str, Any]) -> None:
    """Refuse what could never end."""
    going = leaving(given)
    blocks = int((seen.values or {}).get("BlocksTotal", 0))
    stay = staying(seen, given)
    if blocks and len(stay) < given["replication"]:
        raise LeaveError(
            f"hdfs_replication: files are kept in {given['replication']} copies, and {len(stay)} DataNode(s) would remain: the node stays; "
            + (
                f"to keep fewer copies, set hdfs_replication to {len(stay)} or less"
                if stay
                else "delete the files first, or set sky_disruption to force"
            )
        )
    needed = sum(node.used for node in seen.live if (node.address, node.port) in going and node.state != DECOMMISSIONED)
    free = sum(node.remaining for node in stay)
    if blocks and needed > free:
        raise LeaveError(
            f"the DataNodes that remain have {free / GIB:.1f} GiB free, and {needed / GIB:.1f} GiB would have to be moved to them: the node stays; "
            "delete files, or add DataNodes or larger volumes first"
        )


def leave(listed: List, given: dict[str, Any], check: bool) -> dict[str, Any]:
    """Decommission one DataNode."""
    seen = state(given["page"])
    address = given["address"]
    node = seen.of(place(address)[0])
    if given["force"] or (node is None and seen.answers):
        return {"changed": False, "blocks": node.blocks if node else 0}
    if not seen.ready or node is None:
        if given["begun"]:
            return {"changed": False, "blocks": 0, **_wait(given, changed=False)}
        raise LeaveError(silent(given, seen))
    if seen.has_handed_over(node):
        return {"changed": False, "blocks": node.blocks}
    if node.state == DEAD:
        raise LeaveError(f"the NameNode reports the DataNode {address} dead, so it cannot hand over its blocks: the node stays; start it, or force")
    check_room(seen, given)
    changed = listed.change(lambda found: [each for each in found if not is_of(each, address)] + [entry(address, leaves=True)], given["page"], check)
    if check:
        return {"changed": changed, "blocks": node.blocks}
    if given["report"]:
        report(seen, given)
    return {"changed": changed, "blocks": node.blocks, **_wait(given, changed)}


def silent(given: dict[str, Any], seen: State) -> str:
    return f"the NameNode at {given['page']} cannot move blocks now ({seen.safe_mode or 'it does not answer'}): the node stays"


def too_many_copies(seen: State, given: dict[str, Any]) -> str:
    """Why blocks cannot have enough copies elsewhere; empty if they can.

    A client of another cluster may write files with more copies than are kept here. The NameNode lets a DataNode go that has a block of such a file
    only when there are as many as it was itself started with.
    """
    wanted, there = setting(given["page"], "dfs.replication"), len(staying(seen, given))
    if not wanted.isdigit() or int(wanted) <= there:
        return ""
    return (
        f"files want more copies than there are DataNodes: the NameNode waits for {wanted} (dfs.replication), and {there} DataNode(s) remain: "
        "add DataNodes, or lower hdfs_replication and the copies of these files (hdfs dfs -setrep)"
    )


def _wait(given: dict[str, Any], changed: bool) -> dict[str, Any]:
    """Look again and again: one look that fails says nothing."""
    begun = time.monotonic()
    bound = min(given["seconds"], given["slice_seconds"] or given["seconds"])
    left, seen = None, State()
    while time.monotonic() - begun < bound:
        time.sleep(1)
        seen = state(given["page"])
        node = seen.of(place(given["address"])[0])
        if node is not None and seen.has_handed_over(node):
            return {"changed": True}
        left = node.to_copy if node else left
    if given["seconds"] > bound:
        why = too_many_copies(seen, given) if given["report"] and seen.ready else ""
        return {"changed": changed, "left": left if left is not None else -1, **({"why": why} if why else {})}
    if not seen.ready:
        raise LeaveError(f"{silent(given, seen)}; run again to continue")
    raise LeaveError(
        f"{'some' if left is None else left} blocks of the DataNode {given['address']} are not elsewhere yet and its time is over "
        f"(hdfs_datanode_drain_seconds): {too_many_copies(seen, given) or 'the node stays and keeps handing them over; run again to continue'}"
    )


def run(given: dict[str, Any], check: bool) -> dict[str, Any]:
    listed = List(Path(given["list"]))
    page, address = given["page"], given["address"]
    if given["state"] == "members":
        return {"changed": listed.change(lambda found: members(found, given), page, check)}
    if given["state"] == "leaving":
        return leave(listed, given, check)
    if given["state"] == "left":
        return {"changed": listed.change(lambda found: [each for each in found if not is_of(each, address)], page, check)}
    return {"changed": listed.change(lambda found: [each for each in found if not is_of(each, address)] + [entry(address)], page, check)}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "page": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["leaving", "left", "members", "present"], "required": True},
            "members": {"type": "list", "elements": "str", "default": []},
            "address": {"type": "str", "default": ""},
            "leaving": {"type": "list", "elements": "str", "default": []},
            "replication": {"type": "int", "default": 1},
            "seconds": {"type": "int", "default": 3600},
            "slice_seconds": {"type": "int", "default": 0},
            "begun": {"type": "bool", "default": False},
            "report": {"type": "bool", "default": False},
            "ipc_port": {"type": "int", "default": 9867},
            "force": {"type": "bool", "default": False},
            "list": {"type": "path", "default": "/etc/hadoop/datanodes.json"},
        },
        required_if=[("state", state, ["address"]) for state in ("leaving", "left", "present")],
        supports_check_mode=True,
    )
    try:
        found = run(module.params, module.check_mode)
    except (LeaveError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**found)


if __name__ == "__main__":
    main()
