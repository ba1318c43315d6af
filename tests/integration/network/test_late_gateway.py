# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that learns last of a new node, or of a node's new address: packets that came before must not decide where later ones go.

The sender's cloud has no public address, so that no other way hides what the gateway does.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support.isolated_clouds import PRIVATE, Lab, LabNode, lab, run, until

pytestmark = [pytest.mark.real, pytest.mark.chained]

LATE = "b2"


@pytest.fixture(scope="module", params=[True, False], ids=["firewall", "no firewall"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A cloud with a gateway, and one without; a node is there that the list does not name yet."""
    with lab(tmp_path_factory.mktemp("late"), {"b": (1, 2), "c": (0, 1)}, prefix="skyg") as made:
        made.make_keys()
        os.environ["PYTHONPATH"] = str(made.folder / "lib")
        data = made.sign((LATE,))
        for node in made.nodes:
            if node.name != LATE:
                made.start(node, data)
        if request.param:
            made.load_firewalls([])
        until(lambda: made.node("c0").pings(made.node("b1").overlay), 60, "c0 reaches b1")
        yield made


def follow(site: Lab, node: LabNode, data: str) -> None:
    """Give a node a list and wait until it follows it."""
    (node.folder / "list.json").write_text(data)
    until(lambda: node.state().get("serial") == site.serial, 30, f"{node.name} follows: {node.log()[-500:]}")


def reached_while_the_gateway_sleeps(site: Lab, change: Callable[[], object], tell: Callable[[str], object]) -> float:
    """The others learn of a change, and send, before the gateway does: the seconds from its waking until the node is reached."""
    gateway, sender, late = site.node("b0"), site.node("c0"), site.node(LATE)
    os.killpg(gateway.processes["agent"].pid, signal.SIGSTOP)
    try:
        change()
        data = site.sign()
        tell(data)
        for node in (site.node("b1"), sender):
            follow(site, node, data)
        assert not any(sender.pings(late.overlay) for _time in range(4))
    finally:
        os.killpg(gateway.processes["agent"].pid, signal.SIGCONT)
    return until(lambda: sender.pings(late.overlay), 30, "c0 reaches the node")


def move(node: LabNode, host: int) -> None:
    """Give a node another address in its cloud."""
    switch, port, before = node.cloud.switch, f"p{host}", node.private
    run("ip", "-n", switch, "link", "set", f"p{node.host}", "down")
    run("ip", "-n", switch, "link", "set", f"p{node.host}", "name", port)
    node.host = host
    node.cloud.guard()
    run("ip", "-n", switch, "link", "set", port, "up")
    node("ip", "address", "del", f"{before}/24", "dev", "eth0")
    node("ip", "address", "add", f"{node.private}/24", "dev", "eth0")
    node("ip", "route", "replace", "default", "via", f"{PRIVATE}.1")


SEND = "import socket, sys; s = socket.socket(2, 2); s.bind(('', 51820)); s.sendto(b'x', (sys.argv[1], 51820))"


def listen(node: LabNode, sender: str) -> Callable[[], bool]:
    """Whether a packet for its tunnels has come to a node from now on, from a sender."""
    rule = f"ip saddr {sender} udp dport 51820 counter"
    node("nft", "-f", "-", stdin=f"table inet seen {{ chain i {{ type filter hook input priority -20; {rule}; }}; }}")
    return lambda: " packets 0 " not in node("nft", "list", "table", "inet", "seen")


@pytest.fixture
def crossing(tmp_path: Path) -> Iterator[Lab]:
    """Two clouds with a gateway each, which send from the same port. A node of the second is there, and in nobody's list yet."""
    with lab(tmp_path / "crossing", {"a": (1, 0), "b": (1, 2)}, prefix="skyx") as made:
        made.make_keys()
        os.environ["PYTHONPATH"] = str(made.folder / "lib")
        data = made.sign((LATE,))
        for node in made.nodes:
            if node.name != LATE:
                made.start(node, data)
        until(lambda: made.node("a0").pings(made.node("b0").overlay), 60, "the gateways reach each other")
        yield made


def test_what_a_node_sends_its_gateway_is_no_answer_to_another_that_was_forwarded_first(crossing: Lab) -> None:
    gateway, other, late = crossing.node("b0"), crossing.node("a0"), crossing.node(LATE)
    forwarded, own = listen(late, gateway.private), listen(gateway, late.private)
    engine = gateway.processes["engine"].pid
    os.killpg(engine, signal.SIGSTOP)  # it sends nothing itself, and what it forwards passes through the kernel alone
    try:
        data = crossing.sign()
        (gateway.folder / "list.json").write_text(data)
        until(lambda: late.private in gateway("nft", "list", "table", "ip", "sky_overlay", check=False), 20, "it forwards to the node")
        (other.folder / "list.json").write_text(data)
        until(forwarded, 20, "what the other gateway sends comes to the node")
        late("python3", "-c", SEND, gateway.private)
        until(own, 5, "what the node sends comes to its own gateway")
    finally:
        os.killpg(engine, signal.SIGCONT)
    crossing.start(late, data)
    until(lambda: gateway.pings(late.overlay) and other.pings(late.overlay), 30, "both gateways reach the node")


def test_a_tunnel_that_a_node_has_to_its_gateway_outlives_another_that_is_forwarded_later(crossing: Lab) -> None:
    gateway, other, late = crossing.node("b0"), crossing.node("a0"), crossing.node(LATE)
    data, begun = crossing.sign(), listen(gateway, late.private)
    engine = gateway.processes["engine"].pid
    os.killpg(engine, signal.SIGSTOP)  # so that the node begins
    try:
        (gateway.folder / "list.json").write_text(data)
        crossing.start(late, data)
        until(begun, 20, "the node begins a tunnel to its gateway")
    finally:
        os.killpg(engine, signal.SIGCONT)
    until(lambda: gateway.pings(late.overlay) and late.pings(gateway.overlay), 30, "the node and its own gateway reach each other")
    follow(crossing, other, data)
    until(lambda: other.pings(late.overlay), 30, "the other gateway reaches the node")
    assert [(gateway.pings(late.overlay), late.pings(gateway.overlay)) for _time in range(4)] == [(True, True)] * 4


def test_a_new_node_is_reached(site: Lab, figure: Callable[[str], None]) -> None:
    node = site.node(LATE)
    took = reached_while_the_gateway_sleeps(site, lambda: None, lambda data: site.start(node, data))
    figure(f"a gateway that learns last of a new node forwards to it after {took:.1f} s")


def test_a_node_with_a_new_address_is_reached(site: Lab, figure: Callable[[str], None]) -> None:
    node = site.node(LATE)
    took = reached_while_the_gateway_sleeps(site, lambda: move(node, 40), lambda data: follow(site, node, data))
    figure(f"a gateway that learns last of a node's new address forwards to it after {took:.1f} s")
