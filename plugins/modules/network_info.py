#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes of a cluster report of their network, on the node that serves their list."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_info
short_description: Show what the nodes of a cluster report of their network
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Reads the list of the nodes, and what their agents reported last (see M(sky.clusters.network_node)). Changes nothing.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  address:
    description: Address that the node serves the list at.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Look at the overlay
  sky.clusters.network_info:
    address: 10.99.0.1
  register: overlay
"""

RETURN = r"""
answers:
  description: Whether the agent of this node answers.
  returned: always
  type: bool
  sample: true
page:
  description: Address that it was asked at.
  returned: always
  type: str
  sample: http://10.99.0.1:7999
members:
  description:
    - The nodes in the list. One is C(at_work) if it has reported recently, and C(detail) is what is wrong with it.
    - C(state) is V(whole), V(behind) if it follows an older list, V(faulty) if its agent reports a fault, V(cut off) if gateways or large packets do
      not answer it, or V(silent).
  returned: always
  type: list
  elements: dict
  sample: [{address: 10.99.0.5, state: whole, at_work: true, busy: false, detail: ""}]
work:
  description: Always empty.
  returned: always
  type: list
  elements: dict
  sample: []
facts:
  description: Whether the network is whole, and which programs encrypt.
  returned: always
  type: dict
  sample: {whole: "yes", engine: wireguard-go}
reports:
  description: What each node reported last.
  returned: always
  type: dict
  sample: {demo-worker-0: {serial: 1764316800, engine: kernel, mtu: {other: 1420}, ways: {other: gateway demo-gate-0}, silent: [], fault: ""}}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _list
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._board import LIST, reports

RECENT = 15.0  # s, or three pauses of a large cluster


def member(node: _list.Member, nodes: _list.NodeList, seen: dict[str, Any], now: float) -> dict[str, Any]:
    """A node as its last report shows it."""
    age = now - seen.get("at", 0.0)
    state, detail = "whole", ""
    if age > max(RECENT, 3 * len(nodes.nodes) / 100):
        state = "silent"
        detail = f"its agent last reported {age:.0f} s ago" if seen else "its agent has not reported since the agent of the server node started"
    elif seen["fault"]:
        state, detail = "faulty", f"its agent reports: {seen['fault']}"
    elif seen["serial"] < nodes.serial:
        state, detail = "behind", "it follows an older list of the nodes"
    elif seen["silent"]:
        detail = f"it cannot reach {', '.join(seen['silent'])}: {CAUSES}"
        state = "cut off"
    elif seen.get("unmeasured"):  # agents of earlier versions do not say
        clouds = ", ".join(seen["unmeasured"])
        state, detail = "cut off", f"no packet of 1280 bytes passes to {clouds} and back: the MTU of the path is too small"
    return {"address": nodes.address(node), "state": state, "at_work": state != "silent", "busy": False, "detail": detail}


CAUSES = "the gateway is down, UDP is blocked on the way to it, its key is another one, or a clock was set back"


def main() -> None:
    module = AnsibleModule(argument_spec={"address": {"type": "str", "required": True}}, supports_check_mode=True)
    address = module.params["address"]
    try:
        nodes = _list.parse(_list.Envelope.read(LIST.read_text(encoding="utf-8")).text)
    except (OSError, _list.Refused):
        module.exit_json(changed=False, answers=False, page="", members=[], work=[], facts={}, reports={})
    found = reports(address, nodes.port)
    seen = found.get("reports", {})
    members = [member(node, nodes, seen.get(node.name, {}), found.get("now", 0.0)) for node in nodes.nodes] if found else []
    broken = sum(each["state"] != "whole" for each in members)
    engines = sorted({report["engine"] for report in seen.values() if report.get("engine")})
    facts = {"whole": "yes" if found and not broken else f"no ({broken} of {len(members)} nodes)", "engine": " and ".join(engines) or "none"}
    page = f"http://{address}:{nodes.port}"
    module.exit_json(changed=False, answers=bool(found), page=page, members=members, work=[], facts=facts if found else {}, reports=seen)


if __name__ == "__main__":
    main()
