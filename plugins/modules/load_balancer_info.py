#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the load balancer of a cluster says of the nodes behind it. Runs on its node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: load_balancer_info
short_description: Show what the load balancer of a cluster knows of the nodes behind it
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Asks the load balancer for its ports and the nodes behind each. Changes nothing, and does not fail if none answers.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  address:
    description: Address of the load balancer's node, for what is returned as C(page).
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Ask the load balancer
  sky.clusters.load_balancer_info:
  register: balancer
"""

RETURN = r"""
answers:
  description: Whether it answers.
  returned: always
  type: bool
  sample: true
page:
  description: The address that was given.
  returned: always
  type: str
  sample: 10.0.0.4
members:
  description:
    - The nodes behind each of its ports, with HAProxy's words for their states. One is C(at_work) if it gets connections, and C(busy) if it has some.
  returned: always
  type: list
  elements: dict
  sample: [{address: "10.0.0.5:8080", state: UP, at_work: true, busy: false, detail: "port80, demo-web-0: L7OK/200"}]
work:
  description: Always empty.
  returned: always
  type: list
  elements: dict
  sample: []
facts:
  description: For each port, how many of the nodes behind it get connections, and which do not.
  returned: always
  type: dict
  sample: {port 80: "2 of 3 nodes (demo-web-1: DOWN, Layer4 connection problem)"}
"""

from collections.abc import Iterable

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._load_balancer import Server, ask, servers


def facts(found: Iterable[Server]) -> dict[str, str]:
    """A sentence for each port."""
    by_port: dict[str, list[Server]] = {}
    for server in found:
        by_port.setdefault(server.backend.removeprefix("port"), []).append(server)
    return {f"port {port}": _sentence(behind) for port, behind in by_port.items()}


def _sentence(behind: list[Server]) -> str:
    silent = [f"{server.name}: {', '.join(filter(None, [server.status, server.why]))}" for server in behind if not server.up]
    return f"{len(behind) - len(silent)} of {len(behind)} nodes" + (f" ({'; '.join(silent)})" if silent else "")


def main() -> None:
    module = AnsibleModule(argument_spec={"address": {"type": "str", "default": ""}}, supports_check_mode=True)
    found = servers(ask("show stat"))
    members = [
        {
            "address": server.address, "state": server.status, "at_work": server.up, "busy": server.connections > 0,
            "detail": f"{server.backend}, {server.name}: {server.why}",
        }
        for server in found
    ]  # fmt: skip
    answers = bool(ask("show info"))
    module.exit_json(changed=False, answers=answers, page=module.params["address"], members=members, work=[], facts=facts(found))


if __name__ == "__main__":
    main()
