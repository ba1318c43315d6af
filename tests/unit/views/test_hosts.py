# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a node is reached."""

from __future__ import annotations

import dataclasses
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Listing, Mark, Node, State
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcOptions
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import CloudEntry, Cluster, Login, Pool
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import host, hosts
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of
from ansible_collections.sky.clusters.tests.support.site import BIN

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
    found = settings(tmp_path, ())
    assert found["stricthostkeychecking"] == "accept-new"
    assert found["hostkeyalias"].startswith("demo-p-0.")
    assert "/.ssh/" not in found["userknownhostsfile"]
    assert found["globalknownhostsfile"] == "none"


# settings made for other hosts

OF_ANSIBLE = {
    "ANSIBLE_BECOME": "True",
    "ANSIBLE_BECOME_USER": "nobody",
    "ANSIBLE_HOST_KEY_CHECKING": "False",
    "ANSIBLE_REMOTE_PORT": "2222",
    "ANSIBLE_REMOTE_USER": "nobody",
    "ANSIBLE_SSH_ARGS": "-o StrictHostKeyChecking=no -o ProxyJump=nowhere",
    "ANSIBLE_SSH_COMMON_ARGS": "-o StrictHostKeyChecking=no -o ProxyJump=nowhere",
    "ANSIBLE_SSH_CONTROL_PATH": "/tmp/%%h-%%p",
    "ANSIBLE_SSH_CONTROL_PATH_DIR": "/proc/none",
    "ANSIBLE_SSH_HOST_KEY_CHECKING": "False",
    "ANSIBLE_TRANSPORT": "local",
}
OF_ALL = {
    "ansible_become": True,
    "ansible_become_user": "nobody",
    "ansible_connection": "local",
    "ansible_port": 2222,
    "ansible_python_interpreter": "/nowhere/python3",
    "ansible_ssh_args": "-o StrictHostKeyChecking=no",
    "ansible_ssh_common_args": "-o StrictHostKeyChecking=no",
    "ansible_ssh_host_key_checking": False,
    "ansible_ssh_pipelining": False,
    "ansible_ssh_port": 2222,
    "ansible_user": "nobody",
}


def recorder(folder: Path, noted: Path) -> Path:
    """A program in ssh's place that notes how it was called; gives its folder."""
    folder.mkdir()
    (folder / "ssh").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{noted}\nexit 1\n', encoding="utf-8")
    (folder / "ssh").chmod(0o755)
    return folder


def test_no_setting_for_other_hosts_changes_how_a_node_is_reached(tmp_path: Path) -> None:
    """Ansible itself is asked to reach it, and ssh what it makes of the options that it was given."""
    node = Node("demo-p-0", "1", Mark("o", "demo", "p", 0), State.RUNNING, (Address("10.0.0.4"),), host_keys=KEYS)
    cluster = dataclasses.replace(cluster_of(tmp_path, {"p": 1}), login=Login(("/keys/a b",), "/tmp/sky-0"))
    shown = {"all": {"hosts": {"demo-p-0": host(node, "one", cluster).variables}}}
    (tmp_path / "site" / "group_vars").mkdir(parents=True)
    (tmp_path / "site" / "hosts.yml").write_text(yaml.safe_dump(shown), encoding="utf-8")
    (tmp_path / "site" / "group_vars" / "all.yml").write_text(yaml.safe_dump(OF_ALL), encoding="utf-8")
    noted = tmp_path / "noted"
    environment = os.environ | OF_ANSIBLE | {"PATH": f"{recorder(tmp_path / 'bin', noted)}:{os.environ['PATH']}"}
    command = [str(BIN / "ansible"), "-i", str(tmp_path / "site" / "hosts.yml"), "-c", "local", "all", "-m", "ansible.builtin.ping"]
    subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    called = noted.read_text(encoding="utf-8").splitlines()
    given = called[: called.index("10.0.0.4") + 1]
    asked = subprocess.run(["/usr/bin/ssh", "-G", *given], capture_output=True, text=True, check=True).stdout.splitlines()
    found = dict(line.split(" ", 1) for line in asked if " " in line)
    assert called[called.index("-F") + 1] == "none"
    assert {key: found.get(key) for key in ("user", "port", "stricthostkeychecking", "identitiesonly", "identityfile", "proxyjump")} == {
        "user": "root",
        "port": "22",
        "stricthostkeychecking": "true",
        "identitiesonly": "yes",
        "identityfile": "/keys/a b",
        "proxyjump": None,
    }
    assert found["controlpath"].startswith("/tmp/sky-0/")
    assert "sudo" not in called[-1]
    assert "/usr/bin/python3" in called[-1]


def test_who_is_not_root_becomes_root(tmp_path: Path) -> None:
    cluster = cluster_of(tmp_path, {"p": 1}, clouds={"one": {"ssh_user": "debian"}})
    variables = host(member(0, Address("10.0.0.4")), "one", cluster).variables
    assert (variables["ansible_become"], variables["ansible_become_user"], variables["ansible_user"]) == (True, "root", "debian")


def test_a_connection_belongs_to_one_machine(tmp_path: Path) -> None:
    cluster = dataclasses.replace(cluster_of(tmp_path, {"p": 1}), login=Login((), "/tmp/sky-0"))
    first, same, another = (member(0, Address("10.0.0.4"), id=number) for number in ("1", "1", "2"))
    paths = [host(node, "one", cluster).variables["ansible_control_path"] for node in (first, same, another)]
    assert paths[0] == paths[1] != paths[2]
    assert "ControlPath=none" in host(first, "one", cluster_of(tmp_path, {"p": 1})).variables["ansible_ssh_args"]


# nodes without an address outside

OUTSIDE = Address("198.51.100.4", public=True)
FRONT_KEY = "ssh-ed25519 AAAAfront"


def member(index: int, *addresses: Address, **more: Any) -> Node:
    mark = Mark("o", "demo", "p", index)
    known: dict[str, Any] = {"id": str(index), "state": State.RUNNING, "addresses": addresses} | more
    return Node(mark.node_name, mark=mark, **known)


def common_args(tmp_path: Path, *nodes: Node, **more: Any) -> dict[str, str]:
    cluster = cluster_of(tmp_path, {"p": 3}, **more)
    return {found.name: str(found.variables["ansible_ssh_common_args"]) for found in hosts(Listing(nodes), "one", cluster)}


def test_only_what_has_no_address_outside_goes_through_one_that_has(tmp_path: Path) -> None:
    front = member(0, Address("10.0.0.4"), OUTSIDE, host_keys=(FRONT_KEY,))
    found = common_args(tmp_path, front, member(1, Address("10.0.0.5")), member(2, Address("10.0.0.6"), Address("198.51.100.6", public=True)))
    assert {name: "ProxyCommand" in args for name, args in found.items()} == {"demo-p-0": False, "demo-p-1": True, "demo-p-2": False}
    assert "ProxyCommand" not in common_args(tmp_path, member(1, Address("10.0.0.5")))["demo-p-1"]  # where none has one, they are near


def test_none_goes_through_another_where_all_can_be_reached(tmp_path: Path) -> None:
    nodes = (member(0, Address("10.0.0.4"), OUTSIDE), member(1, Address("10.0.0.5")))
    local = Cluster("demo", {"one": CloudEntry("lxc", LxcOptions())}, {"p": Pool(cloud="one", count=2)})
    found = {host.name: host.variables for host in hosts(Listing(nodes), "one", local)}
    assert found["demo-p-1"]["ansible_host"] == "10.0.0.5"
    assert [name for name, variables in found.items() if "ProxyCommand" in variables["ansible_ssh_common_args"]] == []
    assert "ProxyCommand" in common_args(tmp_path, *nodes)["demo-p-1"]


@pytest.mark.parametrize(("address", "target"), [("10.0.0.5", "[10.0.0.5]:22"), ("2001:db8::5", "[2001:db8::5]:22")])
def test_ssh_goes_through_it_with_both_keys_verified(tmp_path: Path, address: str, target: str) -> None:
    """Asked of ssh itself, in whose place for the way there stands what notes how it was called."""
    front = member(0, Address("10.0.0.4"), OUTSIDE, host_keys=(FRONT_KEY,))
    inner = member(1, Address(address, 6 if ":" in address else 4), host_keys=("ssh-ed25519 AAAAinner",))
    cluster = dataclasses.replace(cluster_of(tmp_path, {"p": 3}, clouds={"one": {"ssh_user": "debian"}}), login=Login(("/keys/100%/a",)))
    args = hosts(Listing((front, inner)), "one", cluster)[1].variables["ansible_ssh_common_args"]
    noted = tmp_path / "noted"
    folder = recorder(tmp_path / "bin", noted)
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "SHELL": "/bin/sh"}
    command = ["/usr/bin/ssh", "-F", "none", *shlex.split(args), address, "true"]
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 255
    called = noted.read_text(encoding="utf-8").splitlines()
    assert called[-3:] == ["-W", target, "debian@198.51.100.4"]
    assert {
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "KnownHostsCommand=/bin/echo %H ssh-ed25519 AAAAfront",
        'IdentityFile="/keys/100%%/a"',
    } < set(called)
    shown = subprocess.run([command[0], "-G", *command[1:]], capture_output=True, text=True, check=True).stdout
    assert "knownhostscommand /bin/echo %H ssh-ed25519 AAAAinner\n" in shown
