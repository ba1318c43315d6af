# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a node cannot be reached by ssh."""

from __future__ import annotations

import socket

from ansible_collections.sky.clusters.plugins.module_utils._engine._gateway import ssh_reason
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import SshLogin, reasons, ssh_message

IGNORED_KEY = """Failed to connect to the host via ssh: @@@@@@@@@@@@@@@
@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @
@@@@@@@@@@@@@@@
Permissions 0644 for '/home/ada/.ssh/id_ed25519' are too open.
It is required that your private key files are NOT accessible by others.
This private key will be ignored.
Load key "/home/ada/.ssh/id_ed25519": bad permissions
root@10.0.0.5: Permission denied (publickey).
"""


def test_the_last_lines_contain_the_reason() -> None:
    assert ssh_message(IGNORED_KEY) == (
        'This private key will be ignored.; Load key "/home/ada/.ssh/id_ed25519": bad permissions; root@10.0.0.5: Permission denied (publickey).'
    )
    assert ssh_reason("ssh: Could not resolve hostname nowhere: Name or service not known\nkex_exchange_identification: closed\n") == (
        "Could not resolve hostname nowhere: Name or service not known; kex_exchange_identification: closed"
    )


def test_a_lost_host_is_tried_again() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]  # nobody listens there
        login = SshLogin.of({"ansible_ssh_common_args": "-F none", "ansible_host": "127.0.0.1", "ansible_port": port})
        asked = reasons({"demo-p-0": login})
    assert asked == {"demo-p-0": f"connect to host 127.0.0.1 port {port}: Connection refused"}


def test_the_command_leads_to_the_node_behind_a_port_of_its_gateway() -> None:
    known = {"ansible_ssh_common_args": "-F none -o IdentitiesOnly=yes", "ansible_user": "ada", "ansible_host": "gate.example.org"}
    assert SshLogin.of(known | {"ansible_port": 15001}).command() == "ssh -F none -o IdentitiesOnly=yes -p 15001 ada@gate.example.org"
    assert SshLogin.of(known | {"ansible_port": 22}).command() == "ssh -F none -o IdentitiesOnly=yes ada@gate.example.org"
    assert SshLogin.of({"ansible_host": "10.0.0.5"}).command() == "ssh root@10.0.0.5"
