# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of the nodes, and what their master says, into what is wrong and what a run does about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._roles import ROLES

ALIVE = "ALIVE"
MASTER, WORKER = "spark_master", "spark_worker"


@dataclass(frozen=True)
class Seen:
    """One node as it was found."""

    name: str
    address: str
    roles: tuple[str, ...]
    health: Mapping[str, Any]  # as M(sky.clusters.node_health) returned it; empty if nobody looked

    @property
    def disposable(self) -> bool:
        """Whether a new node does all that this one does."""
        return bool(self.roles) and all(ROLES[role].disposable for role in self.roles)


@dataclass
class Verdict:
    """What is wrong with one node."""

    words: list[str] = field(default_factory=list)  # for a column of a table
    faults: list[str] = field(default_factory=list)  # sentences; the node's name is not in them
    sick: str = ""  # why it is to be replaced
    repair: bool = False  # a visit repairs it
    former: tuple[str, ...] = ()  # roles that it had and that its pool has no more
    idle: bool = False  # known to do nothing now
    looked: bool = True

    @property
    def health(self) -> str:
        return ", ".join(self.words) or ("ok" if self.looked else "-")

    def fault(self, word: str, sentence: str) -> None:
        self.words.append(word)
        self.faults.append(sentence)


def judge(nodes: Iterable[Seen], spark: Mapping[str, Any]) -> dict[str, Verdict]:
    """A verdict on every node.

    Args:
        nodes: all that run.
        spark: as M(sky.clusters.spark_info) returned it; empty if no master was asked.
    """
    return {node.name: _judged(node, _Master(spark)) for node in nodes}


class _Master:
    """What the master says. One that does not answer, or is still finding its workers again, proves nothing against them."""

    def __init__(self, spark: Mapping[str, Any]) -> None:
        self.answers = spark.get("status") == ALIVE
        self.asked = bool(spark)
        self.page = str(spark.get("page", ""))
        workers = spark.get("workers", [])
        self._states = {worker["host"]: str(worker["state"]) for worker in sorted(workers, key=lambda each: each["state"] == ALIVE)}
        self._idle = {worker["host"] for worker in workers if worker["state"] == ALIVE and not worker["cores_used"]}

    def state(self, address: str) -> str:
        return self._states.get(address, "unknown")

    def idle(self, address: str) -> bool:
        return self.answers and address in self._idle


def _judged(node: Seen, master: _Master) -> Verdict:
    verdict = Verdict(looked=bool(node.health))
    if node.health.get("reachable"):
        _judge_disks(node, verdict)
        _judge_units(node, verdict)
        _judge_spark(node, master, verdict)
        _judge_roles(node, verdict)
        _judge_rest(node, verdict)
    elif node.health:
        _judge_silent(node, master, verdict)
    verdict.idle = WORKER in node.roles and master.idle(node.address)
    return verdict


def _judge_silent(node: Seen, master: _Master, verdict: Verdict) -> None:
    """Ssh alone is no proof: the fault may be ours."""
    silent = f"it cannot be reached by ssh ({node.health.get('why', '')})"
    if WORKER not in node.roles or not master.answers:
        verdict.fault("no ssh", silent)
    elif master.state(node.address) == ALIVE:
        verdict.fault("no ssh", f"{silent}, though its worker is at work: left alone")
    else:
        verdict.fault("lost", f"{silent}, and the master has lost its worker")
        verdict.sick = verdict.faults[-1] if node.disposable else ""


def _judge_disks(node: Seen, verdict: Verdict) -> None:
    for disk in node.health.get("disks", []):
        if not disk["fault"]:
            continue
        if not disk["mounted"]:
            verdict.fault(f"no volume {disk['volume']}", disk["fault"])
            verdict.repair = True
        elif disk["volume"]:  # a new node would have the same one
            verdict.fault(f"volume {disk['volume']} full", disk["fault"])
        else:
            verdict.fault("disk full", disk["fault"])
            verdict.sick = disk["fault"] if node.disposable else ""


def _judge_units(node: Seen, verdict: Verdict) -> None:
    for unit in node.health.get("units", []):
        if unit["fault"]:
            verdict.fault(f"{unit['name']} {'faulty' if unit['state'] == 'active' else unit['state']}", unit["fault"])
            verdict.repair = True


def _judge_spark(node: Seen, master: _Master, verdict: Verdict) -> None:
    """A daemon that runs and does not do its work."""
    running = {unit["name"] for unit in node.health.get("units", []) if not unit["fault"]}
    if WORKER in node.roles and "spark-worker" in running and master.answers and master.state(node.address) != ALIVE:
        verdict.fault("not at the master", f"its worker runs, and is {master.state(node.address)} to the master")
    if MASTER in node.roles and "spark-master" in running and master.asked and not master.answers:
        verdict.fault("no answer", f"its master runs, and does not answer at {master.page}")


def _judge_roles(node: Seen, verdict: Verdict) -> None:
    """A role that was taken from its pool is removed by a visit; nothing is wrong with the node."""
    verdict.former = tuple(role for role in node.health.get("former_roles", []) if role in ROLES)
    verdict.words += [f"former {role}" for role in verdict.former]
    verdict.repair = verdict.repair or bool(verdict.former)


def _judge_rest(node: Seen, verdict: Verdict) -> None:
    memory = node.health.get("memory", {}).get("fault", "")
    if memory:
        verdict.fault("memory short", memory)
    for sentence in node.health.get("faults", []):
        if sentence not in verdict.faults:  # it could not be looked at as a whole
            verdict.fault("?", sentence)


def unproved(proof: Mapping[str, Any], nodes: Iterable[str]) -> str:
    """Why the last proof does not say that the cluster can run jobs; empty if it does.

    Args:
        proof: as M(sky.clusters.spark_info) returned it.
        nodes: the ids of the nodes that now take part.
    """
    if not proof:
        return "no job has proved Spark since a node was last changed"
    if proof["outcome"] == "postponed":
        return f"Spark is not proved by a job yet: {proof['why']}"
    if proof["outcome"] != "success":
        return f"the proof of {moment(proof['ended'])} failed: {proof['why']}"
    if not proof["current"] or (proof["nodes"] and set(proof["nodes"]) != set(nodes)):
        return f"the members or the settings of Spark have changed since the proof of {moment(proof['ended'])}"
    return ""


def moment(stamp: str) -> str:
    """A time for people."""
    return f"{stamp[:10]} {stamp[11:16]} UTC"


def services(nodes: Iterable[Seen]) -> list[dict[str, str]]:
    """Every service that should run on a node that was reached, and its state."""
    return [{"node": node.name, "unit": unit["name"], "state": unit["state"]} for node in nodes for unit in node.health.get("units", [])]


def notes(nodes: Iterable[Seen]) -> list[str]:
    """What is worth knowing, and neither keeps a cluster from its work nor is mended by a run."""
    return [f"{node.name}: {unit} has failed, which is not of this collection" for node in nodes for unit in node.health.get("failed_units", [])]
