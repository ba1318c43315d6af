# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the local cloud asks its host program for."""

from __future__ import annotations

import ipaddress
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Mark, Node, NodeSpec, Scope, State, VolumeSpec
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcCloud, LxcOptions, _client
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.allocation import Allocation
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.places import Zone


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reads the last request; in the host program's place a process takes it down and says that all is well."""
    file = tmp_path / "request"
    program = f"import pathlib, sys; pathlib.Path({str(file)!r}).write_text(sys.stdin.readline()); print('{{\"value\": null}}')"
    monkeypatch.setattr(_client, "_command", lambda: [sys.executable, "-c", program])
    return lambda: json.loads(file.read_text())


def test_the_mark_is_part_of_the_call_that_creates(tmp_path: Path, asked: Any) -> None:
    cloud = LxcCloud("here", LxcOptions(zone="lab", path=str(tmp_path)), Scope("a", "ada"))
    spec = NodeSpec(Mark("ada", "a", "p", 0), "debian-12", "small", volumes=(VolumeSpec("a-p-0-data", 5),), ssh_keys=("ssh-ed25519 AAAA",))
    assert list(cloud.create([spec])) == []
    assert asked()["do"] == "create"
    (order,) = asked()["nodes"]
    assert (order["name"], order["mark"]) == ("a-p-0", "sky/1 ada a p 0")
    assert (order["volumes"], order["keys"]) == ([{"name": "a-p-0-data", "size": 5, "type": ""}], ["ssh-ed25519 AAAA"])


def answers(value: list[str]) -> list[str]:
    """A host program that gives this answer."""
    return [sys.executable, "-c", f"import sys; sys.stdin.readline(); print({json.dumps({'value': value})!r})"]


def test_a_plan_names_the_network_of_the_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = LxcCloud("here", LxcOptions(zone="lab", path=str(tmp_path)), Scope("a", "ada"))
    spec = NodeSpec(Mark("ada", "a", "p", 0), "debian-12", "small")
    monkeypatch.setattr(_client, "_command", lambda: answers(["bridge sky-lab", "table sky_lab", "setting net.ipv4.ip_forward"]))
    assert cloud.shared_missing([spec]) == ["bridge sky-lab", "table sky_lab"]
    assert cloud.shared_missing([]) == []
    held = ["node a-p-0", "volume a-p-0-data", "loop device /dev/loop1 x", "mount /x", "bridge sky-lab", "table sky_lab", "file /x/zone.json"]
    monkeypatch.setattr(_client, "_command", lambda: answers(held))
    assert cloud.shared_existing() == ["bridge sky-lab", "table sky_lab"]


def test_the_address_of_a_new_node_is_known_before_it_is_made(tmp_path: Path) -> None:
    """The same as the host program gives it, whoever else has one then."""
    cloud = LxcCloud("here", LxcOptions(zone="lab", path=str(tmp_path), network="10.77.0.0/29"), Scope("a", "ada"))
    zone = Zone("lab", tmp_path, ipaddress.IPv4Network("10.77.0.0/29"))
    specs = [NodeSpec(Mark("ada", "a", "p", index), "debian-12", "small", public_ip=index == 1) for index in range(3)]
    given = Allocation(zone)
    addresses = {spec.name: given.address(spec.name) for spec in specs}
    told = cloud.addresses_of(specs)
    assert {name: found[0].address for name, found in told.items()} == addresses
    assert [[each.public for each in told[spec.name]] for spec in specs] == [[False], [False, True], [False]]

    folder = zone.nodes / "somebody-p-0"
    folder.mkdir(parents=True)
    (folder / "config").write_text(f"lxc.net.0.ipv4.address = {addresses['a-p-0']}/29\n", encoding="utf-8")
    assert cloud.addresses_of(specs[:1])["a-p-0"][0].address == Allocation(zone).address("a-p-0") != addresses["a-p-0"]
    replaced = Node("a-p-0", "id", specs[0].mark, State.RUNNING, told["a-p-0"])
    assert cloud.addresses_of(specs[:1], [replaced])["a-p-0"] == told["a-p-0"]  # it gets it back
