# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a cluster as a configuration of OpenSSH: with it ssh, scp, rsync and editors reach them by name. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

FIRST_PORT = 22


def configuration(cluster: str, hosts: Mapping[str, Mapping[str, Any]], user: str) -> str:
    """The text of the file.

    Args:
        hosts: connection variables of each node, as the inventory has them.
        user: who logs in, unless ssh is given another name.
    """
    head = f"# The nodes of cluster {cluster}, as of its last run: ssh -F THIS_FILE NODE. Written by sky.clusters; changes are overwritten.\n"
    return head + "".join(f"\n{_host(name, hosts[name], user)}" for name in sorted(hosts))


def names(text: str, name: str, address: str) -> bool:
    """Whether the text of a file has a node, at this address."""
    return f"\nHost {name}\n    HostName {address}\n" in text


def _host(name: str, variables: Mapping[str, Any], user: str) -> str:
    port = int(variables.get("ansible_port") or FIRST_PORT)
    settings = [f"HostName {variables['ansible_host']}", f"User {user}", *[f"Port {port}"] * (port != FIRST_PORT)]
    return "\n    ".join([f"Host {name}", *settings, *options(variables["ansible_ssh_common_args"])]) + "\n"


def options(arguments: str) -> Iterable[str]:
    """The options of an ssh command as lines of a configuration. The file that the command would read is this one."""
    words = shlex.split(arguments)
    for word, value in zip(words[::2], words[1::2], strict=True):
        if word == "-o":
            name, _equals, text = value.partition("=")
            yield f"{name} {text}"
        elif word != "-F":
            raise ValueError(f"ssh is given {word}, which a configuration cannot have")
