# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are shown of a cluster's network."""

from __future__ import annotations

from typing import Any

from ansible_collections.sky.clusters.plugins.action.network_report import why_unseen
from ansible_collections.sky.clusters.plugins.plugin_utils._network_report import age, faults, lines, size, users_of

AGENT = {"engine": "kernel", "fault": "", "silent": [], "ways": {"far": "gateway g-0"}, "mtu": {"far": 1420}}
PEER = {"name": "b-0", "cloud": "far", "handshake": 3, "received": 1500, "sent": 2_000_000, "fault": ""}
COUNTED = {"dropped": {"packets": 2, "bytes": 120}}


def state(**more: Any) -> dict[str, Any]:
    nothing = {"users": [], "rules": [], "rules_out": [], "open_to_any": False}
    return {"agent": AGENT, "peers": [PEER], "counters": COUNTED} | nothing | more


def test_a_whole_network() -> None:
    found = list(lines({"a-0": state(), "a-1": state()}, {"a-0": "near", "a-1": "near"}, {}))
    assert found[0].split() == ["node", "cloud", "engine", "peers", "up", "last", "ways", "mtu", "received", "sent"]
    assert found[1].split() == ["a-0", "near", "kernel", "1", "of", "1", "3", "s", "far:", "gateway", "g-0", "far:", "1420", "2", "kB", "2", "MB"]
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
    found = list(lines(broken, {}, {"a-3": "it cannot be reached by ssh"}))
    assert found[-1] == "whole: no"
    assert "fault: a-3: it cannot be reached by ssh" in found


def test_a_path_that_is_too_small_for_the_overlay_is_named() -> None:
    unknown = AGENT | {"unmeasured": ["far"]}
    (fault,) = faults({"a-0": state(agent=unknown)})
    assert fault.startswith("a-0: no packet of 1280 bytes passes to cloud far and back: the MTU of the path is too small")
    assert faults({"a-0": state(agent=unknown, peers=[PEER | {"handshake": 181}])}) == []  # nothing passes, which is named otherwise
    assert faults({"a-0": state(agent=unknown, peers=[PEER | {"handshake": None}])}) == []


def test_people_outside_are_shown_as_the_gateway_of_their_profile_sees_them() -> None:
    ada = {"name": "ada", "address": "10.99.255.1", "gateway": "g-0", "handshake": None}
    nodes = {"a-0": state(users=[ada]), "g-0": state(users=[ada | {"handshake": 130}]), "z-0": state(users=[ada])}
    users = users_of(nodes, ["ada", "bob"])
    assert users == [ada | {"handshake": 130}, {"name": "bob", "address": "", "gateway": "", "handshake": None}]
    found = [line.split() for line in lines(nodes, {}, {}, users)]
    assert found[4:7] == [
        ["user", "address", "gateway", "last"],
        ["ada", "10.99.255.1", "g-0", "2", "min"],
        ["bob", "no", "profile", "-", "-"],
    ]


def test_rules_are_shown_once_with_the_number_of_their_nodes() -> None:
    shared, own = 'iifname "lo" accept', "tcp dport 80 counter name rule_1 accept"
    nodes = {"a-0": state(rules=[shared, own], rules_out=[shared]), "a-1": state(rules=[shared])}
    found = [line.split(maxsplit=2) for line in lines(nodes, {}, {})]
    assert found[3:7] == [["chain", "nodes", "rule"], ["in", "2", shared], ["in", "1", own], ["out", "1", shared]]


def test_a_node_that_could_not_say_what_it_sees_is_named_with_the_reason() -> None:
    assert why_unseen({"failed": True, "msg": "no python3"}) == "what it sees cannot be read: no python3"
    assert why_unseen({"unreachable": True, "msg": "timed out"}) == "it cannot be reached by ssh"
    assert why_unseen({}) == "it cannot be reached by ssh"


def test_ages() -> None:
    assert [age(seconds) for seconds in (None, 0, 119, 120, 7199, 7200, 200_000)] == ["-", "0 s", "119 s", "2 min", "119 min", "2 h", "55 h"]


def test_ports_that_are_open_to_any_address_are_named() -> None:
    found = list(lines({"a-0": state(open_to_any=True), "a-1": state()}, {}, {}))
    assert "note: the overlay's UDP ports of a-0 are open to any address, because not all nodes of the other clouds have a public one" in found


def test_sizes() -> None:
    assert [size(count) for count in (0, 999, 1000, 1_500_000, 10**18)] == ["0 B", "999 B", "1 kB", "2 MB", "1000000 TB"]
