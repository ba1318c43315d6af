#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile for somebody outside, made on the node that serves the list of the nodes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_profile
short_description: Make a profile with which somebody outside joins the overlay
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Makes a pair of keys for a user. Only the public one is kept, so that the profile can be shown only once; a profile that the user had before ends.
  - The profile leads through one gateway, which is noted with the key.
  - The user has access once the list of the nodes was written anew (see M(sky.clusters.network_list)).
  - Whoever is not among the file's C(vpn_users) loses access, and the profile, with the next list.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  user:
    description: Name of the user.
    type: str
    required: true
  first:
    description: Number of the first user in the overlay.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Make a profile
  sky.clusters.network_profile:
    user: ada
    first: 65281
  no_log: true
  register: profile
"""

RETURN = r"""
profile:
  description: The profile, as WireGuard's programs read it. It holds the private key.
  returned: always
  type: str
  sample: "[Interface]..."
code:
  description: The same as a QR code of text; empty if qrencode is not installed.
  returned: always
  type: str
  sample: ""
"""

import json
import shutil
import subprocess
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _list
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._board import LIST, USERS

PROFILE = """\
# {user} in cluster {cluster}
[Interface]
PrivateKey = {private}
Address = {address}/32
MTU = 1280

[Peer]
# {gateway}
PublicKey = {key}
Endpoint = {endpoint}
AllowedIPs = {range}
PersistentKeepalive = 25
"""


def run(*words: str, stdin: str = "") -> str:
    return subprocess.run(words, input=stdin, capture_output=True, text=True, check=True, timeout=20).stdout.strip()


def place(users: dict[str, dict[str, Any]], user: str) -> int:
    """The user's place among the numbers of all users: the one from before, or the lowest free one."""
    if user in users:
        return int(users[user]["place"])
    taken = {each["place"] for each in users.values()}
    return next(number for number in range(len(taken) + 1) if number not in taken)


def main() -> None:
    module = AnsibleModule(
        argument_spec={"user": {"type": "str", "required": True}, "first": {"type": "int", "required": True}}, supports_check_mode=True
    )
    user = module.params["user"]
    nodes = _list.parse(_list.Envelope.read(LIST.read_text(encoding="utf-8")).text)
    gateway = next((node for node in nodes.nodes if node.gateway and node.public), None)
    if nodes.overlay is None or gateway is None:
        module.fail_json(msg="nobody outside can reach the overlay: there is none, or no node has a public address")
    if module.check_mode:
        module.exit_json(changed=True, profile="", code="")
    users = json.loads(USERS.read_text(encoding="utf-8")) if USERS.exists() else {}
    private = run("wg", "genkey")
    users[user] = {
        "key": run("wg", "pubkey", stdin=private), "place": place(users, user), "gateway_key": gateway.key,
        "endpoint": f"{gateway.public}:{nodes.overlay.port}", "range": nodes.overlay.range,
    }  # fmt: skip
    _list.write(USERS, json.dumps(users, indent=1) + "\n", 0o600)
    profile = PROFILE.format(
        user=user, cluster=nodes.cluster, private=private, address=nodes.overlay.address(module.params["first"] + users[user]["place"]),
        gateway=gateway.name, key=gateway.key, endpoint=users[user]["endpoint"], range=nodes.overlay.range,
    )  # fmt: skip
    program = shutil.which("qrencode")
    code = run(program, "-t", "UTF8", "-m", "1", stdin=profile) if program else ""
    module.exit_json(changed=True, profile=profile, code=code)


if __name__ == "__main__":
    main()
