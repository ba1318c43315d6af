# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes of a cluster see of their network, as lines for people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._views._summary import table

HEADINGS = ("node", "cloud", "engine", "peers up", "ways", "mtu", "received", "sent")
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
        found += [f"{name}: peer {peer['name']}: {peer['fault']}" for peer in state["peers"] if peer["fault"]]
    return found


def lines(nodes: Mapping[str, Mapping[str, Any]], clouds: Mapping[str, str], unseen: list[str]) -> Iterator[str]:
    """The table of the nodes, the counters of their firewalls, and what is wrong.

    Args:
        nodes: what each node sees.
        clouds: the cloud of each node.
        unseen: nodes that could not be asked.
    """
    yield from table(HEADINGS, (_row(name, clouds.get(name, ""), state) for name, state in sorted(nodes.items())))
    yield from _counters(nodes)
    anybody = [name for name, state in sorted(nodes.items()) if state["open_to_any"]]
    if anybody:
        why = "not all nodes of the other clouds have a public one"
        yield f"note: the overlay's UDP ports of {', '.join(anybody)} are open to any address, because {why}"
    yield from (f"fault: {line}" for line in faults(nodes))
    yield from (f"fault: {name}: it cannot be reached by ssh" for name in unseen)
    whole = not unseen and not faults(nodes)
    yield f"whole: {'yes' if whole else 'no'}"


def _row(name: str, cloud: str, state: Mapping[str, Any]) -> tuple[str, ...]:
    agent, peers = state["agent"], state["peers"]
    up = sum(peer["handshake"] is not None for peer in peers)
    ways = ", ".join(f"{other}: {way}" for other, way in sorted(agent.get("ways", {}).items()))
    mtu = ", ".join(f"{other}: {size}" for other, size in sorted(agent.get("mtu", {}).items()))
    moved = [size(sum(peer[key] for peer in peers)) for key in ("received", "sent")]
    return (name, cloud, agent.get("engine") or "-", f"{up} of {len(peers)}" if peers else "-", ways or "-", mtu or "-", *moved)


def _counters(nodes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The packets that each rule has counted, on all nodes together."""
    total: dict[str, int] = {}
    for state in nodes.values():
        for name, counted in state["counters"].items():
            total[name] = total.get(name, 0) + counted["packets"]
    if total:
        yield "firewall, packets: " + ", ".join(f"{name} {packets}" for name, packets in total.items())


def size(count: float) -> str:
    """Bytes for people."""
    unit = 0
    while count >= 1000 and unit < len(UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.0f} {UNITS[unit]}"
