# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clouds between which one UDP port alone is open, so that gateways relay instead of forwarding: every pair reaches each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.sky.clusters.tests.support.isolated_clouds import PORT, Lab, lab, run, until

pytestmark = [pytest.mark.real, pytest.mark.chained]

# Address translation of a cloud changes the port of whoever sends from inside, never the one that is sent to
SHUT = f"""\
table ip shut {{ chain f {{ type filter hook forward priority -10; policy drop;
  udp dport {PORT} accept
  udp sport {PORT} accept
}}; }}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("one"), {"a": (2, 1), "b": (1, 1), "c": (0, 1)}, "skyo") as made:
        run("ip", "netns", "exec", made.internet, "nft", "-f", "-", stdin=SHUT)
        made.between = "relayed"
        made.start_all()
        until(lambda: all(node.state().get("serial") == made.serial for node in made.nodes), 60, "all follow the list")
        made.load_firewalls([])
        yield made


def test_every_pair_reaches_each_other(site: Lab, figure: Callable[[str], None]) -> None:
    pairs = [(one, other) for one in site.nodes for other in site.nodes if one is not other]
    took = until(lambda: all(one.pings(other.overlay) for one, other in pairs), 60, "every pair reaches each other")
    assert {cloud.name: cloud.dropped() for cloud in site.clouds.values()} == dict.fromkeys(site.clouds, 0)
    assert site.node("a2").state()["ways"] == {"b": "relay a0", "c": "relay a0"}
    ends = re.findall(r":([0-9]+)$", site.node("c0").inside("wg", "show", "sky0", "endpoints"), re.MULTILINE)
    assert {*ends} == {str(PORT)}
    figure(f"3 clouds, between which one UDP port alone is open, gateways that relay: {len(pairs)} pairs, {took:.0f} s to be up")


def test_another_gateway_takes_over(site: Lab, figure: Callable[[str], None]) -> None:
    site.node("a0").die()
    one, other = site.node("a2"), site.node("c0")
    took = until(lambda: one.pings(other.overlay) and other.pings(one.overlay), 20, "a2 and c0 meet at another gateway")
    assert site.node("a2").state()["ways"]["c"] == site.node("c0").state()["ways"]["a"] == "relay a1"
    figure(f"a gateway that relays killed: the next one relays after {took:.1f} s")


def test_gateways_that_forward_need_more_than_that_port(site: Lab) -> None:
    """Else the tests above would prove nothing."""
    site.between = "forwarded"
    site.publish()
    until(lambda: not site.node("b1").pings(site.node("a2").overlay), 30, "b1 has lost its way to a2")
