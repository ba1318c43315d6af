# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a node is reached."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from ansible_collections.sky.clusters.plugins.module_utils._cloud import Address, Mark, Node, State
from ansible_collections.sky.clusters.plugins.module_utils._hosts import host
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of

KEYS = ("ssh-rsa AAAArsa", "ssh-ed25519 AAAAed")


def settings(tmp_path: Path, keys: tuple[str, ...]) -> dict[str, str]:
    """What ssh itself makes of a host's options."""
    node = Node("demo-p-0", "1", Mark("o", "demo", "p", 0), State.RUNNING, (Address("10.0.0.4"),), host_keys=keys)
    variables = host(node, "one", cluster_of(tmp_path, {"p": 1})).variables
    options = shlex.split(f"{variables['ansible_ssh_args']} {variables['ansible_ssh_common_args']}")
    shown = subprocess.run(["ssh", "-G", "-F", "none", *options, variables["ansible_host"]], capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ", 1) for line in shown.splitlines() if " " in line)


def test_the_key_that_the_cloud_names_is_the_only_one_that_is_accepted(tmp_path: Path) -> None:
    found = settings(tmp_path, KEYS)
    assert found["stricthostkeychecking"] == "true"
    assert found["knownhostscommand"] == "/bin/echo %H ssh-ed25519 AAAAed"
    assert found["hostkeyalgorithms"] == "ssh-ed25519"
    assert (found["userknownhostsfile"], found["globalknownhostsfile"]) == ("none", "none")


def test_where_the_cloud_cannot_tell_the_first_key_is_kept(tmp_path: Path) -> None:
    assert settings(tmp_path, ())["stricthostkeychecking"] == "accept-new"
