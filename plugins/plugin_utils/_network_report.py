# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes of a cluster see of their network, as lines for people. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._views._summary import table

HEADINGS = ("node", "cloud", "engine", "peers up", "last", "ways", "mtu", "received", "sent")
PEOPLE = ("user", "address", "gateway", "last")
RULES = ("chain", "nodes", "rule")
CHAINS = {"in": "rules", "out": "rules_out"}
OLD = 180  # s; a tunnel that is used has a newer handshake
UNITS = ("B", "kB", "MB", "GB", "TB")


def faults(nodes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong, one sentence each."""
    found = []
    for name, state in sorted(nodes.items()):
        agent = state["agent"]
        if not agent:
            found.append(f"{name}: its agent is not running or not installed")
            continue
        found += [f"{name}: {agent['fault']}"] if agent["fault"] else []
        found += [f"{name}: gateway {gateway} does not answer it" for gateway in agent["silent"]]
        found += [f"{name}: it cannot reach cloud {cloud}" for cloud, way in agent["ways"].items() if way == "none"]
        found += [f"{name}: {line}" for line in _too_small(agent, state["peers"])]
        found += [f"{name}: peer {peer['name']}: {peer['fault']}" for peer in state["peers"] if peer["fault"]]
    return found


def _too_small(agent: Mapping[str, Any], peers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Clouds whose nodes answer, but to no packet of the smallest size that the overlay uses."""
    for cloud in agent.get("unmeasured", ()):  # agents of earlier versions do not say
        if any(peer["cloud"] == cloud and peer["handshake"] is not None and peer["handshake"] <= OLD for peer in peers):
            yield f"no packet of 1280 bytes passes to cloud {cloud} and back: the MTU of the path is too small, or large packets are dropped on it"


def users_of(nodes: Mapping[str, Mapping[str, Any]], wanted: Iterable[str]) -> list[dict[str, Any]]:
    """The people outside who may join, each as the gateway of the profile sees it.

    Args:
        wanted: those of the file. Who has no profile has no address.
    """
    found: dict[str, dict[str, Any]] = {name: {"name": name, "address": "", "gateway": "", "handshake": None} for name in wanted}
    for node, state in nodes.items():
        for user in state["users"]:
            if user["gateway"] == node or not found.get(user["name"], {}).get("address"):
                found[user["name"]] = dict(user)
    return list(found.values())


def lines(
    nodes: Mapping[str, Mapping[str, Any]], clouds: Mapping[str, str], unseen: Mapping[str, str], users: Iterable[Mapping[str, Any]] = ()
) -> Iterator[str]:
    """The table of the nodes, the people outside, the rules and counters of the firewalls, and what is wrong.

    Args:
        nodes: what each node sees.
        clouds: the cloud of each node.
        unseen: nodes that could not be asked, and why.
        users: people outside, as :func:`users_of` returns them.
    """
    yield from table(HEADINGS, (_row(name, clouds.get(name, ""), state) for name, state in sorted(nodes.items())))
    people = [(user["name"], user["address"] or "no profile", user["gateway"] or "-", age(user["handshake"])) for user in users]
    yield from table(PEOPLE, people) if people else ()
    yield from _rules(nodes)
    yield from _counters(nodes)
    anybody = [name for name, state in sorted(nodes.items()) if state["open_to_any"]]
    if anybody:
        why = "not all nodes of the other clouds have a public one"
        yield f"note: the overlay's UDP ports of {', '.join(anybody)} are open to any address, because {why}"
    yield from (f"fault: {line}" for line in faults(nodes))
    yield from (f"fault: {name}: {why}" for name, why in unseen.items())
    whole = not unseen and not faults(nodes)
    yield f"whole: {'yes' if whole else 'no'}"


def _row(name: str, cloud: str, state: Mapping[str, Any]) -> tuple[str, ...]:
    agent, peers = state["agent"], state["peers"]
    up = sum(peer["handshake"] is not None for peer in peers)
    ways = ", ".join(f"{other}: {way}" for other, way in sorted(agent.get("ways", {}).items()))
    mtu = ", ".join(f"{other}: {size}" for other, size in sorted(agent.get("mtu", {}).items()))
    moved = [size(sum(peer[key] for peer in peers)) for key in ("received", "sent")]
    last = age(min((peer["handshake"] for peer in peers if peer["handshake"] is not None), default=None))
    return (name, cloud, agent.get("engine") or "-", f"{up} of {len(peers)}" if peers else "-", last, ways or "-", mtu or "-", *moved)


def _rules(nodes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The rules of the firewalls, each once, with the number of the nodes that have it."""
    every = [(chain, rule) for chain, key in CHAINS.items() for state in nodes.values() for rule in dict.fromkeys(state[key])]
    if every:
        yield from table(RULES, ((chain, str(count), rule) for (chain, rule), count in Counter(every).items()))


def _counters(nodes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The packets that each rule has counted, on all nodes together: a name means the same rule on each."""
    total: dict[str, int] = {}
    for state in nodes.values():
        for name, counted in state["counters"].items():
            total[name] = total.get(name, 0) + counted["packets"]
    if total:
        yield "firewall, packets: " + ", ".join(f"{name} {packets}" for name, packets in total.items())


def age(seconds: int | None) -> str:
    """The age of a handshake for people."""
    if seconds is None:
        return "-"
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def size(count: float) -> str:
    """Bytes for people."""
    unit = 0
    while count >= 1000 and unit < len(UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.0f} {UNITS[unit]}"
