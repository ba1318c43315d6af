# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An overlay that does not encrypt inside a cloud: the same addresses, but packets take the cloud's own way."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

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
