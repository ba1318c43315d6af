# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge nodes by their health and by the answers of the heads of their systems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._systems._system import Opinion, Seen, System, View
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import REMOVABLE, ROLES, SYSTEMS, disposable, heads

NOT_INSTALLED = "(it is not installed)"  # as M(sky.clusters.node_health) says it of a unit


@dataclass
class Verdict:
    """The result for one node."""

    words: list[str] = field(default_factory=list)  # for a column of a table
    faults: list[str] = field(default_factory=list)  # sentences; the node's name is not in them
    sick: str = ""  # why it is to be replaced; empty if it is not
    repair: bool = False  # a visit repairs it
    former: tuple[str, ...] = ()  # roles that were removed from its pool
    added: tuple[str, ...] = ()  # roles that its pool has got, and that it has not yet
    idle: bool = False  # it does no work now
    looked: bool = True

    @property
    def health(self) -> str:
        return ", ".join(self.words) or ("ok" if self.looked else "-")

    def fault(self, word: str, sentence: str) -> None:
        self.words.append(word)
        self.faults.append(sentence)


def judge(nodes: Iterable[Seen], views: Mapping[str, View], systems: Iterable[System] = tuple(SYSTEMS.values())) -> dict[str, Verdict]:
    """A verdict on every node.

    Args:
        nodes: all running nodes.
        views: the answer of the head of each system, by system; a system that was not queried is missing.
    """
    nodes = list(nodes)
    opinions = _opinions(nodes, views, systems)
    return {node.name: _judged(node, opinions[node.name]) for node in nodes}


def _opinions(nodes: list[Seen], views: Mapping[str, View], systems: Iterable[System]) -> dict[str, list[Opinion]]:
    """The opinions of the systems of each node, by node."""
    found: dict[str, list[Opinion]] = {node.name: [] for node in nodes}
    for system in systems:
        own = [node for node in nodes if system.every_node or system.roles.keys() & node.roles]
        for name, opinion in system.judge(own, views.get(system.name, View())).items():
            found[name].append(opinion)
    return found


def _judged(node: Seen, opinions: list[Opinion]) -> Verdict:
    verdict = Verdict(looked=bool(node.health))
    if node.reached:
        _judge_disks(node, verdict)
        _judge_units(node, verdict)
        _judge_shares(node, verdict)
        for opinion in opinions:
            _take_over(opinion, verdict)
        _judge_roles(node, verdict)
        _judge_rest(node, verdict)
    elif node.health:
        _judge_silent(node, opinions, verdict)
    if verdict.faults and heads(node.roles):
        verdict.repair = True  # else a run with nothing else to do would skip it
    verdict.idle = bool(opinions) and all(opinion.idle for opinion in opinions)
    return verdict


def _judge_silent(node: Seen, opinions: list[Opinion], verdict: Verdict) -> None:
    """A failure of ssh alone proves nothing: the cause may be on the controller."""
    silent = f"it cannot be reached by ssh ({node.health.get('why', '')})"
    if any(opinion.at_work for opinion in opinions):
        verdict.fault("no ssh", f"{silent}, but its systems report that it works: not replaced")
    elif opinions and all(opinion.lost for opinion in opinions):
        verdict.fault("lost", f"{silent}, and its systems report it as lost")
        verdict.sick = verdict.faults[-1] if _disposable(node) else ""
    else:
        verdict.fault("no ssh", silent)


def _disposable(node: Seen) -> bool:
    return disposable(node.roles, node.volumes)


def _judge_disks(node: Seen, verdict: Verdict) -> None:
    for disk in node.health.get("disks", []):
        if not disk["fault"]:
            continue
        if not disk["mounted"]:
            verdict.fault(f"no volume {disk['volume']}", disk["fault"])
            verdict.repair = True
        elif disk["volume"]:  # a new node would have the same volume
            verdict.fault(f"volume {disk['volume']} full", disk["fault"])
        else:
            verdict.fault("disk full", disk["fault"])
            verdict.sick = disk["fault"] if _disposable(node) else ""


def _judge_units(node: Seen, verdict: Verdict) -> None:
    for unit in node.health.get("units", []):
        if unit["fault"]:
            verdict.fault(f"{unit['name']} {'faulty' if unit['state'] == 'active' else unit['state']}", unit["fault"])
            verdict.repair = True


def _judge_shares(node: Seen, verdict: Verdict) -> None:
    for share in node.health.get("shares", []):
        if share["fault"]:
            verdict.fault(f"{share['mount']} faulty", share["fault"])


def _take_over(opinion: Opinion, verdict: Verdict) -> None:
    for word, sentence in opinion.faults:
        verdict.fault(word, sentence)
    verdict.repair = verdict.repair or opinion.repair


def _judge_roles(node: Seen, verdict: Verdict) -> None:
    """A role that was removed from the pool is removed from the node by a visit; this is not a fault."""
    absent = {unit["name"] for unit in node.health.get("units", []) if NOT_INSTALLED in unit.get("fault", "")}
    services = {role: ROLES[role].services for role in node.roles if role in ROLES}
    verdict.added = tuple(role for role, names in services.items() if names and absent.issuperset(names))
    verdict.former = tuple(role for role in node.health.get("former_roles", []) if role in REMOVABLE)
    verdict.words += [f"former {role}" for role in verdict.former]
    verdict.repair = verdict.repair or bool(verdict.former)


def _judge_rest(node: Seen, verdict: Verdict) -> None:
    memory = node.health.get("memory", {}).get("fault", "")
    if memory:
        verdict.fault("memory short", memory)
    for sentence in node.health.get("faults", []):
        if sentence not in verdict.faults:  # the health check as a whole has failed
            verdict.fault("?", sentence)


def unproved(system: System, proof: Mapping[str, Any], nodes: Iterable[Seen], ids: Mapping[str, str]) -> str:
    """Why the last proof does not prove that a system works; empty if it does, or if the system has no members.

    Args:
        proof: the proof in the answer of the head.
        ids: the ids of the nodes, by name.
    """
    own = [node for node in nodes if system.roles.keys() & node.roles]
    if not any(role in system.members for node in own for role in node.roles):
        return ""
    if not proof:
        return f"no proof of {system.title} since a node was last changed"
    if proof["outcome"] == "postponed":
        return f"{system.title} is not proved yet: {proof['why']}"
    if proof["outcome"] != "success":
        return f"the proof of {system.title} of {moment(proof['ended'])} failed: {proof['why']}"
    if not proof["current"] or (proof["nodes"] and set(proof["nodes"]) != {ids[node.name] for node in own}):
        return f"the members or the settings of {system.title} have changed since its proof of {moment(proof['ended'])}"
    return ""


def moment(stamp: str) -> str:
    """A time for people."""
    return f"{stamp[:10]} {stamp[11:16]} UTC"


def services(nodes: Iterable[Seen]) -> list[dict[str, str]]:
    """Every service that should run on a reachable node, and its state."""
    return [{"node": node.name, "unit": unit["name"], "state": unit["state"]} for node in nodes for unit in node.health.get("units", [])]


def shares(nodes: Iterable[Seen]) -> list[dict[str, Any]]:
    """The folders of stores outside of the cluster on reachable nodes, and how full they are."""
    return [{"node": node.name} | share for node in nodes for share in node.health.get("shares", []) if not share["fault"]]


def refusals(nodes: Iterable[Seen]) -> list[str]:
    """Why a run would fail on a node, reported before the run changes anything."""
    return [f"{node.name}: {sentence}" for node in nodes for sentence in node.health.get("refusals", [])]


def notes(nodes: Iterable[Seen]) -> list[str]:
    """Remarks on what neither prevents the cluster from working nor is fixed by a run."""
    seen = list(nodes)
    units = [(node.name, unit) for node in seen for unit in node.health.get("failed_units", [])]
    failed = [f"{name}: {unit} has failed; it is not managed by this collection" for name, unit in units]
    return failed + [f"{node.name}: {sentence}" for node in seen for sentence in node.health.get("differs", [])]
