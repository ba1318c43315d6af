# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall of a node as nftables reads it: one table, replaced in one step. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._network import AGENT_PORT, INTERFACE
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._host import set_name

TABLE = "inet sky"
SETS_FILE = "/var/lib/sky/network/sets.nft"
WORDS = {4: "ip", 6: "ip6"}
TYPES = {4: "ipv4_addr", 6: "ipv6_addr"}
VERDICTS = {"allow": "accept", "block": "drop"}
ERRORS = {
    "icmp": "destination-unreachable, time-exceeded, parameter-problem",
    "icmpv6": "destination-unreachable, packet-too-big, time-exceeded, parameter-problem",
}
NEIGHBOURS = (
    "nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, mld-listener-report, mld-listener-done, "
    "mld2-listener-report"
)


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
        *_output(rules, overlay),
        *(_forward() if network["gateway"] else ()),
        "}",
    ]
    return "\n".join(parts) + "\n"


def counters(rules: Sequence[Mapping[str, Any]], overlay: Mapping[str, Any] | None) -> list[str]:
    """The named counters, in the order of the rules."""
    return [
        *(["spoofed"] if overlay else []),
        *(rule["counter"] for rule in rules),
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
    for word, types in ERRORS.items():  # large packets of a flow are lost without them
        yield f"    ct state related {word} type {{ {types} }} counter name echo accept"
    yield f"    icmpv6 type {{ {NEIGHBOURS} }} counter name echo accept"
    yield "    udp sport 67 udp dport 68 accept"
    yield "    ip6 saddr fe80::/10 udp dport 546 accept"
    blocks = list(_own("in", "block", rules))
    if blocks:  # before what is established: a block ends what it blocks
        yield from _cluster_itself("saddr", overlay)
        yield from blocks
    yield "    ct state established,related counter name established accept"
    yield "    ct state invalid counter name invalid drop"
    yield "    icmp type echo-request counter name echo accept"
    yield "    icmpv6 type echo-request counter name echo accept"
    for family, word in WORDS.items():
        yield f"    tcp dport 22 {word} saddr @admin_v{family} counter name ssh accept"
    yield from _own("in", "allow", rules)
    if overlay:
        # of the ports that a gateway forwards, none is its own: what is for itself has this one when it comes here
        yield f'    iifname != "{INTERFACE}" udp dport {overlay["port"]} ip saddr @underlay_v4 counter name overlay accept'
        yield f'    iifname "{INTERFACE}" ip saddr @users_v4 counter name users accept'
    for family, word in WORDS.items():
        yield f"    {word} saddr @cluster_v{family} counter name cluster accept"
    yield "    counter name dropped drop"
    yield "  }"


def _output(rules: Sequence[Mapping[str, Any]], overlay: Mapping[str, Any] | None) -> Iterator[str]:
    own = [*_own("out", "allow", rules), *_own("out", "block", rules)]
    if own:
        yield "  chain output {"
        yield "    type filter hook output priority filter; policy accept;"
        yield '    oifname "lo" accept'
        yield "    tcp sport 22 accept"  # of a session that is older than the rules, connection tracking may see an answer first
        yield f"    icmp type {{ {ERRORS['icmp']} }} accept"
        yield f"    icmpv6 type {{ {ERRORS['icmpv6']}, {NEIGHBOURS} }} accept"
        yield "    udp sport 68 udp dport 67 accept"
        yield "    udp sport 546 udp dport 547 accept"
        if overlay:  # the tunnels' own packets, to whichever port of a gateway
            yield f'    oifname != "{INTERFACE}" udp sport {overlay["port"]} accept'
        yield from _cluster_itself("daddr", overlay)
        yield from own
        yield "  }"


def _cluster_itself(side: str, overlay: Mapping[str, Any] | None) -> Iterator[str]:
    """What members' agents and tunnels need, before the rules that block: the rules of the file are about what else they send each other."""
    for family, word in WORDS.items():
        yield f"    {word} {side} @cluster_v{family} meta l4proto {{ tcp, udp }} th dport {AGENT_PORT} accept"
        # the controller reaches nodes without a public address through one that has one
        yield f"    {word} {side} @cluster_v{family} tcp dport 22 accept"
    if overlay:  # agents ask gateways, and whether large packets arrive, by echo requests
        yield f"    ip {side} @cluster_v4 icmp type echo-request accept"
    if overlay and side == "saddr":
        yield f'    iifname != "{INTERFACE}" udp dport {overlay["port"]} ip saddr @cluster_v4 counter name overlay accept'


def _forward() -> Iterator[str]:
    """A gateway forwards to the nodes of its cloud, and between nodes that meet at it."""
    yield "  chain forward {"
    yield "    type filter hook forward priority filter; policy drop;"
    yield "    ct state established,related accept"
    yield f'    iifname != "{INTERFACE}" ip saddr @underlay_v4 ct status dnat accept'
    yield f'    iifname "{INTERFACE}" oifname "{INTERFACE}" ip saddr @cluster_v4 accept'
    yield f'    iifname "{INTERFACE}" oifname "{INTERFACE}" ip saddr @users_v4 accept'
    yield "  }"


def _own(direction: str, action: str, rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The rules of the file. One that blocks is about whoever began: not about the answers to what the node, or its other side, may do."""
    flow = "ct direction original" if action == "block" else ""
    for rule in rules:
        if (rule["direction"], rule["action"]) == (direction, action):
            for family in WORDS:
                for peer in _peers(rule, family):
                    for protocol in _protocol(rule, family):
                        yield "    " + " ".join(filter(None, [flow, peer, protocol, f"counter name {rule['counter']}", VERDICTS[action]]))


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
