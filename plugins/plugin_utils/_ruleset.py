# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall of a node as nftables reads it: one table, replaced in one step. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._network import INTERFACE, overlay_ports
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._host import set_name

TABLE = "inet sky"
SETS_FILE = "/var/lib/sky/network/sets.nft"
WORDS = {4: "ip", 6: "ip6"}
TYPES = {4: "ipv4_addr", 6: "ipv6_addr"}
VERDICTS = {"allow": "accept", "block": "drop"}


def ruleset(network: Mapping[str, Any]) -> str:
    """The whole ruleset.

    Args:
        network: the host variable ``sky_network``.
    """
    rules = list(network["rules"])
    overlay = network["overlay"]
    admin = network["admin"] or ["0.0.0.0/0", "::/0"]
    parts = [
        f"add table {TABLE}",
        f"delete table {TABLE}",
        f"table {TABLE} {{",
        *_admin_sets(admin),
        *_agent_sets(rules, bool(overlay)),
        *(f"  counter {name} {{}}" for name in counters(rules, overlay)),
        *_input(rules, overlay),
        *_output(rules),
        *(_forward() if network["gateway"] else ()),
        "}",
    ]
    return "\n".join(parts) + "\n"


def counters(rules: Sequence[Mapping[str, Any]], overlay: Mapping[str, Any] | None) -> list[str]:
    """The named counters, in the order of the rules."""
    return [
        *(["spoofed"] if overlay else []),
        *(f"rule_{place}" for place in range(len(rules))),
        "established",
        "invalid",
        "echo",
        "ssh",
        *(["overlay", "users"] if overlay else []),
        "cluster",
        "dropped",
    ]


def _admin_sets(admin: Sequence[str]) -> Iterator[str]:
    networks = [ipaddress.ip_network(cidr) for cidr in dict.fromkeys(admin)]
    for family, kind in TYPES.items():
        own = [str(network) for network in networks if network.version == family]
        elements = f" elements = {{ {', '.join(own)} }};" if own else ""
        yield f"  set admin_v{family} {{ type {kind}; flags interval; auto-merge;{elements} }}"


def _agent_sets(rules: Sequence[Mapping[str, Any]], overlay: bool) -> Iterator[str]:
    """The sets that the agent fills; it finds them by their comment."""
    names = ["cluster", *(["users", "underlay"] if overlay else []), *(name for rule in rules for name in rule["sets"])]
    for name in dict.fromkeys(names):
        for family, kind in TYPES.items():
            yield f"  set {set_name(name, family)} {{ type {kind}; flags interval; auto-merge; }} # agent"


def _input(rules: Sequence[Mapping[str, Any]], overlay: Mapping[str, Any] | None) -> Iterator[str]:
    yield "  chain input {"
    yield "    type filter hook input priority filter; policy drop;"
    yield '    iifname "lo" accept'
    if overlay:  # whoever is not in the overlay cannot use its addresses, and nothing else comes out of it
        yield f'    iifname != "{INTERFACE}" ip saddr {overlay["range"]} counter name spoofed drop'
        yield f'    iifname "{INTERFACE}" ip saddr != {overlay["range"]} counter name spoofed drop'
    yield from _own("in", "block", rules)  # before what is established: a block ends what it blocks
    yield "    ct state established,related counter name established accept"
    yield "    ct state invalid counter name invalid drop"
    yield "    icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } counter name echo accept"
    yield (
        "    icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem, nd-neighbor-solicit, "
        "nd-neighbor-advert, nd-router-advert, nd-router-solicit, mld-listener-query } counter name echo accept"
    )
    yield "    udp sport 67 udp dport 68 accept"
    yield "    ip6 saddr fe80::/10 udp dport 546 accept"
    for family, word in WORDS.items():
        yield f"    tcp dport 22 {word} saddr @admin_v{family} counter name ssh accept"
    yield from _own("in", "allow", rules)
    if overlay:
        ports = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in overlay_ports(overlay["port"]))
        yield f'    iifname != "{INTERFACE}" udp dport {{ {ports} }} ip saddr @underlay_v4 counter name overlay accept'
        yield f'    iifname "{INTERFACE}" ip saddr @users_v4 counter name users accept'
    for family, word in WORDS.items():
        yield f"    {word} saddr @cluster_v{family} counter name cluster accept"
    yield "    counter name dropped drop"
    yield "  }"


def _output(rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    own = [*_own("out", "allow", rules), *_own("out", "block", rules)]
    if own:
        yield "  chain output {"
        yield "    type filter hook output priority filter; policy accept;"
        yield from own
        yield "  }"


def _forward() -> Iterator[str]:
    """A gateway forwards to the nodes of its cloud, and between nodes that meet at it."""
    yield "  chain forward {"
    yield "    type filter hook forward priority filter; policy drop;"
    yield "    ct state established,related accept"
    yield "    ct status dnat accept"
    yield f'    iifname "{INTERFACE}" oifname "{INTERFACE}" ip saddr @cluster_v4 accept'
    yield f'    iifname "{INTERFACE}" oifname "{INTERFACE}" ip saddr @users_v4 accept'
    yield "  }"


def _own(direction: str, action: str, rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The rules of the file, with their places in the list of this node."""
    for place, rule in enumerate(rules):
        if (rule["direction"], rule["action"]) == (direction, action):
            for family in WORDS:
                for peer in _peers(rule, family):
                    for protocol in _protocol(rule, family):
                        yield "    " + " ".join(filter(None, [peer, protocol, f"counter name rule_{place}", VERDICTS[action]]))


def _peers(rule: Mapping[str, Any], family: int) -> Iterator[str]:
    side = f"{WORDS[family]} {'saddr' if rule['direction'] == 'in' else 'daddr'}"
    if rule["any"]:
        yield f"meta nfproto ipv{family}"
        return
    own = [cidr for cidr in rule["cidrs"] if ipaddress.ip_network(cidr).version == family]
    if own:
        yield f"{side} {{ {', '.join(own)} }}"
    for name in rule["sets"]:
        yield f"{side} @{set_name(name, family)}"


def _protocol(rule: Mapping[str, Any], family: int) -> Iterator[str]:
    protocol, ports = rule["protocol"], rule["ports"]
    if protocol == "any":
        yield ""
    elif protocol == "icmp":
        yield "meta l4proto icmp" if family == 4 else "meta l4proto ipv6-icmp"
    else:
        yield f"{protocol} dport {{ {', '.join(ports)} }}" if ports else f"meta l4proto {protocol}"
