# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How ssh gets to a node: with its host key verified, by no other settings than these, and through another node where it has no address outside."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .._clouds._contract import Node, Options, State
from .._cluster_file._cluster import Login

PORT = 22
SECONDS = 10  # until a connection is given up
SAID = 3  # lines of ssh's output that are shown
WIDTH = 300  # characters of them
ANY = Login()
KNOWN = "known_hosts"  # in the folder of the control sockets: the keys that were trusted on first use
KNOWN_ELSEWHERE = "~/.ansible/sky_known_hosts"  # where there is no such folder


@dataclass(frozen=True)
class Gateway:
    """A node that others are reached through."""

    node: Node
    user: str
    login: Login = ANY

    def command(self, *more: str) -> list[str]:
        """The ssh command that logs in there, without asking anybody anything."""
        options = [*ssh_options(self.node, self.login), "-o BatchMode=yes", f"-o ConnectTimeout={SECONDS}"]
        options += [f"-p {self.node.port}"] if self.node.port else []
        return ["ssh", *shlex.split(" ".join(options)), *more, f"{self.user}@{self.node.address(public=True)}"]

    def proxy_option(self) -> str:
        """What makes ssh go through it."""
        # ssh replaces %-words here first, and shall replace none but these two
        command = shlex.join(self.command("-W", "[%h]:%p")).replace("%", "%%").replace("[%%h]:%%p", "[%h]:%p")
        return "-o " + shlex.quote(f"ProxyCommand={command}")


def gateway(nodes: Iterable[Node], options: Options, login: Login = ANY) -> Gateway | None:
    """The node of a cloud that those without an address outside are reached through; None where no node has one, or none is needed.

    Args:
        options: those of the cloud.
        login: how this controller logs in.
    """
    if options.reaches_all:
        return None
    running = [node for node in nodes if node.state is State.RUNNING and node.address(public=True)]
    first = min(running, key=lambda node: (node.mark.index, node.name), default=None)
    return Gateway(first, options.ssh_user, login) if first else None


def behind(node: Node, way: Gateway | None) -> bool:
    """Whether a node is reached through the gateway."""
    return way is not None and not node.address(public=True)


def ssh_options(node: Node, login: Login) -> list[str]:
    """The options of every ssh to a node, each as a shell reads it.

    No configuration file is read: a port, a proxy, a command, a terminal, forwardings or keys set there for other hosts would apply here too.
    """
    identities = [f'IdentityFile="{file}"'.replace("%", "%%") for file in login.identities]
    only = ["-o IdentitiesOnly=yes"] * bool(identities)
    return ["-F none", *only, *(f"-o {shlex.quote(each)}" for each in identities), *host_key_options(node, login.folder)]


def host_key_options(node: Node, folder: str = "") -> Sequence[str]:
    """The host keys that the cloud lists instead of any known_hosts file, so that a reused address never brings an old key back.

    The key of a node that lists none is trusted on first use, and kept under a name that is this node's alone, in a file that is the collection's:
    the user's own known_hosts is neither believed nor written to.
    """
    if not node.host_keys:
        one = hashlib.sha256(f"{node.mark} {node.id} {node.created}".encode()).hexdigest()[:16]
        return [
            "-o StrictHostKeyChecking=accept-new",
            f"-o HostKeyAlias={node.name}.{one}",
            "-o " + shlex.quote(f"UserKnownHostsFile={f'{folder}/{KNOWN}' if folder else KNOWN_ELSEWHERE}"),
            "-o GlobalKnownHostsFile=none",
        ]
    kind, key = min((line.split()[:2] for line in node.host_keys), key=lambda words: words[0] != "ssh-ed25519")
    return [
        "-o StrictHostKeyChecking=yes",
        "-o UserKnownHostsFile=none",
        "-o GlobalKnownHostsFile=none",
        f"-o HostKeyAlgorithms={kind}",
        "-o " + shlex.quote(f"KnownHostsCommand=/bin/echo %H {kind} {key}"),
    ]


def ssh_reason(said: str) -> str:
    """Why a connection failed, in ssh's own words: its last lines, since the last alone often says only that it ended."""
    lines = [text for line in said.splitlines() if (text := line.strip()) and not text.startswith(("@@@", "Warning: "))]
    words = [line.rpartition("ssh: ")[2].strip("@ ") for line in lines]
    return "; ".join(dict.fromkeys(words[-SAID:]))[-WIDTH:]
