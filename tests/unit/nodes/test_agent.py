# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's decisions: which way leads to each node, what its files and sets hold, and which lists it refuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _host, _list, _paths
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._files import ADDED, Hosts
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._inbox import Inbox
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._known import Known
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._list import Envelope, Member, NodeList, Overlay, Refused, User
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._mtu import MtuFinder
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._paths import Gateways, Peer
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._probe import HEADERS, Pinger, checksum, request, sizes
from ansible_collections.sky.clusters.plugins.modules import network_node


def member(name: str, number: int, **more: Any) -> Member:
    """A node of the cloud that its name begins with; all clouds use the same private addresses."""
    address = f"192.168.0.{number % 256 + 10}"
    return Member(name, number, name[0], address, f"key-{name}", (address,), pool="p", roles=("r_one",), **more)


def public(name: str, number: int, **more: Any) -> Member:
    return member(name, number, public=f"198.51.100.{number % 256}", gateway=True, **more)


def listed(*nodes: Member, **more: Any) -> NodeList:
    known: dict[str, Any] = {"overlay": Overlay("10.99.0.0/16", 51820), "users": (), "names": {}}
    return NodeList("demo", 5, port=7999, block=256, forwarded=52000, forwarded_ports=12288, nodes=nodes, **(known | more))


# a and b have gateways, c and d have no public address
A0, A1, A2 = public("a0", 1), public("a1", 2), member("a2", 3)
B0, B1 = public("b0", 257), member("b1", 258)
C0, D0 = member("c0", 513), member("d0", 769)
ALL = listed(A0, A1, A2, B0, B1, C0, D0)


def ways(me: Member, gateways: Gateways | None = None, nodes: NodeList = ALL) -> dict[str, str]:
    return {other.name: str(_paths.way(nodes, me, other, gateways or Gateways())) for other in nodes.nodes if other is not me}


def dead(*names: str) -> Gateways:
    gateways = Gateways()
    for name in names:
        for _miss in range(_paths.MISSES):
            gateways.seen(name, answered=False)
    return gateways


def test_the_way_to_each_node() -> None:
    assert ways(A2) == {"a0": "direct", "a1": "direct", "b0": "direct", "b1": "gateway b0", "c0": "passive", "d0": "passive"}
    assert ways(C0) == {"a0": "direct", "a1": "direct", "a2": "gateway a0", "b0": "direct", "b1": "gateway b0", "d0": "relay a0"}
    assert ways(C0, dead("a0"))["a2"] == "gateway a1"
    assert ways(C0, dead("a0"))["d0"] == "relay a1"
    assert ways(C0, dead("a0", "a1"))["d0"] == "relay b0"
    assert ways(C0, dead("a0", "a1"))["a2"] == "gateway a0"  # where none answers, the first is tried
    assert ways(C0, nodes=listed(C0, D0)) == {"d0": "none"}


RELAYED = listed(*ALL.nodes, overlay=Overlay("10.99.0.0/16", 51820, between="relayed"))


def test_where_gateways_may_use_one_port_alone_nodes_meet_at_them() -> None:
    """Both sides choose the same gateway: of another one's packets, WireGuard would take no notice."""
    of_a2 = ways(A2, nodes=RELAYED)
    assert of_a2 == {"a0": "direct", "a1": "direct", "b0": "direct", "b1": "relay a0", "c0": "relay a0", "d0": "relay a0"}
    assert ways(A0, nodes=RELAYED) == {"a1": "direct", "a2": "direct", "b0": "direct", "b1": "passive", "c0": "passive", "d0": "passive"}
    assert ways(C0, nodes=RELAYED)["d0"] == "relay a0"
    for gateways in (Gateways(), dead("a0"), dead("a0", "a1"), dead("b0")):
        for one, other in ((A2, B1), (A2, C0), (B1, C0), (C0, D0)):
            assert ways(one, gateways, RELAYED)[other.name] == ways(other, gateways, RELAYED)[one.name]
    assert ways(B1, dead("a0", "a1"), RELAYED)["c0"] == "relay b0"
    assert ways(A2, dead("a0", "a1"), RELAYED)["b1"] == "relay b0"
    assert _paths.forwards(RELAYED, A0) == {}
    for me in RELAYED.nodes:
        found = _paths.peers(RELAYED, me, Gateways()).values()
        allowed = [address for peer in found for address in peer.allowed]
        assert len(allowed) == len(set(allowed)) == len(ALL.nodes) - 1
        assert {peer.endpoint.rpartition(":")[2] for peer in found} <= {"", "51820"}


def test_a_gateway_is_dead_after_three_misses_in_a_row() -> None:
    gateways = Gateways()
    assert [gateways.seen("g", answered) for answered in (False, False, True, False, False, False, False, True)] == [
        False, False, False, False, False, True, False, True,
    ]  # fmt: skip


def test_peers() -> None:
    of_c0 = _paths.peers(ALL, C0, Gateways())
    assert of_c0["key-a2"] == Peer("key-a2", ("10.99.0.3/32",), "198.51.100.1:52003", 25)
    assert of_c0["key-a0"] == Peer("key-a0", ("10.99.0.1/32", "10.99.3.1/32"), "198.51.100.1:51820", 25)  # and what it relays
    assert "key-d0" not in of_c0
    of_a2 = _paths.peers(ALL, A2, Gateways())
    assert of_a2["key-a0"] == Peer("key-a0", ("10.99.0.1/32",), "192.168.0.11:51820", 0)
    assert of_a2["key-c0"] == Peer("key-c0", ("10.99.2.1/32",), "", 0)  # it starts the tunnel
    # an address belongs to one peer
    for me in ALL.nodes:
        allowed = [address for peer in _paths.peers(ALL, me, Gateways()).values() for address in peer.allowed]
        assert len(allowed) == len(set(allowed)) == len(ALL.nodes) - 1


def test_people_outside_come_through_one_gateway() -> None:
    nodes = listed(A0, A2, B1, users=(User("ada", 65281, "key-ada", "a0"),))
    assert _paths.peers(nodes, A0, Gateways())["key-ada"] == Peer("key-ada", ("10.99.255.1/32",))
    assert _paths.peers(nodes, B1, Gateways())["key-a0"].allowed == ("10.99.0.1/32", "10.99.255.1/32")
    assert _paths.sets(nodes, A2)["users"] == ["10.99.255.1"]
    assert _paths.routes(nodes) == {0: "a", 1: "b", 255: ""}


def test_packets_of_people_pass_through_the_gateway_of_their_profile() -> None:
    """Also where others are its cloud's gateways by now."""
    former = member("a3", 4, public="198.51.100.4")
    nodes = listed(A0, former, B1, users=(User("ada", 65281, "key-ada", "a3"),))
    assert [node.name for node in nodes.nodes if _paths.leads_on(nodes, node)] == ["a0", "a3"]
    assert not _paths.leads_on(listed(A0, overlay=None), A0)


def test_gateways_forward_to_the_nodes_of_their_cloud() -> None:
    assert _paths.forwards(ALL, A0) == {52002: "192.168.0.12", 52003: "192.168.0.13"}
    assert _paths.forwards(ALL, A2) == {}
    text = _host.forwarding({52003: "192.168.0.13"}, 51820, {}, ("10.99.0.1", "192.168.0.11"))
    assert "52003 : 192.168.0.13 . 51820" in text
    assert "udp dport 51820 masquerade to :1024-49151" in text
    assert f"ct original zone set udp dport map {{ 52003 : {_host.zone('192.168.0.13')} }}" in text
    assert 0 < _host.zone("192.168.0.13") != _host.zone("192.168.0.40") <= 0xFFFF
    assert "table ip sky_overlay {" not in _host.forwarding({}, 51820, {}, ("10.99.0.3", "192.168.0.13"))


@pytest.mark.parametrize("port", [443, 49151, 49152, 51820, 65535])
def test_what_is_forwarded_never_leaves_from_the_gateways_own_port(port: int) -> None:
    text = _host.forwarding({52003: "192.168.0.13"}, port, {}, ("10.99.0.1", "192.168.0.11"))
    first, last = map(int, text.partition("masquerade to :")[2].partition(";")[0].split("-"))
    assert first < last
    assert not first <= port <= last


def test_the_hosts_file() -> None:
    nodes = listed(A0, A2, B1, names={"web": "a2", "db.example": "192.0.2.9", "old": "demo-gone-0", "alias": "a2"})
    assert _paths.hosts(nodes, B1).splitlines()[1:] == [
        "127.0.0.1 localhost",
        "::1 localhost ip6-localhost ip6-loopback",
        "10.99.1.2 b1",
        "10.99.0.1 a0",
        "10.99.0.3 a2",
        "10.99.0.3 alias web",
        "192.0.2.9 db.example",
    ]


def test_sets_hold_what_a_node_s_traffic_comes_from() -> None:
    found = _paths.sets(ALL, A2)
    assert found["cluster"][:3] == ["10.99.0.1", "192.168.0.11", "10.99.0.2"]
    assert "192.168.0.12" in found["cluster"]
    # of another cloud only the address in the overlay: its private one may be anybody's here
    assert found["node_b1"] == ["10.99.1.2"]
    assert found["role_r_one"] == found["pool_p"] == found["cluster"]
    without = listed(A0, A2, B0, overlay=None)
    assert _paths.sets(without, A2)["node_b0"] == ["192.168.0.11", "198.51.100.1"]


def test_who_may_send_to_the_ports_of_the_overlay() -> None:
    near = ["192.168.0.11", "192.168.0.12", "192.168.0.13"]
    assert _paths.sets(ALL, A2)["underlay"] == near
    assert _paths.sets(ALL, A0)["underlay"] == ["0.0.0.0/0"]  # nodes without an address of their own come from any
    open_only = listed(A0, A1, A2, B0)
    assert _paths.sets(open_only, A0)["underlay"] == [*near, "198.51.100.1"]
    assert _paths.sets(listed(A0, B0, users=(User("ada", 65281, "k", "a0"),)), A0)["underlay"] == ["0.0.0.0/0"]


def test_elements_of_sets() -> None:
    known = _host.known_sets("set cluster_v4 { type ipv4_addr; } # agent\nset admin_v4 { }\n  set node_demo__p__0_v6 { } # agent\n")
    assert known == ["cluster_v4", "node_demo__p__0_v6"]
    assert _host.set_elements({"cluster": ["10.99.0.1", "fd00::1", "10.99.0.1"], "node_demo-p-0": ["fd00::1"]}, known).splitlines() == [
        "flush set inet sky cluster_v4",
        "add element inet sky cluster_v4 { 10.99.0.1 }",
        "flush set inet sky node_demo__p__0_v6",
        "add element inet sky node_demo__p__0_v6 { fd00::1 }",
    ]


def test_echo_requests() -> None:
    packet = request(7, 9, 1400)
    assert len(packet) + 20 == 1400
    assert checksum(packet) == 0
    assert sizes(1420) == [*range(1280, 1420, 16), 1420]


# --- lists ----------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("server", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    return {name: folder / name for name in ("server", "other")}


def text(serial: int = 5, **more: Any) -> str:
    nodes = [asdict(node) for node in ALL.nodes]
    return json.dumps(asdict(ALL) | {"format": 1, "nodes": nodes, "serial": serial} | more)


def signer(key: Path) -> str:
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


def test_a_list_is_read_as_it_was_written(keys: dict[str, Path]) -> None:
    envelope, nodes = _list.accepted(_list.sign(text(), keys["server"]).plain(), signer(keys["server"]), None)
    assert nodes == ALL
    assert _list.parse(envelope.text) == ALL


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (text(serial=4), r"the list is older \(4\) than the one in use \(5\)"),
        (text(cluster="other"), "the list belongs to cluster other, not to demo"),
        (text(format=2), "the list has format 2, this agent reads format 1"),
        ("{}", "the list is damaged"),
    ],
)
def test_a_list_that_is_refused(sent: str, sentence: str, keys: dict[str, Path]) -> None:
    with pytest.raises(Refused, match=sentence):
        _list.accepted(_list.sign(sent, keys["server"]).plain(), signer(keys["server"]), ALL)


def test_a_list_of_somebody_else_is_refused(keys: dict[str, Path]) -> None:
    mine = _list.sign(text(), keys["server"])
    theirs = _list.sign(text(serial=6), keys["other"])
    for data in (theirs.plain(), Envelope(text(serial=7), mine.signature).plain(), Envelope(mine.text, "").plain()):
        with pytest.raises(Refused, match="not signed by the server node"):
            _list.accepted(data, signer(keys["server"]), ALL)
    with pytest.raises(Refused, match="the list is damaged"):
        _list.accepted("nonsense", signer(keys["server"]), ALL)


def known(name: str = "c0", nodes: NodeList = ALL) -> Known:
    return Known(name, nodes, Envelope("", ""))


def test_the_agent_keeps_the_names_that_others_have_added(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    hosts = Hosts(known(), file)
    hosts.write()
    written = file.read_text(encoding="utf-8")
    file.write_text(f"10.0.0.1 lost\n{ADDED}10.0.0.2 alias\n", encoding="utf-8")
    hosts.write()
    assert file.read_text(encoding="utf-8") == f"{written}{ADDED}10.0.0.2 alias\n"


def test_a_newer_list_is_taken_over_and_stored(keys: dict[str, Path], tmp_path: Path) -> None:
    inbox = Inbox(known(), tmp_path / "list.json", signer(keys["server"]))
    assert not inbox.take()
    newer = _list.sign(text(serial=6), keys["server"]).plain()
    inbox.put(_list.sign(text(serial=9), keys["other"]).plain())
    inbox.put(newer)
    inbox.put(_list.sign(text(serial=4), keys["server"]).plain())
    assert inbox.take()
    assert inbox.known.serial() == 6
    assert inbox.file.read_text() == inbox.known.plain() == newer
    assert inbox.refused == "the list is older (4) than the one in use (6)"
    assert not inbox.written_here()
    assert not inbox.take()


def test_a_list_that_a_visit_has_written_is_taken_over(keys: dict[str, Path], tmp_path: Path) -> None:
    inbox = Inbox(known(), tmp_path / "list.json", signer(keys["server"]))
    inbox.file.write_text(_list.sign(text(serial=7), keys["server"]).plain())
    assert inbox.take()
    assert (inbox.known.serial(), inbox.refused) == (7, "")


def test_who_asks_is_known_by_the_address() -> None:
    assert known().owner_of("10.99.0.3") == "a2"
    assert known().owner_of("192.168.0.11") == ""  # in an overlay nobody asks from elsewhere
    assert known(nodes=listed(A0, A2, overlay=None)).owner_of("198.51.100.1") == "a0"


def test_a_node_that_is_not_in_the_list_says_so() -> None:
    with pytest.raises(_host.Failed, match=r"^x9 is not in the list: it is about to leave the cluster$"):
        assert known("x9").me


class Echo:
    """In place of the pinger: notes what is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def send_all(self, address: str, of_sizes: Iterable[int]) -> None:
        self.asked += [(address, size) for size in of_sizes]


def test_the_largest_packet_that_is_answered_is_the_mtu_of_a_cloud() -> None:
    finder, echo = MtuFinder(known("a2", listed(A2, B0, B1))), Echo()
    pinger = cast(Pinger, echo)
    finder.begin(pinger, 1420)
    assert {address for address, _size in echo.asked} == {"10.99.1.2"}  # through the gateway, rather than the gateway itself
    assert not finder.judge(pinger, 1420, {("10.99.1.2", 1280), ("10.99.1.2", 1328), ("10.99.1.1", 1420)})
    assert not finder.judge(pinger, 1420, set())
    assert finder.judge(pinger, 1420, set())
    assert finder.found == {"b": 1328}
    echo.asked.clear()
    finder.begin(pinger, 1420)
    assert echo.asked == []  # until it was found long ago
    finder.doubt()
    finder.begin(pinger, 1420)
    assert echo.asked != []


def test_where_no_packet_is_answered_another_node_of_the_cloud_is_asked() -> None:
    finder, echo = MtuFinder(known("a2", listed(A2, B0, B1))), Echo()
    pinger = cast(Pinger, echo)
    finder.begin(pinger, 1420)
    assert not any(finder.judge(pinger, 1420, set()) for _tick in range(3))
    echo.asked.clear()
    finder.begin(pinger, 1420)
    assert {address for address, _size in echo.asked} == {"10.99.1.1"}
    assert finder.found == {}


def test_a_path_that_is_too_small_is_told_from_nodes_that_are_down() -> None:
    finder, pinger = MtuFinder(known("a2", listed(A2, B0, B1))), cast(Pinger, Echo())

    def search(answered: set[tuple[str, int]]) -> list[str]:
        finder.begin(pinger, 1420)
        for _tick in range(3):
            finder.judge(pinger, 1420, answered)
        return finder.unmeasured

    small = {("10.99.1.1", HEADERS), ("10.99.1.2", HEADERS)}
    assert [search(set()) for _time in range(4)] == [[], [], [], []]
    assert [search(small) for _time in range(3)] == [[], [], ["b"]]
    assert search({("10.99.1.1", 1280), ("10.99.1.2", 1280)}) == []


def test_all_parts_of_the_agent_are_installed() -> None:
    folder = Path(str(_host.__file__)).parent
    assert sorted(network_node.sources()) == sorted(path.name for path in folder.glob("*.py"))


def test_peers_from_before_the_agent_s_start_go_if_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may have left, or been taken away, while it was down. tests/integration/network has it with WireGuard."""
    called: list[tuple[str, ...]] = []

    def run(*words: str, **_more: object) -> str:
        called.append(words)
        return "KEPT\nGONE\n" if words[-1] == "peers" else ""

    monkeypatch.setattr(_host, "run", run)
    monkeypatch.setattr(_host, "index", lambda: 7)
    interface = _host.Interface(Path("key"), kernel=False)
    assert interface.ready(51820, "10.99.0.1")
    called.clear()
    interface.set_peers({"KEPT": Peer("KEPT", ("10.99.0.2/32",))})
    assert [words[3:6] for words in called] == [("peer", "GONE", "remove")]
    called.clear()
    assert not interface.ready(51820, "10.99.0.1")
    interface.set_peers({"KEPT": Peer("KEPT", ("10.99.0.2/32",))})
    assert called == []


def test_a_command_that_hangs_is_a_failure_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_host, "SECONDS", 0.1)
    with pytest.raises(_host.Failed, match=r"^sleep 60: did not end within 0\.1 s$"):
        _host.run("sleep", "60")
