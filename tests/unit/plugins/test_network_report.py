# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are shown of a cluster's network."""

from __future__ import annotations

from typing import Any

from ansible_collections.sky.clusters.plugins.plugin_utils._network_report import faults, lines, size

AGENT = {"engine": "kernel", "fault": "", "silent": [], "ways": {"far": "gateway g-0"}, "mtu": {"far": 1420}}
PEER = {"name": "b-0", "handshake": 3, "received": 1500, "sent": 2_000_000, "fault": ""}
COUNTED = {"dropped": {"packets": 2, "bytes": 120}}


def state(**more: Any) -> dict[str, Any]:
    return {"agent": AGENT, "peers": [PEER], "counters": COUNTED, "rules": [], "open_to_any": False} | more


def test_a_whole_network() -> None:
    found = list(lines({"a-0": state(), "a-1": state()}, {"a-0": "near", "a-1": "near"}, []))
    assert found[0].split() == ["node", "cloud", "engine", "peers", "up", "ways", "mtu", "received", "sent"]
    assert found[1].split() == ["a-0", "near", "kernel", "1", "of", "1", "far:", "gateway", "g-0", "far:", "1420", "2", "kB", "2", "MB"]
    assert found[3:] == ["firewall, packets: dropped 4", "whole: yes"]


def test_what_is_wrong_is_named() -> None:
    broken = {
        "a-0": state(peers=[PEER | {"handshake": None, "fault": "no handshake: it is down, or UDP is blocked on the way to it"}]),
        "a-1": state(agent={}, peers=[], counters={}),
        "a-2": state(agent=AGENT | {"silent": ["g-0"], "fault": "there is no interface", "ways": {"far": "none"}}),
    }
    assert faults(broken) == [
        "a-0: peer b-0: no handshake: it is down, or UDP is blocked on the way to it",
        "a-1: its agent is not running or not installed",
        "a-2: there is no interface",
        "a-2: gateway g-0 does not answer it",
        "a-2: it cannot reach cloud far",
    ]
    found = list(lines(broken, {}, ["a-3"]))
    assert found[-1] == "whole: no"
    assert "fault: a-3: it cannot be reached by ssh" in found


def test_ports_that_are_open_to_any_address_are_named() -> None:
    found = list(lines({"a-0": state(open_to_any=True), "a-1": state()}, {}, []))
    assert "note: the overlay's UDP ports of a-0 are open to any address, because not all nodes of the other clouds have a public one" in found


def test_sizes() -> None:
    assert [size(count) for count in (0, 999, 1000, 1_500_000, 10**18)] == ["0 B", "999 B", "1 kB", "2 MB", "1000000 TB"]
