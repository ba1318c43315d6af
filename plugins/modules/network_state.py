#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network as one node sees it: peers, ways, packets and the counters of its firewall. Runs on the node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_state
short_description: Show the network as one node sees it
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Reads the state of the node's agent, of its interface in the overlay and of its firewall. Changes nothing.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options: {}
"""

EXAMPLES = r"""
- name: Look at the network of a node
  sky.clusters.network_state:
  register: state
"""

RETURN = r"""
agent:
  description: What the agent reported last; empty if it does not run.
  returned: always
  type: dict
  sample: {serial: 1764316800, engine: kernel, mtu: {other: 1420}, ways: {other: gateway demo-gate-0}, silent: [], fault: ""}
peers:
  description:
    - The peers in the overlay. C(handshake) is the age of the last one in seconds, or null if there was none. C(fault) says what is wrong.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-0, cloud: other, endpoint: "192.0.2.7:52001", handshake: 12, received: 4096, sent: 1024, mtu: 1420, fault: ""}]
counters:
  description: The counters of the firewall by their names. C(rule_0) is the first rule of the file that applies to the node.
  returned: always
  type: dict
  sample: {ssh: {packets: 12, bytes: 3456}, dropped: {packets: 0, bytes: 0}}
open_to_any:
  description: Whether the UDP ports of the overlay are open to any address, because not all nodes of the other clouds have a public one.
  returned: always
  type: bool
  sample: false
rules:
  description: The rules of the firewall for what arrives, as nftables shows them.
  returned: always
  type: list
  elements: str
  sample: ['iifname "lo" accept']
"""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _host, _list
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._board import LIST

STATE = Path("/run/sky-network/state.json")
OLD = 180  # s; a tunnel that is used has a newer handshake


def run(*words: str) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def fault(handshake: int | None, received: int, sent: int) -> str:
    """The likely cause of a peer's silence; empty if it is fine, or was never needed."""
    if handshake is None and received:
        return "packets arrive from it, but no handshake completes: the keys differ, or a clock is wrong"
    if handshake is None and sent:
        return "no handshake: it is down, or UDP is blocked on the way to it"
    return ""


def peers(nodes: _list.NodeList, agent: dict[str, Any]) -> list[dict[str, Any]]:
    """The peers of the interface, each with its name."""
    names = {node.key: (node.name, node.cloud) for node in nodes.nodes} | {user.key: (user.name, "") for user in nodes.users}
    me = nodes.node(str(agent.get("name", "")))
    found = []
    for line in run("wg", "show", _host.INTERFACE, "dump").splitlines()[1:]:
        key, _secret, endpoint, _allowed, last, received, sent, _keepalive = line.split("\t")
        name, cloud = names.get(key, ("unknown", ""))
        age = max(0, int(time.time()) - int(last)) if int(last) else None
        far = bool(me and cloud and cloud != me.cloud)
        mtu = agent.get("mtu", {}).get(cloud, _host.SAFE_MTU) if far else None
        found.append(
            {
                "name": name, "cloud": cloud, "endpoint": "" if endpoint == "(none)" else endpoint, "handshake": age, "received": int(received),
                "sent": int(sent), "mtu": mtu, "fault": fault(age, int(received), int(sent)),
            }
        )  # fmt: skip
    return sorted(found, key=lambda peer: str(peer["name"]))


def firewall() -> tuple[dict[str, Any], list[str]]:
    """The counters and the rules of our table."""
    family, table = _host.FIREWALL.split()
    try:
        objects = json.loads(run("nft", "-j", "list", "counters", "table", family, table) or "{}").get("nftables", [])
    except ValueError:
        objects = []
    found = {item["counter"]["name"]: {key: item["counter"][key] for key in ("packets", "bytes")} for item in objects if "counter" in item}
    lines = [line.strip() for line in run("nft", "list", "chain", family, table, "input").splitlines()]
    return found, [line for line in lines if line.endswith(("accept", "drop"))]


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        agent = json.loads(STATE.read_text(encoding="utf-8"))
        nodes = _list.parse(_list.Envelope.read(LIST.read_text(encoding="utf-8")).text)
    except (OSError, ValueError, _list.Refused):
        module.exit_json(changed=False, agent={}, peers=[], counters={}, rules=[], open_to_any=False)
    counters, rules = firewall()
    found = peers(nodes, agent) if nodes.overlay else []
    any_address = "0.0.0.0/0" in run("nft", "list", "set", *_host.FIREWALL.split(), _host.set_name("underlay", 4))
    module.exit_json(changed=False, agent=agent, peers=found, counters=counters, rules=rules, open_to_any=any_address)


if __name__ == "__main__":
    main()
