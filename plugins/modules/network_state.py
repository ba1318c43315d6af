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
  - Nodes that have not completed a handshake for three minutes may only be idle. Each gets a packet, and some seconds to answer.
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
  sample: {serial: 1764316800, engine: kernel, mtu: {other: 1420}, unmeasured: [], ways: {other: gateway demo-gate-0}, silent: [], fault: ""}
peers:
  description:
    - The nodes in the overlay. C(handshake) is the age of the last one in seconds, or null if there was none. C(fault) says what is wrong.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-0, cloud: other, endpoint: "192.0.2.7:52001", handshake: 12, received: 4096, sent: 1024, mtu: 1420, fault: ""}]
users:
  description: People outside who have a profile. The handshake is known to the gateway alone that the profile leads to.
  returned: always
  type: list
  elements: dict
  sample: [{name: ada, address: 10.99.255.1, gateway: demo-gate-0, handshake: 12, received: 4096, sent: 1024}]
  version_added: 0.7.0
counters:
  description: The counters of the firewall by their names. C(rule_0) is the first rule of C(firewall) in the file, on every node that has it.
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
rules_out:
  description: The same for what leaves; empty if the file has no rule about it.
  returned: always
  type: list
  elements: str
  sample: ['oifname "lo" accept']
  version_added: 0.7.0
"""

import json
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _host, _list
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._board import LIST

STATE = Path("/run/sky-network/state.json")
OLD = 180  # s; a tunnel that is used has a newer handshake
PATIENCE = 6.5  # s; an unanswered handshake is tried again after 5 s
POLL = 0.5  # s
MANY = 50  # tunnels that are tried at a time
CAUSES = "it is down, UDP is blocked on the way to it, its key is another one, or its clock was set back"


@dataclass(frozen=True)
class Tunnel:
    """The interface's side of one peer."""

    endpoint: str
    age: int | None  # s since the last handshake
    received: int
    sent: int
    allowed: tuple[str, ...] = ()  # networks that are reached through it

    @property
    def silent(self) -> bool:
        """Whether it may be only idle, or cut."""
        return self.age > OLD if self.age is not None else self.sent > 0


def run(*words: str) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def fault(handshake: int | None, received: int, sent: int, more: int = 0) -> str:
    """The likely cause of a peer's silence; empty if it is fine, or was never needed.

    Args:
        more: bytes that were sent while it could have answered.
    """
    if handshake is None and received:  # WireGuard counts what was made with the right key, and is no repetition
        return "its packets arrive, but no answer reaches it: UDP is blocked on the way to it"
    if handshake is None and sent:
        return f"no handshake: {CAUSES}"
    if handshake is not None and handshake > OLD and more > 0:
        return f"no handshake for {handshake} s, and it does not answer now: {CAUSES}"
    return ""


def tunnels() -> dict[str, Tunnel]:
    """What the interface knows of its peers, by key."""
    found = {}
    for line in run("wg", "show", _host.INTERFACE, "dump").splitlines()[1:]:
        key, _secret, endpoint, allowed, last, received, sent, _keepalive = line.split("\t")
        age = max(0, int(time.time()) - int(last)) if int(last) else None
        found[key] = Tunnel("" if endpoint == "(none)" else endpoint, age, int(received), int(sent), tuple(allowed.split(",")))
    return found


def tried(nodes: _list.NodeList, before: Mapping[str, Tunnel]) -> dict[str, Tunnel]:
    """A second look, after nodes that were silent had the time to answer."""
    silent = [node for node in nodes.nodes if node.key in before and before[node.key].silent][:MANY]
    call((nodes.address(node), nodes.port) for node in silent)
    now, end = dict(before), time.monotonic() + PATIENCE
    while any(now[node.key].silent for node in silent if node.key in now) and time.monotonic() < end:
        time.sleep(POLL)
        now = tunnels()
    return now


def call(places: Iterable[tuple[str, int]]) -> None:
    """A packet each, of which agents take no notice."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for place in places:
            try:
                sock.sendto(b"", place)
            except OSError:  # no route yet: the agent says so
                continue


def peers(nodes: _list.NodeList, agent: dict[str, Any], before: Mapping[str, Tunnel], now: Mapping[str, Tunnel]) -> list[dict[str, Any]]:
    """The nodes that are peers of the interface."""
    names = {node.key: (node.name, node.cloud) for node in nodes.nodes}
    people = {user.key for user in nodes.users}
    me = nodes.node(str(agent.get("name", "")))
    found = []
    for key, tunnel in now.items():
        if key in people:
            continue
        name, cloud = names.get(key, ("unknown", ""))
        far = bool(me and cloud and cloud != me.cloud)
        mtu = agent.get("mtu", {}).get(cloud, _host.SAFE_MTU) if far else None
        more = tunnel.sent - before[key].sent if key in before else 0
        found.append(
            {
                "name": name, "cloud": cloud, "endpoint": tunnel.endpoint, "handshake": tunnel.age, "received": tunnel.received,
                "sent": tunnel.sent, "mtu": mtu, "fault": fault(tunnel.age, tunnel.received, tunnel.sent, more),
            }
        )  # fmt: skip
    return sorted([*found, *missing(nodes, agent, now)], key=lambda peer: str(peer["name"]))


def missing(nodes: _list.NodeList, agent: dict[str, Any], now: Mapping[str, Tunnel]) -> list[dict[str, Any]]:
    """The nodes of the list that the interface has no way to, although there is one."""
    held = {network for tunnel in now.values() for network in tunnel.allowed}
    nothing = {"endpoint": "", "handshake": None, "received": 0, "sent": 0, "mtu": None, "fault": "the interface has no peer for it"}
    return [
        {"name": node.name, "cloud": node.cloud} | nothing
        for node in nodes.nodes
        if node.name != agent.get("name") and f"{nodes.address(node)}/32" not in held and agent.get("ways", {}).get(node.cloud) != "none"
    ]


def users(nodes: _list.NodeList, now: Mapping[str, Tunnel]) -> list[dict[str, Any]]:
    """The people who have a profile, and what this node knows of their tunnels."""
    if nodes.overlay is None:
        return []
    nothing = Tunnel("", None, 0, 0)
    return [
        {"name": user.name, "address": nodes.overlay.address(user.number), "gateway": user.gateway}
        | {"handshake": tunnel.age, "received": tunnel.received, "sent": tunnel.sent}
        for user in nodes.users
        for tunnel in [now.get(user.key, nothing)]
    ]


def counters() -> dict[str, Any]:
    """The counters of our table."""
    try:
        objects = json.loads(run("nft", "-j", "list", "counters", "table", *_host.FIREWALL.split()) or "{}").get("nftables", [])
    except ValueError:
        objects = []
    return {item["counter"]["name"]: {key: item["counter"][key] for key in ("packets", "bytes")} for item in objects if "counter" in item}


def rules(chain: str) -> list[str]:
    """The rules of one of its chains; none if there is no such chain."""
    lines = [line.strip() for line in run("nft", "list", "chain", *_host.FIREWALL.split(), chain).splitlines()]
    return [line for line in lines if line.endswith(("accept", "drop"))]


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        agent = json.loads(STATE.read_text(encoding="utf-8"))
        nodes = _list.parse(_list.Envelope.read(LIST.read_text(encoding="utf-8")).text)
    except (OSError, ValueError, _list.Refused):
        module.exit_json(changed=False, agent={}, peers=[], users=[], counters={}, rules=[], rules_out=[], open_to_any=False)
    before = tunnels() if nodes.overlay else {}
    now = tried(nodes, before)
    seen = peers(nodes, agent, before, now) if nodes.overlay else []
    any_address = "0.0.0.0/0" in run("nft", "list", "set", *_host.FIREWALL.split(), _host.set_name("underlay", 4))
    module.exit_json(
        changed=False, agent=agent, peers=seen, users=users(nodes, now), counters=counters(), rules=rules("input"),
        rules_out=rules("output"), open_to_any=any_address,
    )  # fmt: skip


if __name__ == "__main__":
    main()
