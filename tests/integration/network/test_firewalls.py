# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewalls of nodes on isolated clouds: members reach each other through them, and nobody else does."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support import scan
from ansible_collections.sky.clusters.tests.support.isolated_clouds import Lab, LabNode, lab, until

pytestmark = [pytest.mark.real, pytest.mark.chained]

SERVE = "import http.server, sys; http.server.ThreadingHTTPServer(('', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()"
# The second rule is for the neighbour, who is no member; the third blocks members
ANYBODY = {"action": "allow", "direction": "in", "protocol": "tcp", "ports": ["8001"], "any": True, "cidrs": [], "sets": []}
NEIGHBOUR = ANYBODY | {"ports": ["8002-8003"], "any": False, "cidrs": ["192.168.0.99/32"]}
BLOCKED = ANYBODY | {"action": "block", "ports": ["8004"], "any": False, "sets": ["cluster"]}
PORTS = (22, 8001, 8002, 8004, 8005)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("firewalls"), {"a": (1, 2), "b": (1, 1), "c": (0, 1)}, "skyf") as made:
        made.start_all()
        until(lambda: all(node.state().get("serial") == made.serial for node in made.nodes), 60, "all follow the list")
        made.load_firewalls([ANYBODY, NEIGHBOUR, BLOCKED])
        yield made


@pytest.fixture(scope="module")
def neighbour(site: Lab) -> LabNode:
    """A machine in cloud a that is not in the list."""
    members = list(site.clouds["a"].nodes)
    found = site.clouds["a"].add("stranger", 0, 99, public=False)
    site.clouds["a"].nodes.remove(found)
    assert site.clouds["a"].nodes == members
    return found


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
