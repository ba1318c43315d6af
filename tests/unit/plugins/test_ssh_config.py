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
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import save
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import SshLogin
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh_config import configuration, options
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh_file import to_use, to_write

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


def test_the_home_folder_in_the_name_of_a_file_is_found_before_the_name_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = to_use("~/demo.ssh", "demo", {})
    assert login_at(file, "demo-box-0", HOSTS["demo-box-0"], "sky", {}) == {"ssh": f"ssh -F {tmp_path}/demo.ssh", "node": "demo-box-0"}
    save("sky_ssh_config", to_write("~/demo.ssh", "demo", {}), configuration("demo", HOSTS, "sky"))
    assert effective(*shlex.split(f"-F {file}"), "demo-box-0")["hostname"] == "192.0.2.4"


@pytest.mark.parametrize(("asked", "run"), [("-", {}), ("demo.ssh", {"awx_job_id": 17}), ("", {"awx_job_id": 17})])
def test_what_is_no_file_of_the_reader_is_named_nowhere(asked: str, run: dict[str, Any]) -> None:
    assert to_use(asked, "demo", run) == ""
    assert to_write(asked, "demo", run) == asked


def test_a_node_that_failed_is_looked_at_with_the_file_if_the_file_leads_to_it(tmp_path: Path) -> None:
    file = tmp_path / "demo.conf"
    box = SshLogin.of(HOSTS["demo-box-0"] | {"ansible_user": "root"})
    assert box.by_file(str(file), "demo-box-0") == ""
    file.write_text(configuration("demo", HOSTS, "sky"))
    command = box.by_file(str(file), "demo-box-0")
    assert command == f"ssh -F {file} -l root demo-box-0"
    told = effective(*shlex.split(command)[1:])
    assert (told["hostname"], told["port"], told["user"]) == ("192.0.2.4", "2222", "root")
    assert SshLogin.of(HOSTS["demo-box-0"] | {"ansible_host": "192.0.2.9"}).by_file(str(file), "demo-box-0") == ""  # the file is of an earlier run
    assert box.by_file(str(file), "demo-box-2") == ""
    assert box.by_file("", "demo-box-0") == ""


def test_other_options_are_refused() -> None:
    with pytest.raises(ValueError, match="-J"):
        list(options("-o A=b -J jump"))
