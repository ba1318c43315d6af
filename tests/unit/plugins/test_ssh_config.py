# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OpenSSH configuration of a cluster: ssh itself reads it, and says the same as with the options of the inventory."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.action.ssh_config import login_at
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Mark, Node, State
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Login
from ansible_collections.sky.clusters.plugins.module_utils._engine._gateway import Gateway, ssh_options
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh_config import configuration, options

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHwZ8vZ4FVfqEg4jj5O/KMkg8PUsy91wDFQVAaJZ2Lbx"
LOGIN = Login(("/home/ada/my keys/50%.pub",), "")


def node(name: str, address: str, public: bool) -> Node:
    mark = Mark("ada", "demo", "box", int(name[-1]))
    return Node(name, f"id-{name}", mark, State.RUNNING, addresses=(Address(address, public=public),), host_keys=(KEY,))


GATE = node("demo-box-0", "192.0.2.4", public=True)
INSIDE = node("demo-box-1", "10.0.0.5", public=False)


def variables(of: Node, address: str, port: int = 22, through: Node | None = None) -> dict[str, Any]:
    proxy = [Gateway(through, "root", LOGIN).proxy_option()] if through else []
    return {"ansible_host": address, "ansible_port": port, "ansible_ssh_common_args": " ".join([*ssh_options(of, LOGIN), *proxy])}


HOSTS = {"demo-box-1": variables(INSIDE, "10.0.0.5", through=GATE), "demo-box-0": variables(GATE, "192.0.2.4", port=2222)}


def effective(*arguments: str) -> dict[str, str]:
    """What ssh would do, as it says itself."""
    done = subprocess.run(["ssh", "-G", *arguments], text=True, capture_output=True, check=True)
    lines = (line.partition(" ") for line in done.stdout.splitlines())
    return {name: value for name, _blank, value in lines if name not in ("host", "originalhost")}


@pytest.mark.parametrize("name", sorted(HOSTS))
def test_ssh_does_the_same_as_with_the_options_of_the_inventory(name: str, tmp_path: Path) -> None:
    file = tmp_path / "demo.conf"
    file.write_text(configuration("demo", HOSTS, "sky"))
    own = HOSTS[name]
    said = effective(*shlex.split(own["ansible_ssh_common_args"]), "-p", str(own["ansible_port"]), f"sky@{own['ansible_host']}")
    assert effective("-F", str(file), name) == said
    assert said["stricthostkeychecking"] == "true"
    assert effective("-F", str(file), "-l", "root", name)["user"] == "root"


@pytest.mark.parametrize("name", sorted(HOSTS))
def test_a_user_of_awx_logs_in_with_keys_of_their_own_and_the_same_checks(name: str) -> None:
    own = HOSTS[name]
    login = login_at("", name, own, "sky", {"awx_job_id": 17})
    assert "/home/ada" not in login["ssh"]
    ours = effective(*shlex.split(own["ansible_ssh_common_args"]), "-p", str(own["ansible_port"]), f"sky@{own['ansible_host']}")
    theirs = effective(*shlex.split(login["ssh"])[1:], login["node"])
    checks = ("hostname", "port", "user", "stricthostkeychecking", "knownhostscommand", "hostkeyalgorithms", "userknownhostsfile")
    assert {key: theirs.get(key) for key in checks} == {key: ours.get(key) for key in checks}
    assert ("proxycommand" in theirs) == ("proxycommand" in ours)
    assert login_at("", name, own, "sky", {})["ssh"].startswith(f"ssh {own['ansible_ssh_common_args']} ")


def test_a_node_has_its_lines_under_its_name() -> None:
    text = configuration("demo", {"demo-box-0": HOSTS["demo-box-0"]}, "sky")
    assert text.splitlines()[0].startswith("# The nodes of cluster demo")
    assert text.splitlines()[2:6] == ["Host demo-box-0", "    HostName 192.0.2.4", "    User sky", "    Port 2222"]


def test_other_options_are_refused() -> None:
    with pytest.raises(ValueError, match="-J"):
        list(options("-o A=b -J jump"))
