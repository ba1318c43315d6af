# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An overlay that does not encrypt inside a cloud: the same addresses, but packets take the cloud's own way. What others change is set again."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _peering
from ansible_collections.sky.clusters.tests.support.isolated_clouds import Lab, LabNode, lab, until

pytestmark = [pytest.mark.real, pytest.mark.chained]

SERVE = """
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((sys.argv[1], 6001)); s.listen(1)
c, peer = s.accept(); n = 0
while d := c.recv(1 << 20): n += len(d)
print(peer[0], n)
"""
SEND = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], 6001)); end = time.time() + 3; block = b'x' * (1 << 18)
while time.time() < end: s.sendall(block)
"""


@pytest.fixture(scope="module", params=["plain", "encrypted"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("plain"), {"a": (1, 2), "b": (0, 1)}, "skyp") as made:
        made.inside = request.param
        made.start_all()
        until(lambda: all(node.state().get("serial") == made.serial for node in made.nodes), 60, "all follow the list")
        made.load_firewalls([])
        yield made


def moved(node: LabNode) -> int:
    """Bytes that went through the node's interface in the overlay."""
    return sum(int(value) for line in node.inside("wg", "show", "sky0", "transfer").splitlines() for value in line.split()[1:])


def test_traffic_inside_a_cloud(site: Lab, figure: Callable[[str], None]) -> None:
    one, other, far = site.node("a1"), site.node("a2"), site.node("b0")
    until(lambda: one.pings(other.overlay) and one.pings(far.overlay), 40, "the nodes reach each other")
    before = moved(one)
    receiver = subprocess.Popen(["ip", "netns", "exec", other.space, "python3", "-c", SERVE, other.overlay], stdout=subprocess.PIPE, text=True)
    time.sleep(0.7)
    one("python3", "-c", SEND, other.overlay)
    peer, count = receiver.communicate(timeout=30)[0].split()
    assert peer == one.overlay  # services see the same addresses either way
    assert (moved(one) - before > int(count)) == (site.inside == "encrypted")
    figure(f"one stream inside a cloud, {site.inside}: {int(count) * 8 / 3 / 1e9:.2f} Gbit/s (wireguard-go of Debian)")


def settings(node: LabNode) -> dict[str, list[str]]:
    """What the agent has set on a node, as programs show it, but for the MTU of routes, which it looks for from time to time."""
    shown = (_peering.ADDRESSES, _peering.PEERS, ("ip", "-4", "route"), ("nft", "-s", "list", "ruleset"), ("cat", "/proc/sys/net/ipv4/ip_forward"))
    return {" ".join(command): sorted(re.sub(" mtu [0-9]+", "", node.inside(*command)).splitlines()) for command in shown}


# On three nodes at a time, of which the last is a gateway
CHANGES = [
    ("nft flush ruleset", "ip link set sky0 down", "nft flush table ip sky_overlay"),
    ("nft delete table ip sky_overlay", "ip link set sky0 down; ip link set sky0 up", "sysctl -qw net.ipv4.ip_forward=0"),
    ("nft insert rule inet sky input accept", "ip route flush dev sky0", "nft delete chain inet sky input"),
    ("nft flush set inet sky cluster_v4", "ip address flush dev sky0", "nft delete chain inet sky forward"),
    ("nft flush table inet sky", "wg set sky0 peer $(wg show sky0 peers | head -1) remove", "nft add element inet sky admin_v4 { 198.51.100.7 }"),
]


@pytest.mark.parametrize("site", ["plain"], indirect=True)
def test_what_somebody_else_changes_is_set_again(site: Lab, figure: Callable[[str], None]) -> None:
    nodes = [site.node(name) for name in ("a1", "a2", "a0")]
    pairs = [(one, other) for one in site.nodes for other in site.nodes if one is not other]
    slowest = 0.0
    for commands in CHANGES:
        before = [settings(node) for node in nodes]
        for node, command, was in zip(nodes, commands, before, strict=True):
            node.inside("sh", "-c", command)
            assert settings(node) != was, command
        slowest = max(slowest, until(partial(as_they_were, nodes, before), 20, f"all is as it was before {commands}"))
        until(lambda: all(one.pings(other.overlay) for one, other in pairs), 30, f"every pair reaches each other after {commands}")
    figure(f"interface, routes, peers or rules changed by somebody else: set again by the node after at most {slowest:.1f} s")


def as_they_were(nodes: list[LabNode], before: list[dict[str, list[str]]]) -> bool:
    return all(settings(node) == was for node, was in zip(nodes, before, strict=True))
