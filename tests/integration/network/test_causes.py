# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What WireGuard counts of a peer that never completes a handshake, and so which causes are named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.sky.clusters.plugins.modules import network_state
from ansible_collections.sky.clusters.tests.support.isolated_clouds import Lab, LabNode, lab, run, until

pytestmark = [pytest.mark.real, pytest.mark.chained]

MUTE = "table inet mute { chain o { type filter hook output priority 0; udp sport 51820 ip daddr 10.200.1.0/24 drop; }; }"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two clouds, of which the second one starts the tunnels; the key of its node is another one than the list says."""
    with lab(tmp_path_factory.mktemp("causes"), {"a": (1, 1), "b": (0, 1)}, "skyw") as made:
        made.make_keys()
        (made.node("b0").folder / "private.key").write_text(run("wg", "genkey"))
        made.start_all()
        until(lambda: all(node.state().get("serial") == made.serial for node in made.nodes), 60, "all have set what the list says")
        yield made


def seen(one: LabNode, other: LabNode, monkeypatch: pytest.MonkeyPatch) -> network_state.Tunnel:
    """A node's side of a tunnel."""
    monkeypatch.setattr(network_state, "run", one.inside)
    return network_state.tunnels()[one.cloud.lab.keys[other.name]]


def fault(tunnel: network_state.Tunnel) -> str:
    return network_state.fault(tunnel.age, tunnel.received, tunnel.sent)


def test_nothing_is_counted_of_a_node_with_another_key(site: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, far = site.node("a0"), site.node("b0")
    until(lambda: seen(far, gate, monkeypatch).sent > 300, 30, "b0 has tried more than once")
    here, there = seen(far, gate, monkeypatch), seen(gate, far, monkeypatch)
    assert (here.age, here.received, there.age, there.received) == (None, 0, None, 0)
    assert "its key is another one" in fault(here)


def test_what_is_counted_of_a_node_without_a_handshake_has_the_right_key(site: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its packets arrive; ours do not."""
    gate, far = site.node("a0"), site.node("b0")
    gate("nft", "-f", "-", stdin=MUTE)
    private = run("wg", "genkey")
    (far.folder / "private.key").write_text(private)
    site.keys["b0"] = run("wg", "pubkey", stdin=private).strip()
    site.publish()
    far.inside("wg", "set", "sky0", "private-key", str(far.folder / "private.key"))
    until(lambda: gate.state()["serial"] == site.serial and seen(gate, far, monkeypatch).received > 0, 40, "b0's packets arrive")
    found = seen(gate, far, monkeypatch)
    assert (found.age, fault(found)) == (None, "its packets arrive, but no answer reaches it: UDP is blocked on the way to it")
    assert "UDP is blocked on the way to it" in fault(seen(far, gate, monkeypatch))
    gate("nft", "delete", "table", "inet", "mute")
    until(lambda: gate.pings(far.overlay), 40, "the tunnel is there")
    assert fault(seen(gate, far, monkeypatch)) == ""
