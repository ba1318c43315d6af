# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How ssh gets to a node: with its host key verified, and through another node of the cluster where it has no address outside."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ._cloud import Node, Options, State

PORT = 22
SECONDS = 10  # until a connection is given up


@dataclass(frozen=True)
class Gateway:
    """A node that others are reached through."""

    node: Node
    user: str

    def command(self, *more: str) -> list[str]:
        """The ssh command that logs in there, without asking anybody anything."""
        options = ["-o BatchMode=yes", f"-o ConnectTimeout={SECONDS}", *host_key_options(self.node)]
        return ["ssh", *shlex.split(" ".join(options)), *more, f"{self.user}@{self.node.address(public=True)}"]

    def proxy_option(self) -> str:
        """What makes ssh go through it."""
        command = shlex.join(self.command("-W", "[%h]:%p")).replace("%H", "%%H")  # ssh replaces %-words here first
        return "-o " + shlex.quote(f"ProxyCommand={command}")


def gateway(nodes: Iterable[Node], options: Options) -> Gateway | None:
    """The node of a cloud that those without an address outside are reached through; None where no node has one, or none is needed.

    Args:
        options: those of the cloud.
    """
    if options.reaches_all:
        return None
    running = [node for node in nodes if node.state is State.RUNNING and node.address(public=True)]
    first = min(running, key=lambda node: (node.mark.index, node.name), default=None)
    return Gateway(first, options.ssh_user) if first else None


def behind(node: Node, way: Gateway | None) -> bool:
    """Whether a node is reached through the gateway."""
    return way is not None and not node.address(public=True)


def host_key_options(node: Node) -> Sequence[str]:
    """The cloud's own word on the host's keys instead of any known_hosts file, so that no address that is used again brings an old key back."""
    if not node.host_keys:
        return ["-o StrictHostKeyChecking=accept-new"]
    kind, key = min((line.split()[:2] for line in node.host_keys), key=lambda words: words[0] != "ssh-ed25519")
    return [
        "-o StrictHostKeyChecking=yes",
        "-o UserKnownHostsFile=none",
        "-o GlobalKnownHostsFile=none",
        f"-o HostKeyAlgorithms={kind}",
        "-o " + shlex.quote(f"KnownHostsCommand=/bin/echo %H {kind} {key}"),
    ]
