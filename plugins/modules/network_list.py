#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of a cluster's nodes, on the node that serves it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_list
short_description: Keep the list of a cluster's nodes on the node that serves it
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Writes and signs the list that the agents of all nodes follow (see M(sky.clusters.network_node)). Where nothing has changed it stays as it is.
  - A node that is not in the list has no access to the others from the moment when they have the list.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  state:
    description: V(written) writes the list. V(followed) waits until nodes follow it.
    type: str
    choices: [written, followed]
    default: written
  content:
    description: The list as M(sky.clusters.network_members) returns it, with O(state=written).
    type: dict
    default: {}
  keys:
    description: Public keys of nodes by their names. Those of other nodes are taken from the list as it is.
    type: dict
    default: {}
  leave_out:
    description: Whether nodes whose key is not known are left out of the list. By default the list is not written, and they are named.
    type: bool
    default: false
  address:
    description: Address that the node serves the list at, with O(state=followed).
    type: str
    default: ""
  names:
    description: The nodes that are waited for, with O(state=followed).
    type: list
    elements: str
    default: []
  also:
    description: Other nodes, which are waited for only a few seconds, and are not named if they do not follow by then.
    type: list
    elements: str
    default: []
  wait:
    description: Seconds to wait for O(names).
    type: float
    default: 30
"""

EXAMPLES = r"""
- name: Write the list
  sky.clusters.network_list:
    content: "{{ members.content }}"
    keys: {demo-worker-0: rQoNPj5A0xw6Jm0zoQv2yJm2uT0q0rXk4QW9Zf2gYyE=}
"""

RETURN = r"""
list:
  description: The signed list.
  returned: with O(state=written), if no key is missing
  type: str
  sample: "{...}"
signer:
  description: Public key that it is signed with.
  returned: with O(state=written)
  type: str
  sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2f
serial:
  description: Its serial number.
  returned: with O(state=written)
  type: int
  sample: 1764316800
missing:
  description: Nodes whose key is not known; then the list is not written.
  returned: with O(state=written)
  type: list
  elements: str
  sample: []
left_out:
  description: Nodes whose key is not known, so that they are not in the list.
  returned: with O(state=written), if no key is missing
  type: list
  elements: str
  sample: []
  version_added: 0.7.0
opened:
  description:
    - Nodes whose UDP ports of the overlay are open to any address from this list on, and were not before. A cloud without public addresses, and
      people outside, may send from any.
  returned: with O(state=written), if no key is missing
  type: list
  elements: str
  sample: []
  version_added: 0.7.0
ended:
  description: People outside whose profile leads nowhere from this list on, because its gateway is gone or has another key or address.
  returned: with O(state=written), if no key is missing
  type: list
  elements: str
  sample: []
  version_added: 0.8.0
behind:
  description: Nodes that do not follow the list yet.
  returned: with O(state=followed)
  type: list
  elements: str
  sample: []
"""

import json
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _list, _paths
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._board import LIST, USERS, look, reports

PATIENCE = 3.0  # s for nodes that a run does not visit: one that is down must not hold it up
SIGN_KEY = Path("/etc/sky/network/sign.key")


def current() -> dict[str, Any]:
    """The content of the list as it is."""
    try:
        found: dict[str, Any] = json.loads(_list.Envelope.read(LIST.read_text(encoding="utf-8")).text)
    except (OSError, ValueError, _list.Refused):
        return {}
    return found


def with_keys(content: dict[str, Any], keys: dict[str, str], before: dict[str, Any]) -> list[str]:
    """Fill in the keys of the nodes; the names of those without."""
    known = {(node["name"], node["number"]): node["key"] for node in before.get("nodes", [])}
    for node in content["nodes"]:
        node["key"] = keys.get(node["name"]) or known.get((node["name"], node["number"]), "")
    return [node["name"] for node in content["nodes"] if content["overlay"] and not node["key"]]


def users_of(people: dict[str, Any], content: dict[str, Any], before: dict[str, Any], *, check_mode: bool) -> list[dict[str, Any]]:
    """The people who may join, of those who have a profile that leads somewhere. Profiles of others are revoked."""
    try:
        known = json.loads(USERS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    kept = {name: user for name, user in known.items() if name in people["names"]}
    if kept != known and not check_mode:
        _list.write(USERS, json.dumps(kept, indent=1) + "\n", 0o600)
    public = [node["name"] for node in content["nodes"] if node["public"]]
    # of a profile that an earlier version made it is not known which gateway is in it: most likely the one that it had last
    last = {user["name"]: user["gateway"] for user in before.get("users", []) if user["gateway"] in public}
    through = {name: gateway_of(kept[name], content) if "endpoint" in kept[name] else last.get(name, people["gateway"]) for name in kept}
    return [
        {"name": name, "number": people["first"] + kept[name]["place"], "key": kept[name]["key"], "gateway": through[name]}
        for name in people["names"]
        if through.get(name)
    ]


def gateway_of(user: dict[str, Any], content: dict[str, Any]) -> str:
    """The node that a profile leads to; empty if it leads nowhere any more. What is in a profile stays there, whichever gateway is the first one."""
    overlay = content["overlay"] or {"range": "", "port": 0}
    nodes = content["nodes"] if overlay["range"] == user["range"] else []
    same = [node for node in nodes if (node["key"], f"{node['public']}:{overlay['port']}") == (user["gateway_key"], user["endpoint"])]
    return str(same[0]["name"]) if same else ""


def open_to_any(content: dict[str, Any]) -> set[str]:
    """The nodes whose UDP ports are open to any address by a list."""
    try:
        nodes = _list.parse(json.dumps(content))
    except _list.Refused:  # there was none, or one of another version
        return set()
    return {node.name for node in nodes.nodes if _paths.is_open_to_any(nodes, node)}


def written(module: AnsibleModule) -> dict[str, Any]:
    before = current()
    content = dict(module.params["content"])
    missing = with_keys(content, module.params["keys"], before)
    people = content.pop("people")
    left_out = missing if module.params["leave_out"] else []
    if left_out:
        content["nodes"], missing = [node for node in content["nodes"] if node["name"] not in left_out], []
    signer = " ".join(SIGN_KEY.with_suffix(".key.pub").read_text(encoding="ascii").split()[:2])
    if missing:
        return {"changed": False, "missing": missing, "signer": signer, "serial": 0}
    content |= {"format": _list.FORMAT, "users": users_of(people, content, before, check_mode=module.check_mode)}
    same = {key: value for key, value in before.items() if key != "serial"} == content
    serial = int(before["serial"]) if same else max(int(time.time()), int(before.get("serial", 0)) + 1)
    content |= {"serial": serial}
    text = json.dumps(content, sort_keys=True)
    opened = sorted(open_to_any(content) - open_to_any(before))
    had, has = ({user["name"] for user in each.get("users", [])} for each in (before, content))
    ended = [name for name in people["names"] if name in had - has]
    if same and LIST.exists():
        data = LIST.read_text(encoding="utf-8")
    else:
        data = _list.sign(text, SIGN_KEY).plain()
        if not module.check_mode:
            _list.write(LIST, data)
            look(content["port"])
    notes = {"left_out": left_out, "opened": opened, "ended": ended}
    return {"changed": not same, "missing": [], "signer": signer, "serial": serial, "list": data} | notes


def followed(module: AnsibleModule) -> dict[str, Any]:
    content = current()
    began = time.monotonic()
    behind, others = list(module.params["names"]), list(module.params["also"])
    while content:
        seen = reports(module.params["address"], content["port"]).get("reports", {})
        behind, others = ([name for name in part if seen.get(name, {}).get("serial", 0) < content["serial"]] for part in (behind, others))
        spent = time.monotonic() - began
        if (not behind or spent > module.params["wait"]) and (not others or spent > PATIENCE):
            break
        time.sleep(0.1)
    return {"changed": False, "behind": behind}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["written", "followed"], "default": "written"},
            "content": {"type": "dict", "default": {}},
            "keys": {"type": "dict", "default": {}, "no_log": False},
            "leave_out": {"type": "bool", "default": False},
            "address": {"type": "str", "default": ""},
            "names": {"type": "list", "elements": "str", "default": []},
            "also": {"type": "list", "elements": "str", "default": []},
            "wait": {"type": "float", "default": 30},
        },
        supports_check_mode=True,
    )
    if not SIGN_KEY.exists() and not module.check_mode:
        module.fail_json(msg="this node serves the list of the nodes, and has no key to sign it with: its own preparation has failed")
    if not SIGN_KEY.exists():
        module.exit_json(changed=True, missing=[], left_out=[], opened=[], ended=[], signer="", serial=0, list="", behind=[])
    try:
        module.exit_json(**(written(module) if module.params["state"] == "written" else followed(module)))
    except _list.Refused as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
