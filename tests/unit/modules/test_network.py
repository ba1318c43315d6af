# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of the network that keep the list of the nodes, and judge what nodes report."""

from __future__ import annotations

import json
import subprocess
import time
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
    found = written(content(A0, A1), {"a-0": "k0"}, leave_out=True)
    assert (found["missing"], found["left_out"]) == ([], ["a-1"])
    assert names(server) == ["a-0"]


def test_a_new_node_of_an_old_name_does_not_inherit_its_key(server: Path) -> None:
    written(content(A0, A1), {"a-0": "k0", "a-1": "k1"})
    assert written(content(A0, node("a-1", 3)))["missing"] == ["a-1"]
    assert names(server) == ["a-0", "a-1"]


def test_ports_that_are_open_to_any_address_from_now_on_are_named_once(server: Path) -> None:
    gate, near = node("a-0", 1) | {"public": "198.51.100.1", "gateway": True}, node("a-1", 2)
    far = node("b-0", 257) | {"cloud": "b", "server": False}
    keys = {"a-0": "k0", "a-1": "k1", "b-0": "k2", "b-1": "k3"}
    given = [content(gate, near), content(gate, near, far), content(gate, near, far), content(gate, near, far, far | {"name": "b-1", "number": 258})]
    assert [written(each, keys)["opened"] for each in given] == [[], ["a-0"], [], []]
    assert written(content(gate, near), keys)["opened"] == []
    (server / "users.json").write_text(json.dumps({"ada": {"key": "ka", "place": 0}}))
    assert written(content(gate, near, users=("ada",)), keys)["opened"] == ["a-0"]


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


def profile_through(gateway: dict[str, Any], key: str) -> dict[str, Any]:
    """What is kept of a profile that leads to a gateway."""
    return {"key": "ka", "place": 0, "gateway_key": key, "endpoint": f"{gateway['public']}:51820", "range": "10.99.0.0/16"}


def test_a_profile_leads_through_the_gateway_that_is_in_it(server: Path) -> None:
    """Whichever gateway is the first one by now: nobody else's profile is changed by that."""
    old, new = node("a-1", 2) | {"public": "198.51.100.2", "gateway": True}, node("a-0", 1) | {"public": "198.51.100.1", "gateway": True}
    keys = {"a-0": "k0", "a-1": "k1"}
    (server / "users.json").write_text(json.dumps({"ada": profile_through(old, "k1"), "bob": {"key": "kb", "place": 1}}))

    def gateways(*nodes: dict[str, Any], **more: Any) -> tuple[dict[str, str], list[str]]:
        people = {"names": ["ada", "bob"], "first": 65281, "gateway": nodes[0]["name"]}
        found = written(content(*nodes) | {"people": people} | more, keys)
        users = json.loads(_list.Envelope.read((server / "list.json").read_text()).text)["users"]
        return {user["name"]: user["gateway"] for user in users}, found["ended"]

    assert gateways(old) == ({"ada": "a-1", "bob": "a-1"}, [])
    assert gateways(new, old) == ({"ada": "a-1", "bob": "a-1"}, [])  # an earlier version did not note it: the one that bob had
    assert gateways(new, old | {"gateway": False}) == ({"ada": "a-1", "bob": "a-1"}, [])
    assert gateways(new) == ({"bob": "a-0"}, ["ada"])
    assert gateways(new) == ({"bob": "a-0"}, [])  # it is said once
    assert gateways(new, old) == ({"ada": "a-1", "bob": "a-0"}, [])  # ada's is back
    keys["a-1"] = "of the node that replaces it"
    assert gateways(new, old) == ({"bob": "a-0"}, ["ada"])
    keys["a-1"] = "k1"
    assert gateways(new, old) == ({"ada": "a-1", "bob": "a-0"}, [])
    assert gateways(new, old | {"public": "198.51.100.9"}) == ({"bob": "a-0"}, ["ada"])
    assert gateways(new, old) == ({"ada": "a-1", "bob": "a-0"}, [])
    assert gateways(new, old, overlay={"range": "10.50.0.0/16", "port": 51820, "inside": "encrypted"}) == ({"bob": "a-0"}, ["ada"])


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
    assert judged(silent=["g-0"]) == ("cut off", True)
    assert judged(unmeasured=["b"]) == ("cut off", True)
    assert judged(unmeasured=[]) == ("whole", True)
    assert judged(at=900.0) == ("silent", False)
    assert judged() == ("silent", False)


def test_the_likely_cause_of_a_peer_s_silence() -> None:
    assert network_state.fault(12, 100, 100) == ""
    assert network_state.fault(None, 0, 0) == ""  # nothing was ever sent
    # bytes are counted only of packets whose key and time are right: test_causes.py
    assert network_state.fault(None, 0, 300) == (
        "no handshake: it is down, UDP is blocked on the way to it, its key is another one, or its clock was set back"
    )
    assert network_state.fault(None, 300, 300) == "its packets arrive, but no answer reaches it: UDP is blocked on the way to it"
    assert network_state.fault(600, 100, 100) == ""  # idle
    assert network_state.fault(60, 100, 100, more=148) == ""
    assert network_state.fault(600, 100, 248, more=148).startswith("no handshake for 600 s, and it does not answer now: it is down, UDP is blocked")
    assert network_state.fault(600, 100, 248, more=148).endswith("its key is another one, or its clock was set back")


def dump(*peers: tuple[str, int, int]) -> str:
    """What ``wg show sky0 dump`` says: keys, ages of handshakes (0 for none) and bytes sent."""
    addresses = {f"k{place}": f"10.99.0.{place + 1}" for place in range(4)}
    rows = [
        f"{key}\t(none)\t192.0.2.1:51820\t{addresses.get(key, '10.99.255.1')}/32\t{int(time.time()) - age if age else 0}\t92\t{sent}\t25"
        for key, age, sent in peers
    ]
    return "\n".join(["private\tpublic\t51820\toff", *rows]) + "\n"


def test_a_tunnel_that_was_cut_is_told_from_one_that_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    users = ({"name": "ada", "number": 65281, "key": "ka", "gateway": "a-0"},)
    members = [node(f"a-{place}", place + 1) | {"key": f"k{place}"} for place in range(4)]
    given = content(*members) | {"format": 1, "serial": 5, "users": list(users)}
    given.pop("people")
    nodes = _list.parse(json.dumps(given))
    looks = [
        dump(("k1", 12, 100), ("k2", 900, 100), ("k3", 900, 100), ("ka", 9000, 100)),
        dump(("k1", 13, 100), ("k2", 1, 248), ("k3", 901, 248), ("ka", 9000, 248)),  # a-2 was idle
    ]
    monkeypatch.setattr(network_state, "run", lambda *_words: looks.pop(0) if len(looks) > 1 else looks[0])
    monkeypatch.setattr(network_state, "PATIENCE", 0.3)
    monkeypatch.setattr(network_state, "POLL", 0.1)
    called: list[str] = []
    monkeypatch.setattr(network_state, "call", lambda places: called.extend(address for address, _port in places))
    before = network_state.tunnels()
    now = network_state.tried(nodes, before)
    found = {peer["name"]: peer["fault"] for peer in network_state.peers(nodes, {"name": "a-0"}, before, now)}
    assert called == ["10.99.0.3", "10.99.0.4"]  # those that were silent, and no person
    assert (found["a-1"], found["a-2"], found["a-3"][:19]) == ("", "", "no handshake for 90")
    (ada,) = network_state.users(nodes, now)
    assert (ada["address"], ada["gateway"], "ada" in found) == ("10.99.255.1", "a-0", False)
    assert 9000 <= ada["handshake"] < 9010


def test_nodes_that_the_interface_has_no_peer_for_are_named() -> None:
    members = [node(f"a-{place}", place + 1) | {"key": f"k{place}"} for place in range(3)]
    far = [node(name, number) | {"key": name, "cloud": name[0]} for name, number in (("b-0", 257), ("c-0", 513))]
    given = content(*members, *far) | {"format": 1, "serial": 5, "users": []}
    given.pop("people")
    nodes = _list.parse(json.dumps(given))
    relay = network_state.Tunnel("192.0.2.1:51820", 12, 100, 100, ("10.99.0.2/32", "10.99.1.1/32"))  # through which b-0 is reached
    found = network_state.peers(nodes, {"name": "a-0", "ways": {"b": "relay a-1", "c": "none"}}, {}, {"k1": relay})
    assert {peer["name"]: peer["fault"] for peer in found} == {"a-1": "", "a-2": "the interface has no peer for it"}


def test_the_agent_is_installed_as_it_is_here() -> None:
    found = network_node.sources()
    folder = Path(_list.__file__).parent
    own = {path.name: path.read_text() for path in folder.glob("*.py") if path.name != "__init__.py"}
    assert {name: text for name, text in found.items() if name != "__init__.py"} == own
