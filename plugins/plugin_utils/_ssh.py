# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out why a node cannot be reached by ssh."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._engine._gateway import SECONDS, ssh_reason
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh_config import FIRST_PORT
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh_file import knows

PREFIX = "Failed to connect to the host via ssh:"  # the prefix that Ansible adds to messages of ssh
PARALLEL = 32
ANSWERS = "ssh failed during the run, but works now"


@dataclass(frozen=True)
class SshLogin:
    """How to reach a host, from its variables."""

    options: str
    user: str
    host: str
    port: str = ""

    @classmethod
    def of(cls, variables: Mapping[str, Any]) -> SshLogin:
        return cls(*(str(variables.get(key, "")) for key in ("ansible_ssh_common_args", "ansible_user", "ansible_host", "ansible_port")))

    def command(self) -> str:
        """The command that opens a shell on the host."""
        return " ".join(f"ssh {self.arguments} {self.user or 'root'}@{self.host}".split())

    def by_file(self, file: str, name: str) -> str:
        """The same with the OpenSSH configuration of the cluster; empty if it does not lead to the host."""
        return f"ssh -F {shlex.quote(file)} -l {self.user or 'root'} {name}" if knows(file, name, self.host) else ""

    @property
    def arguments(self) -> str:
        """The options, and the port where it is another than that of ssh, as that of a gateway which translates ports."""
        return f"{self.options} -p {self.port}" if self.port not in ("", str(FIRST_PORT)) else self.options


def ssh_message(message: str) -> str:
    """The message of ssh, without the prefix of Ansible."""
    return ssh_reason(message.rpartition(PREFIX)[2]) or "no reason was given"


def reasons(logins: Mapping[str, SshLogin]) -> dict[str, str]:
    """Why hosts are unreachable, by name. Ansible does not keep the message of ssh, so ssh is tried again."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        return dict(zip(logins, pool.map(_reason, logins.values()), strict=True))


def _reason(login: SshLogin) -> str:
    asked = ["-o", "ControlPath=none", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={SECONDS}", f"{login.user or 'root'}@{login.host}", "true"]
    try:
        command = ["ssh", *shlex.split(login.arguments), *asked]
        said = subprocess.run(command, capture_output=True, text=True, timeout=2 * SECONDS, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"ssh does not end within {2 * SECONDS} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)
    return ssh_reason(said.stderr) or f"exit status {said.returncode}" if said.returncode else ANSWERS
