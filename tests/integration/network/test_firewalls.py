# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewalls of nodes on isolated clouds: members reach each other through them, and nobody else does."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support import scan
from ansible_collections.sky.clusters.tests.support.isolated_clouds import Lab, LabNode, lab, run, until

pytestmark = [pytest.mark.real, pytest.mark.chained]

SERVE = "import http.server, sys; http.server.ThreadingHTTPServer(('', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()"
SERVE6 = "import socket, sys; s = socket.create_server(('::', int(sys.argv[1])), family=socket.AF_INET6)\nwhile True: s.accept()[0].close()"
# The second rule is for the neighbour, who is no member; the third blocks members
ANYBODY = {"action": "allow", "direction": "in", "protocol": "tcp", "ports": ["8001"], "any": True, "cidrs": [], "sets": []}
NEIGHBOUR = ANYBODY | {"ports": ["8002-8003"], "any": False, "cidrs": ["192.168.0.99/32"]}
BLOCKED = ANYBODY | {"action": "block", "ports": ["8004"], "any": False, "sets": ["cluster"]}
PORTS = (22, 8001, 8002, 8004, 8005)
CUT = 60  # s


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("firewalls"), {"a": (1, 2), "b": (1, 1), "c": (0, 1)}, "skyf") as made:
        made.start_all()
        until(lambda: all(node.state().get("serial") == made.serial for node in made.nodes), 60, "all follow the list")
        made.load_firewalls([ANYBODY, NEIGHBOUR, BLOCKED])
        yield made


@pytest.fixture(scope="module")
def neighbour(site: Lab) -> Iterator[LabNode]:
    """A machine in cloud a that is not in the list."""
    members = list(site.clouds["a"].nodes)
    found = site.clouds["a"].add("stranger", 0, 99, public=False)
    site.clouds["a"].nodes.remove(found)
    assert site.clouds["a"].nodes == members
    yield found
    for name in list(found.processes):
        found.stop(name)


def connects(one: LabNode, address: str, port: int) -> bool:
    script = f"import socket; socket.create_connection(('{address}', {port}), 2)"
    words = ["ip", "netns", "exec", one.space, "python3", "-c", script]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def all_reach(pairs: list[tuple[LabNode, LabNode]]) -> None:
    """At the latest after a minute; who does not is named with the ways that it knows."""
    end = time.monotonic() + 60
    while silent := [pair for pair in pairs if not pair[0].pings(pair[1].overlay)]:
        assert time.monotonic() < end, [(one.name, other.name, one.state().get("ways"), one.inside("wg", "show", "sky0")) for one, other in silent]


def test_members_reach_each_other_through_their_firewalls(site: Lab) -> None:
    for node in site.nodes:
        for port in PORTS:
            node.start(f"http{port}", ["python3", "-c", SERVE, str(port)])
    pairs = [(one, other) for one in site.nodes for other in site.nodes if one is not other]
    all_reach(pairs)
    time.sleep(1)
    refused = [(one.name, other.name) for one, other in pairs if not connects(one, other.overlay, 8005)]
    assert refused == []
    assert not connects(site.node("a1"), site.node("b1").overlay, 8004)  # a rule of the file
    assert connects(site.node("a1"), site.node("a2").private, 8005)  # members are so by their private addresses too


def test_others_in_the_same_cloud_reach_what_the_file_allows_and_nothing_else(site: Lab, neighbour: LabNode) -> None:
    target = site.node("a2")
    assert [port for port in PORTS if connects(neighbour, target.private, port)] == [8001, 8002]
    said = neighbour("python3", scan.__file__, target.private)
    assert json.loads(said) == {target.private: [8001, 8002]}


def test_addresses_of_members_do_not_help_outside_of_the_overlay(site: Lab, neighbour: LabNode) -> None:
    """Port security would drop it as well: without it the firewall alone does."""
    target, member = site.node("a2"), site.node("b1")
    neighbour.cloud.guard()  # without rules for the neighbour, who is not among the nodes of its cloud
    neighbour("ip", "address", "add", f"{member.overlay}/32", "dev", "lo")
    script = f"import socket; s = socket.socket(2, 2); s.bind(('{member.overlay}', 0)); s.sendto(b'x', ('{target.private}', 8005))"
    neighbour("python3", "-c", script)
    counted = target("nft", "list", "counter", "inet", "sky", "spoofed")
    assert int(re.findall(r"packets (\d+)", counted)[0]) >= 1


def echoes(one: LabNode, other: str) -> bool:
    return " 0% packet loss" in one("ping", "-q", "-c1", "-W2", other, check=False)


def test_ipv6_is_filtered_as_ipv4_is(site: Lab, neighbour: LabNode) -> None:
    """Neighbors find each other; what the file allows is let in, and nothing else."""
    target = site.node("a2")
    for node, host in ((target, 13), (neighbour, 99)):
        node("ip", "address", "add", f"fd00:5::{host}/64", "dev", "eth0", "nodad")
    target.start("http6", ["python3", "-c", SERVE6, "8001"])
    target.start("http6-closed", ["python3", "-c", SERVE6, "8005"])
    until(lambda: connects(neighbour, "fd00:5::13", 8001), 10, "a port that the file opens")
    assert echoes(neighbour, "fd00:5::13")
    assert not connects(neighbour, "fd00:5::13", 8005)


ALL = {"ports": [], "any": True, "action": "block"}
BLOCKS = [
    ANYBODY | ALL | {"direction": "out"},
    ANYBODY | ALL | {"direction": "out", "protocol": "any"},
    ANYBODY | ALL | {"protocol": "icmp"},
    ANYBODY | ALL | {"ports": ["1024-65535"]},
    ANYBODY | ALL | {"protocol": "udp", "ports": ["1-51819", "51821-65535"]},
]


def test_blocks_leave_answers_and_what_the_cluster_is_made_with(site: Lab, neighbour: LabNode) -> None:
    """What the neighbor begins is blocked; ssh, the agents, the tunnels and what nodes began are not."""
    one, other, far = site.node("a2"), site.node("a0"), site.node("b1")
    neighbour.start("http8006", ["python3", "-c", SERVE, "8006"])
    address = neighbour.private
    until(lambda: connects(one, address, 8006), 10, "before")
    site.load_firewalls(BLOCKS, [one], admin=[f"{address}/32"])  # it is the controller's, so to say
    until(lambda: one("nft", "list", "set", "inet", "sky", "cluster_v4").count("10.99") > 0, 10, "the agent has filled the sets")
    assert connects(neighbour, one.private, 22)
    assert connects(one, "127.0.0.1", 8001)
    assert not connects(neighbour, one.private, 8001)
    assert not echoes(neighbour, one.private)
    assert not echoes(neighbour, "fd00:5::13")
    assert not connects(one, address, 8006)
    before = site.serial
    site.publish()
    until(lambda: all(node.state()["serial"] == site.serial > before for node in (one, other, far)), 20, "the agents follow")
    time.sleep(3)  # a gateway that does not answer would count as dead by now
    assert (one.state()["silent"], other.state()["silent"], far.state()["silent"]) == ([], [], [])
    assert far.pings(one.overlay)
    assert one.pings(far.overlay)
    site.load_firewalls([ANYBODY | ALL | {"ports": ["1024-65535"]}], [one])
    assert connects(one, address, 8006)


def test_a_partition_of_a_minute_heals(site: Lab, figure: Callable[[str], None]) -> None:
    """Longer than connection tracking remembers an unanswered packet. The cloud without a public address hears of what the others did meanwhile."""
    one, other = site.node("c0"), site.node("a2")
    assert one.pings(other.overlay)
    run("ip", "-n", site.internet, "link", "set", "cc", "down")
    began = time.monotonic()
    try:
        site.publish()
        until(lambda: other.state()["serial"] == site.serial, 20, "the others follow")
        assert not one.pings(other.overlay)
        time.sleep(max(0.0, CUT - (time.monotonic() - began)))
        assert one.state()["serial"] < site.serial
    finally:
        run("ip", "-n", site.internet, "link", "set", "cc", "up")
    took = until(lambda: one.pings(other.overlay) and other.pings(one.overlay), 60, "both ways are back")
    until(lambda: one.state()["serial"] == site.serial and not one.state()["silent"], 30, "it follows, and all gateways answer it")
    figure(f"31 a cloud cut off for {CUT} s, behind firewalls: reached again {took:.1f} s after the link was back, and follows the newest list")


def test_a_node_that_leaves_is_out_of_the_sets(site: Lab) -> None:
    gone, others = site.node("a1"), [node for node in site.nodes if node.name != "a1"]
    site.publish(without=("a1",))
    until(lambda: all(node.state()["serial"] == site.serial for node in others if node is not site.server), 20, "the others follow")
    near = site.node("a2")
    until(lambda: gone.private not in near("nft", "list", "set", "inet", "sky", "cluster_v4"), 10, "it is out of the set")
    assert not connects(gone, near.private, 8005)


def test_rules_are_the_same_after_another_load(site: Lab) -> None:
    def rules(node: LabNode) -> str:
        return re.sub(r"packets \d+ bytes \d+", "", node("nft", "list", "table", "inet", "sky"))

    node = site.node("c0")
    before = rules(node)
    node("nft", "-f", str(node.folder / "firewall.nft"))
    Path(node.folder / "firewall.nft").touch()
    until(lambda: rules(node) == before, 10, "the agent has filled the sets again")
