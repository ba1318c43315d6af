# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of the network that keep the list of the nodes, and judge what nodes report."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _list
from ansible_collections.sky.clusters.plugins.modules import network_info, network_list, network_node, network_profile, network_state


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a node that serves the list."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "sign.key")], check=True)
    for name, path in {"SIGN_KEY": "sign.key", "LIST": "list.json", "USERS": "users.json"}.items():
        monkeypatch.setattr(network_list, name, tmp_path / path)
    monkeypatch.setattr(network_list, "look", lambda _port: None)
    return tmp_path


def node(name: str, number: int) -> dict[str, Any]:
    return {
        "name": name, "number": number, "cloud": "a", "address": "192.168.0.5", "addresses": ["192.168.0.5"], "public": "", "pool": "p",
        "roles": [], "gateway": False, "server": number == 1,
    }  # fmt: skip


def content(*nodes: dict[str, Any], users: tuple[str, ...] = ()) -> dict[str, Any]:
    overlay = {"range": "10.99.0.0/16", "port": 51820, "inside": "encrypted"}
    return {
        "cluster": "demo", "overlay": overlay, "port": 7999, "block": 256, "forwarded": 52000, "forwarded_ports": 12288, "names": {},
        "nodes": [dict(each) for each in nodes], "people": {"names": list(users), "first": 65281, "gateway": "a-0"},
    }  # fmt: skip


def written(given: dict[str, Any], keys: dict[str, str] | None = None, *, leave_out: bool = False, check_mode: bool = False) -> dict[str, Any]:
    module: Any = SimpleNamespace(params={"content": given, "keys": keys or {}, "leave_out": leave_out}, check_mode=check_mode)
    return network_list.written(module)


def names(server: Path) -> list[str]:
    nodes = json.loads(_list.Envelope.read((server / "list.json").read_text()).text)["nodes"]
    return [each["name"] for each in nodes]


A0, A1 = node("a-0", 1), node("a-1", 2)


def test_keys_are_remembered_and_an_unchanged_list_stays(server: Path) -> None:
    first = written(content(A0, A1), {"a-0": "k0", "a-1": "k1"})
    assert first["changed"]
    again = written(content(A0, A1))
    assert (again["changed"], again["serial"], again["list"]) == (False, first["serial"], first["list"])
    envelope, nodes = _list.accepted(first["list"], first["signer"], None)
    assert [each.key for each in nodes.nodes] == ["k0", "k1"]
    assert envelope.plain() == (server / "list.json").read_text()


def test_nodes_without_a_key_are_named_or_left_out(server: Path) -> None:
    assert written(content(A0, A1), {"a-0": "k0"})["missing"] == ["a-1"]
    assert not (server / "list.json").exists()
    assert written(content(A0, A1), {"a-0": "k0"}, leave_out=True)["missing"] == []
    assert names(server) == ["a-0"]


def test_a_new_node_of_an_old_name_does_not_inherit_its_key(server: Path) -> None:
    written(content(A0, A1), {"a-0": "k0", "a-1": "k1"})
    assert written(content(A0, node("a-1", 3)))["missing"] == ["a-1"]
    assert names(server) == ["a-0", "a-1"]


@pytest.mark.usefixtures("server")
def test_serial_numbers_grow() -> None:
    serials = [written(content(A0, *more), {"a-0": "k0", "a-1": "k1"})["serial"] for more in ((), (A1,), (), (A1,))]
    assert serials == sorted(set(serials))


def test_check_mode_writes_nothing(server: Path) -> None:
    assert written(content(A0), {"a-0": "k0"}, check_mode=True)["changed"]
    assert not (server / "list.json").exists()


def test_profiles_of_people_whose_names_are_taken_away_end(server: Path) -> None:
    (server / "users.json").write_text(json.dumps({"ada": {"key": "ka", "place": 0}, "bob": {"key": "kb", "place": 1}}))
    written(content(A0, users=("ada", "bob", "eve")), {"a-0": "k0"})
    users = json.loads(_list.Envelope.read((server / "list.json").read_text()).text)["users"]
    assert [(user["name"], user["number"]) for user in users] == [("ada", 65281), ("bob", 65282)]  # eve has no profile
    written(content(A0, users=("bob",)))
    assert json.loads((server / "users.json").read_text()) == {"bob": {"key": "kb", "place": 1}}


def test_a_user_keeps_the_place_and_a_new_one_gets_the_lowest() -> None:
    users = {"ada": {"place": 0}, "bob": {"place": 2}}
    assert [network_profile.place(users, name) for name in ("bob", "eve")] == [2, 1]
    assert network_profile.place({}, "ada") == 0


def judged(**seen: Any) -> tuple[str, bool]:
    nodes = _list.NodeList("demo", 5, None, 7999, 256, 52000, 12288, (_list.Member("a-0", 1, "a", "192.168.0.5"),))
    report = {"at": 1000.0, "serial": 5, "fault": "", "silent": []} | seen if seen else {}
    found = network_info.member(nodes.nodes[0], nodes, report, 1002.0)
    return found["state"], found["at_work"]


def test_a_node_is_judged_by_its_last_report() -> None:
    assert judged(serial=5) == ("whole", True)
    assert judged(serial=4) == ("behind", True)
    assert judged(fault="there is no interface") == ("faulty", True)
    assert judged(silent=["g-0"]) == ("faulty", True)
    assert judged(at=900.0) == ("silent", False)
    assert judged() == ("silent", False)


def test_the_likely_cause_of_a_peer_s_silence() -> None:
    assert network_state.fault(12, 100, 100) == ""
    assert network_state.fault(None, 0, 0) == ""  # nothing was ever sent
    assert "UDP is blocked" in network_state.fault(None, 0, 300)
    assert "keys differ" in network_state.fault(None, 300, 300)


def test_the_agent_is_installed_as_it_is_here() -> None:
    found = network_node.sources()
    folder = Path(_list.__file__).parent
    own = {path.name: path.read_text() for path in folder.glob("*.py") if path.name != "__init__.py"}
    assert {name: text for name, text in found.items() if name != "__init__.py"} == own
