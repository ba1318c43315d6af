# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cloud-init gets at a node's first start: the user and keys, and to show the host keys on the console."""

from __future__ import annotations

import base64
import json
from typing import Any

from .._contract import NodeSpec

# Nodes without an address outside are reached through one that has it: by as many connections at once as Ansible has forks.
SSHD = "PasswordAuthentication no\nMaxStartups 200:30:400\nMaxSessions 200\n"


def user_data(spec: NodeSpec) -> str:
    """User data of a node, in base64."""
    text = "#cloud-config\n" + json.dumps(cloud_config(spec), indent=1)  # JSON is YAML
    return base64.b64encode(text.encode()).decode()


def cloud_config(spec: NodeSpec) -> dict[str, Any]:
    """The settings as data. They hold no secret: everybody on the node may read them."""
    return {
        "hostname": spec.name,
        "users": [_user(spec)],
        "disable_root": spec.ssh_user != "root",
        "ssh_pwauth": False,
        "ssh_deletekeys": True,  # an image's own host keys would be everybody's
        "ssh_genkeytypes": ["ed25519"],
        "ssh": {"emit_keys_to_console": True},
        "write_files": [{"path": "/etc/ssh/sshd_config.d/50-sky.conf", "content": SSHD, "permissions": "0644"}],
    }


def _user(spec: NodeSpec) -> dict[str, Any]:
    user = {"name": spec.ssh_user, "lock_passwd": True, "shell": "/bin/bash", "ssh_authorized_keys": list(spec.ssh_keys)}
    return user if spec.ssh_user == "root" else user | {"sudo": "ALL=(ALL) NOPASSWD:ALL"}
