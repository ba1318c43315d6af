# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node others are reached through, and by which command."""

from __future__ import annotations

import itertools
import shlex
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Mark, Node, State
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackOptions
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Login
from ansible_collections.sky.clusters.plugins.module_utils._engine._gateway import Gateway, behind, gateway, host_key_options, ssh_options

INSIDE, OUTSIDE = Address("10.0.0.4"), Address("198.51.100.4", public=True)
KEY = "ssh-ed25519 AAAAed"
OPTIONS = OpenStackOptions("debian-12", "small")


def node(index: int, *addresses: Address, pool: str = "p", **more: Any) -> Node:
    known: dict[str, Any] = {"state": State.RUNNING, "addresses": addresses} | more
    mark = Mark("ada", "demo", pool, index)
    return Node(mark.node_name, str(index), mark, **known)


def test_the_first_node_that_can_be_reached_is_the_way() -> None:
    nodes = [
        node(0, INSIDE),
        node(1, INSIDE, OUTSIDE, state=State.STOPPED),
        node(9, OUTSIDE),
        node(2, INSIDE, OUTSIDE, pool="z"),
        node(2, INSIDE, OUTSIDE, pool="b"),
    ]
    for listed in (nodes, nodes[::-1]):
        way = gateway(listed, OPTIONS)
        assert way is not None
        assert (way.node.name, way.user) == ("demo-b-2", "debian")


def test_where_all_nodes_can_be_reached_there_is_none() -> None:
    options = LxcOptions()
    way = gateway([node(0, INSIDE, OUTSIDE), node(1, INSIDE)], options)
    assert way is None
    assert not behind(node(1, INSIDE), way)


@pytest.mark.parametrize("nodes", [[], [node(0, INSIDE)], [node(0, OUTSIDE, state=State.BUILDING)], [node(0)]])
def test_there_may_be_none(nodes: list[Node]) -> None:
    assert gateway(nodes, OPTIONS) is None
    assert not behind(node(1, INSIDE), None)


def test_who_is_behind_it() -> None:
    way = Gateway(node(0, INSIDE, OUTSIDE), "debian")
    assert behind(node(1, INSIDE), way)
    assert behind(node(1), way)
    assert not behind(node(1, INSIDE, OUTSIDE), way)
    assert not behind(way.node, way)


def test_the_command_asks_nobody_and_trusts_the_cloud_s_key_only() -> None:
    command = Gateway(node(0, INSIDE, OUTSIDE, host_keys=("ssh-rsa AAAArsa", KEY)), "debian").command("-v")
    assert command[0] == "ssh"
    assert command[-2:] == ["-v", "debian@198.51.100.4"]
    assert command[1:3] == ["-F", "none"]
    options = [value for flag, value in itertools.pairwise(command) if flag == "-o"]
    assert options == [
        "StrictHostKeyChecking=yes",
        "UserKnownHostsFile=none",
        "GlobalKnownHostsFile=none",
        "HostKeyAlgorithms=ssh-ed25519",
        "KnownHostsCommand=/bin/echo %H ssh-ed25519 AAAAed",
        "BatchMode=yes",
        "ConnectTimeout=10",
    ]


def test_options_are_quoted_as_a_shell_reads_them() -> None:
    options = host_key_options(node(0, host_keys=(f"{KEY} root@demo-p-0",)))
    assert shlex.split(" ".join(options))[-2:] == ["-o", "KnownHostsCommand=/bin/echo %H ssh-ed25519 AAAAed"]


def test_a_key_that_the_cloud_does_not_list_is_kept_under_the_node_s_own_name() -> None:
    """The next node may have the same name and address."""
    old = node(0)
    assert host_key_options(old)[0] == "-o StrictHostKeyChecking=accept-new"
    name, _dot, mine = host_key_options(old)[1].removeprefix("-o HostKeyAlias=").partition(".")
    assert (name, len(mine)) == ("demo-p-0", 16)
    assert host_key_options(old) == host_key_options(replace(old, state=State.STOPPED, addresses=()))
    for new in (replace(old, id="another"), replace(old, created="2026-11-28T12:00:00+00:00")):
        assert host_key_options(new)[1] != host_key_options(old)[1]


def test_a_key_that_is_trusted_on_first_use_never_goes_into_the_user_s_own_file() -> None:
    for folder, file in (("/run/user/1/sky", "/run/user/1/sky/known_hosts"), ("", "~/.ansible/sky_known_hosts")):
        options = ssh_options(node(0), Login(folder=folder))
        assert f"UserKnownHostsFile={file}" in shlex.split(" ".join(options))
        assert "-o GlobalKnownHostsFile=none" in options
