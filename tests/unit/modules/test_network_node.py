# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that makes a node part of the network: what it leaves behind when the overlay, or the whole network, ends."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _board, _host, _list
from ansible_collections.sky.clusters.plugins.modules import network_node

OVERLAY = _list.Overlay("10.99.0.0/16", 51820)
INTERFACE_GOES = ("ip", "link", "delete", "sky0")
ENGINE_STOPS = ("systemctl", "--quiet", "disable", "--now", "sky-wireguard.service")
AGENT_RESTARTS = ("systemctl", "restart", "sky-network.service")


class Failed(Exception):
    """In place of the end of the module."""


class Machine:
    """A node with its folders here, whose programs only note how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[tuple[str, ...]] = []
        self.signer = " ".join((folder / "sign.key.pub").read_text().split()[:2])

    def run(self, *words: str, stdin: str = "", check: bool = True) -> str:
        del stdin, check
        self.calls.append(words)
        return ""

    def command(self, words: list[str], **_more: Any) -> tuple[int, str, str]:
        return 0, self.run(*words), ""

    def node(self, **params: Any) -> network_node.Node:
        def fail_json(msg: str) -> None:
            raise Failed(msg)

        module: Any = SimpleNamespace(params={"wait": 1.0} | params, check_mode=False, run_command=self.command, fail_json=fail_json)
        return network_node.Node(module)

    def join(self, overlay: _list.Overlay | None, serial: int) -> bool:
        """Give the node a list, which its agent follows at once; whether anything changed."""
        nodes = _list.NodeList("demo", serial, overlay, 7999, 256, 52000, 12288, (_list.Member("a-0", 1, "a", "192.168.0.5", "key"),))
        data = _list.sign(json.dumps(asdict(nodes) | {"format": 1}), self.folder / "sign.key").plain()
        (self.folder / "state.json").write_text(json.dumps({"serial": serial}))
        self.calls.clear()
        node = self.node(name="a-0", list=data, signer=self.signer)
        node.join()
        return node.changed


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A node that was part of an overlay."""
    for name in ("etc", "data", "units", "package"):
        (tmp_path / name).mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "sign.key")], check=True)
    found = Machine(tmp_path)
    paths = {
        "ETC": "etc", "DATA": "data", "UNITS": "units", "PACKAGE": "package", "KEY": "etc/private.key", "CONFIG": "etc/agent.json",
        "LIST": "data/list.json", "STATE": "state.json", "RESTART": "data/restart",
    }  # fmt: skip
    for name, path in paths.items():
        monkeypatch.setattr(network_node, name, tmp_path / path)
    monkeypatch.setattr(_board, "look", lambda _port: None)
    monkeypatch.setattr(_host, "run", found.run)
    monkeypatch.setattr(_host, "sysctl_file", lambda name: tmp_path / name)
    (tmp_path / "etc/private.key").write_text("secret")
    (tmp_path / "units/sky-wireguard.service").write_text("")
    (tmp_path / "net.ipv4.ip_forward").write_text("0\n")
    _host.sysctl("net.ipv4.ip_forward", "1", tmp_path / "data/sysctls.json")
    found.join(OVERLAY, 5)
    return found


def test_an_overlay_that_ends_leaves_nothing_behind(machine: Machine) -> None:
    assert machine.join(None, 6)
    assert not (machine.folder / "etc/private.key").exists()
    assert not (machine.folder / "units/sky-wireguard.service").exists()
    assert (machine.folder / "net.ipv4.ip_forward").read_text() == "0"
    # while its old agent runs, or the engine does, the interface would be made again
    assert machine.calls.index(ENGINE_STOPS) < machine.calls.index(AGENT_RESTARTS) < machine.calls.index(INTERFACE_GOES)
    assert {words[:2] for words in machine.calls} >= {("ip", "route"), ("nft", "delete")}
    assert not machine.join(None, 6)
    assert INTERFACE_GOES not in machine.calls


def test_an_overlay_that_stays_is_left_alone(machine: Machine) -> None:
    assert not machine.join(OVERLAY, 5)
    assert machine.calls == [("systemctl", "start", "sky-wireguard.service", "sky-network.service")]
    assert (machine.folder / "etc/private.key").exists()


def test_a_network_that_ends_leaves_nothing_behind(machine: Machine) -> None:
    node = machine.node(name="a-0")
    node.leave()
    assert node.changed
    assert {ENGINE_STOPS, INTERFACE_GOES} <= {*machine.calls}
    assert not any(
        (machine.folder / name).exists() for name in ("etc", "data", "package", "units/sky-network.service", "units/sky-wireguard.service")
    )
    assert (machine.folder / "net.ipv4.ip_forward").read_text() == "0"
    again = machine.node(name="a-0")
    again.leave()
    assert not again.changed


def test_a_machine_that_forwarded_before_still_does(machine: Machine) -> None:
    """It may be a router, or run containers."""
    before = machine.folder / "before.json"
    (machine.folder / "net.ipv4.ip_forward").write_text("1\n")
    _host.sysctl("net.ipv4.ip_forward", "1", before)
    _host.restore_sysctls(before)
    assert (machine.folder / "net.ipv4.ip_forward").read_text() == "1\n"


def test_missing_tools_are_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(Failed, match=r"^wireguard-tools are not installed$"):
        machine.node(name="a-0").key()


def test_an_engine_that_ends_again_and_again_is_started_again() -> None:
    for unit in (network_node.ENGINE, network_node.AGENT):
        assert "StartLimitIntervalSec=0" in unit.partition("[Service]")[0]
