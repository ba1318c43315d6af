#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail if a task for a node runs on another machine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_check
short_description: Fail if the tasks run on another machine, or the cluster's user cannot be created
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Variables of a run, such as C(ansible_connection), take precedence over those of the inventory and can send the tasks of a node to another
    machine, the controller above all. As the first task on a node this module fails there, before anything is changed.
  - With O(user), it also fails if a user or a group of the node has the name or the id, but not both. A system user is never changed to the cluster's
    user, and the user of an existing node is neither renamed nor given another id.
  - Creates the folder of the connection's C(remote_tmp) if it is missing. Ansible would create it too, with a warning on every new node.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  address:
    description: An address of the node's own, such as C(sky_address). If it is empty, it is not checked.
    type: str
    default: ""
  user:
    description: Name of the cluster's user and of its group.
    type: str
  user_id:
    description: Its user and group id.
    type: int
  node:
    description: Name of the node in the inventory, for the message.
    type: str
"""

EXAMPLES = r"""
- name: Check that the tasks run on the node
  sky.clusters.node_check:
    address: "{{ sky_address }}"
"""

RETURN = r"""
remote_home:
  description: Whether the home of O(user) is mounted from another machine, where the user root of this node may not write.
  returned: success
  type: bool
  sample: false
key_exchanges:
  description: The key exchanges that sshd of this node is to offer, the best first, as far as this ssh has them. Only with O(user).
  returned: success
  type: list
  elements: str
  sample: [sntrup761x25519-sha512@openssh.com, curve25519-sha256, curve25519-sha256@libssh.org]
"""

import contextlib
import grp
import pwd
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes import _remote_tmp
from ansible_collections.sky.clusters.plugins.module_utils._nodes._here import elsewhere

# The first needs OpenSSH 9.9, the third 8.5. Without the last two, no client of 8.4 or older could log in.
KEY_EXCHANGES = (
    "mlkem768x25519-sha256",
    "sntrup761x25519-sha512",
    "sntrup761x25519-sha512@openssh.com",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
)


def conflict(name: str, number: int, users: Iterable[tuple[str, int]], groups: Iterable[tuple[str, int]]) -> str:
    """The first user or group that has only one of both; empty if there is none."""
    known = [*(("user", *user) for user in users), *(("group", *group) for group in groups)]
    return next(
        (f"{kind} '{other}' with id {taken}" for kind, other, taken in known if (other == name) is not (taken == number)),
        "",
    )


def known_users(name: str, number: int) -> list[tuple[str, int]]:
    """Those of this name or id. A directory service may answer to names without listing them."""
    found = []
    for ask in (lambda: pwd.getpwnam(name), lambda: pwd.getpwuid(number)):
        with contextlib.suppress(KeyError):
            found.append((ask().pw_name, ask().pw_uid))
    return found


def known_groups(name: str, number: int) -> list[tuple[str, int]]:
    """The same of groups."""
    found = []
    for ask in (lambda: grp.getgrnam(name), lambda: grp.getgrgid(number)):
        with contextlib.suppress(KeyError):
            found.append((ask().gr_name, ask().gr_gid))
    return found


def fault(given: Mapping[str, Any]) -> str:
    """Why the tasks must not run here; empty if they can."""
    if given["address"] and (found := elsewhere(given["address"])):
        return found
    if given["user"] is None:
        return ""
    name, number = given["user"], given["user_id"]
    found = conflict(name, number, known_users(name, number), known_groups(name, number))
    if not found:
        return ""
    return (
        f"node_user: {found} exists on this node, so '{name}' with id {number} cannot be created: users of the system are not changed, and that "
        "of an existing node keeps its name and its id; choose others (node_user, node_user_uid), or replace the node "
        f"(-e sky_replace={given['node']})"
    )


def key_exchanges(known: str) -> list[str]:
    """What sshd is to offer of the key exchanges that it knows, from the output of ``ssh -Q kex``; sshd refuses a file that names another."""
    names = set(known.split())
    return [name for name in KEY_EXCHANGES if name in names]


def is_remote(folder: str, mounts: str) -> bool:
    """Whether a folder is mounted from another machine, from the text of /proc/mounts; a source like ``server:/path`` is on one."""
    fields = [line.split() for line in mounts.splitlines()]
    return any(target == folder and ":" in source for source, target, *_rest in fields)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "default": ""},
            "user": {"type": "str"},
            "user_id": {"type": "int"},
            "node": {"type": "str"},
        },
        required_together=[("user", "user_id", "node")],
        supports_check_mode=True,
    )
    if found := fault(module.params):
        module.fail_json(msg=found)
    if not module.check_mode and (place := getattr(module, "_remote_tmp", None)):
        _remote_tmp.create(place)
    user = module.params["user"]
    if not user:
        module.exit_json(changed=False, remote_home=False, key_exchanges=[])
    _code, known, _errors = module.run_command(["ssh", "-Q", "kex"], check_rc=True)
    remote = is_remote(f"/home/{user}", Path("/proc/mounts").read_text(encoding="utf-8"))
    module.exit_json(changed=False, remote_home=remote, key_exchanges=key_exchanges(known))


if __name__ == "__main__":
    main()
