# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agents of nodes on four isolated clouds, two of them without any public address: every pair reaches each other, whatever fails."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support.isolated_clouds import Lab, LabNode, lab, run, until

pytestmark = [pytest.mark.real, pytest.mark.chained]

CLOUDS = {"a": (2, 2), "b": (2, 1), "c": (0, 1), "d": (0, 1)}

RECEIVE = """
import socket, sys, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((sys.argv[1], 6001)); s.listen(1)
c, _ = s.accept(); last = None; worst = 0; n = 0
while True:
    d = c.recv(65536); now = time.time()
    if not d: break
    n += len(d); worst = max(worst, now - last if last else 0); last = now
print(worst, n)
"""
SEND = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], 6001)); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
end = time.time() + float(sys.argv[2]); n = 0
while time.time() < end:
    s.sendall(b'x' * 1200); n += 1200; time.sleep(0.01)
s.close(); print(n)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("lab"), CLOUDS) as made:
        made.start_all()
        yield made


def follows(node: LabNode) -> bool:
    return bool(node.state().get("serial") == node.cloud.lab.serial)


def stream(one: LabNode, other: LabNode, seconds: float, act: Callable[[], object]) -> tuple[float, bool]:
    """A TCP stream during which something happens: the longest silence that the receiver saw, and whether every byte arrived."""
    receiver = subprocess.Popen(["ip", "netns", "exec", other.space, "python3", "-c", RECEIVE, other.overlay], stdout=subprocess.PIPE, text=True)
    time.sleep(0.7)
    sender = subprocess.Popen(
        ["ip", "netns", "exec", one.space, "python3", "-c", SEND, other.overlay, str(seconds)], stdout=subprocess.PIPE, text=True
    )
    time.sleep(3)
    act()
    try:
        sent = sender.communicate(timeout=seconds + 60)[0]
        worst, received = receiver.communicate(timeout=30)[0].split()
    finally:
        sender.kill()
        receiver.kill()
    return float(worst), sent.strip() == received


def test_every_pair_reaches_each_other(site: Lab, figure: Callable[[str], None]) -> None:
    for node in site.nodes:
        until(partial(follows, node), 60, f"{node.name} follows the list: {node.log()[-500:]}")
    pairs = [(one, other) for one in site.nodes for other in site.nodes if one is not other]
    took = until(lambda: all(site.node("a0").pings(node.overlay) for node in site.nodes if node.name != "a0"), 40, "a0 reaches all")
    lost = [f"{one.name} to {other.name}" for one, other in pairs if not one.pings(other.overlay) and not one.pings(other.overlay, count=2)]
    assert lost == []
    assert {cloud.name: cloud.dropped() for cloud in site.clouds.values()} == dict.fromkeys(CLOUDS, 0)
    # A gateway that was not up at once is passed over until it answers
    until(lambda: site.node("c0").state()["ways"]["d"] == "relay a0", 20, f"the first gateway is the relay: {site.node('c0').state()['ways']}")
    figure(f"4 clouds with the same network, 2 without public address, symmetric NAT: {len(pairs)} of {len(pairs)} pairs, {took:.0f} s to be up")


def test_names_lead_forward_and_back(site: Lab) -> None:
    hosts = (site.node("d0").folder / "hosts").read_text().splitlines()
    assert f"{site.node('b2').overlay} b2" in hosts
    address = site.node("a2").overlay
    assert [line for line in hosts if line.startswith(f"{address} ")] == [f"{address} a2", f"{address} service.lab"]
    assert hosts[3].split() == [site.node("d0").overlay, "d0"]


def on_the_way(one: LabNode, other: LabNode) -> LabNode:
    """The gateway that forwards what one node sends to another."""
    lines = one.inside("wg", "show", "sky0", "endpoints").splitlines()
    (endpoint,) = [line.split()[1].split(":")[0] for line in lines if line.startswith(one.cloud.lab.keys[other.name])]
    cloud = one.cloud if endpoint.startswith("192.168.") else other.cloud
    return next(node for node in cloud.nodes if endpoint in (node.public, node.private))


def test_another_gateway_takes_over(site: Lab, figure: Callable[[str], None]) -> None:
    one, other = site.node("a3"), site.node("b2")
    assert one.pings(other.overlay)
    worst, whole = stream(one, other, 14, lambda: on_the_way(one, other).die())
    assert whole
    assert 0.5 < worst < 4.5
    figure(f"a gateway killed in a stream between two clouds: silent for {worst:.2f} s, every byte arrived")
    until(lambda: site.node("c0").pings(other.overlay), 20, "c0 still has a way")


def test_a_relay_is_replaced(site: Lab, figure: Callable[[str], None]) -> None:
    one, other = site.node("c0"), site.node("d0")
    until(lambda: one.pings(other.overlay), 10, "c0 reaches d0")
    relay = site.node(one.state()["ways"]["d"].removeprefix("relay "))
    run("ip", "-n", relay.cloud.switch, "link", "set", f"p{relay.host}", "down")
    took = until(lambda: one.pings(other.overlay), 20, "c0 reaches d0 through another relay")
    assert one.state()["ways"]["d"] not in ("none", f"relay {relay.name}")
    run("ip", "-n", relay.cloud.switch, "link", "set", f"p{relay.host}", "up")
    until(lambda: one.state()["ways"]["d"] == f"relay {relay.name}", 30, "the first relay is used again")
    until(lambda: one.pings(other.overlay), 10, "c0 reaches d0 again")
    figure(f"the relay of two clouds without public address cut off: back after {took:.1f} s")


def test_a_killed_engine_comes_back(site: Lab) -> None:
    node, other = site.node("a3"), site.node("c0")
    node.stop("engine")
    (node.folder / "run/wireguard/sky0.sock").unlink(missing_ok=True)  # its unit does so before each start
    node.start_engine()
    until(lambda: other.pings(node.overlay), 20, "c0 reaches a3 again")


def test_the_largest_packet_is_found_through_a_path_without_icmp(site: Lab, figure: Callable[[str], None]) -> None:
    node = site.node("a3")
    until(lambda: node.state()["mtu"].get("d") == 1420, 30, "the MTU of an ordinary path is found")
    far = site.clouds["d"]
    run("ip", "-n", far.router, "link", "set", "out0", "mtu", "1400")
    run("ip", "-n", site.internet, "link", "set", "cd", "mtu", "1400")
    hole = "table inet hole { chain o { type filter hook output priority 0; icmp type destination-unreachable drop; }; }"
    for space in (site.internet, *(cloud.router for cloud in site.clouds.values())):
        run("ip", "netns", "exec", space, "nft", "-f", "-", stdin=hole)
    node.stop("agent")
    node.start_agent()  # a new agent looks at once, one that runs every minute
    took = until(lambda: node.state().get("mtu", {}).get("d") == 1328, 30, f"the MTU of the path is found: {node.state()}")
    figure(f"a path of 1400 bytes without ICMP: 1328 bytes fit, found {took:.1f} s after the agent's start, set on the route")
    assert "mtu 1328" in node("ip", "route", "show", "10.99.3.0/24")
    until(lambda: node.state()["mtu"].get("b") == 1420, 20, "the MTU of the other paths stays")
    run("ip", "-n", site.internet, "link", "set", "cd", "mtu", "1500")
    run("ip", "-n", far.router, "link", "set", "out0", "mtu", "1500")
    for space in (site.internet, *(cloud.router for cloud in site.clouds.values())):
        run("ip", "netns", "exec", space, "nft", "delete", "table", "inet", "hole")


def test_a_link_that_is_cut_heals(site: Lab, figure: Callable[[str], None]) -> None:
    one, other = site.node("c0"), site.node("a3")

    def cut() -> None:
        run("ip", "-n", site.internet, "link", "set", "cc", "down")
        time.sleep(10)
        run("ip", "-n", site.internet, "link", "set", "cc", "up")

    worst, whole = stream(one, other, 12, cut)
    assert whole
    figure(f"a cloud's link cut for 10 s in a stream: silent for {worst:.1f} s, every byte arrived")


def test_a_long_way_with_losses_cuts_nothing_off(site: Lab, figure: Callable[[str], None]) -> None:
    """The agents take no gateway for dead that answers late, and most of the time."""
    once = 'oifname != "later0" numgen random mod 100 < 5 counter drop'
    rules = f"table inet loss {{ chain f {{ type filter hook forward priority -10; {once}; }}; }}"
    run("ip", "netns", "exec", site.internet, "nft", "-f", "-", stdin=rules)
    one, other = site.node("c0"), site.node("b2")
    with site.far("c", 0.1):
        said = one("ping", "-q", "-c5", "-i0.3", "-W3", other.overlay, check=False)
        worst, whole = stream(one, other, 15, lambda: None)
    latency = float(said.split(" = ")[1].split("/")[1])
    dropped = run("ip", "netns", "exec", site.internet, "nft", "list", "table", "inet", "loss").split("packets ")[1].split()[0]
    run("ip", "netns", "exec", site.internet, "nft", "delete", "table", "inet", "loss")
    assert whole
    assert worst < 6
    assert latency > 195
    lost = f"5 % of the packets between the clouds lost ({dropped} of them)"
    figure(f"31 a way of {latency:.0f} ms there and back, {lost} in a stream: silent for at most {worst:.2f} s, every byte arrived")


def all_follow(site: Lab, nodes: list[LabNode]) -> None:
    began = time.monotonic()
    while late := [node for node in nodes if node.state().get("serial") != site.serial]:
        said = [f"{node.name}: {node.state()} {node.log()[-500:]}" for node in late]
        assert time.monotonic() - began < 20, f"no list {site.serial} within 20 s: {said}"
        time.sleep(0.1)


def test_a_node_that_leaves_the_list_has_no_access(site: Lab, figure: Callable[[str], None]) -> None:
    gone, others = site.node("a3"), [site.node(name) for name in ("c0", "d0", "a2")]
    assert all(node.pings(gone.overlay, count=2) for node in others)
    key = site.keys["a3"]
    site.publish(without=("a3",))
    took = until(lambda: all(node.state()["serial"] == site.serial for node in others), 20, "the others follow the new list")
    living = [node for node in site.nodes if node.processes and node is not gone]
    all_follow(site, living)
    assert [node.name for node in living if key in node.inside("wg", "show", "sky0", "peers")] == []
    assert not any(gone.pings(node.overlay) for node in others)
    assert all(" a3" not in (node.folder / "hosts").read_text() for node in living)
    figure(f"a node removed from the list: unknown to the {len(living)} others after {took:.1f} s")
    site.publish()
    until(lambda: all(node.pings(gone.overlay) for node in others), 30, "it is back")


def test_a_node_that_leaves_while_an_agent_is_down_is_no_peer_once_it_is_back(site: Lab) -> None:
    """Its interface keeps the peers that it had."""
    node, key = site.node("c0"), site.keys["a3"]
    assert key in node.inside("wg", "show", "sky0", "peers")
    node.stop("agent")
    site.publish(without=("a3",))
    node.start_agent()
    until(lambda: node.state()["serial"] == site.serial, 20, "the agent follows the new list")
    assert key not in node.inside("wg", "show", "sky0", "peers")
    site.publish()
    until(lambda: node.pings(site.node("a3").overlay), 30, "it is back")


def test_a_list_that_is_not_signed_by_the_server_node_is_refused(site: Lab) -> None:
    node = site.node("c0")
    before = node.state()["serial"]
    data = (node.folder / "list.json").read_text().replace("c0", "x0")
    (node.folder / "list.json").write_text(data)
    node("python3", "-c", "import socket; socket.socket(2, 2).sendto(b'look', ('127.0.0.1', 7999))")
    until(lambda: "not signed" in node.state()["fault"], 10, "the agent says so")
    assert node.state()["serial"] == before
    assert node.pings(site.node("a3").overlay)


def test_what_the_agent_costs(site: Lab, figure: Callable[[str], None]) -> None:
    node = site.node("d0")
    pid = node.processes["agent"].pid

    def spent() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before, began = spent(), time.monotonic()
    time.sleep(10)
    used = (spent() - before) / (time.monotonic() - began) * 1000
    memory = int(next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
    figure(f"an agent: {memory:.0f} MB, {used:.1f} ms of processor a second")
    assert memory < 40
    assert used < 30
