# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a cluster: its nodes, their health and what a run would do, as data and as lines for people. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._views._lines import Configuration, plan_lines, plan_rows
from ansible_collections.sky.clusters.plugins.module_utils._views._reasons import visit_reasons
from ansible_collections.sky.clusters.plugins.module_utils._views._summary import kept_lines, table
from ansible_collections.sky.clusters.plugins.plugin_utils._findings import moment
from ansible_collections.sky.clusters.plugins.plugin_utils._plan_file import plan_data
from ansible_collections.sky.clusters.plugins.plugin_utils._role_removal import drained, removed

HEADINGS = ("node", "cloud", "state", "address", "flavor", "roles", "configured", "health")
DISPENSABLE = ("flavor", "cloud", "address")
WIDEST = 78  # columns; two more are blanks before each line
NO_NODE = "no node exists"
UNSEEN = "the health of the nodes was not checked (sky_look is false)"


@dataclass(frozen=True)
class Status:
    """The results of the preceding tasks."""

    cluster: str
    info: Mapping[str, Any]  # of M(sky.clusters.nodes_info)
    findings: Mapping[str, Any]  # of M(sky.clusters.findings)
    visits: Mapping[str, Any]  # of M(sky.clusters.visit)
    looked: bool = True

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """The nodes of all clouds, each with its health and its faults."""
        unseen = {"health": "-", "faults": []}
        joined = [dict(node) | self.findings["nodes"].get(node["name"], unseen) for node in self.info["nodes"]]
        return sorted(joined, key=lambda node: (node["name"].rpartition("-")[0], int(node["name"].rpartition("-")[2])))

    @property
    def to_visit(self) -> list[str]:
        """The nodes that a run would visit, new ones last."""
        return [] if self.info["refusals"] else [*self.visits["names"], *self.visits["later"]]

    @property
    def removals(self) -> dict[str, list[str]]:
        """The Ansible roles that a run would remove from nodes because their pool no longer has them."""
        former = {} if self.info["refusals"] else self.findings["former"]
        return removed(former)

    @property
    def configuration(self) -> Configuration:
        """What a run would configure."""
        visits = visit_reasons({name: self.visits["reasons"][name] for name in self.to_visit}, self.findings["nodes"])
        return Configuration(visits, self.removals, self.findings.get("added", {}), drained(self.findings["former"]), self.visits["drains"])

    @property
    def notes(self) -> list[str]:
        return [*self.info["notes"], *self.findings["notes"]]

    def plain(self) -> dict[str, Any]:
        """The status as data, with the lines for people."""
        reasons = list(self.reasons())
        rows = plan_rows(self.info["plan"], self.configuration)
        same = ("runs", "volumes", "kept_volumes", "changes", "drift", "refusals")
        return (
            {
                "cluster": self.cluster,
                "ready": not reasons,
                "reasons": reasons,
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "nodes": [{**node, "ready": not _unfit(node, self.looked)} for node in self.nodes],
                "pools": dict(self.info["pools"]),
                "services": self.findings["services"],
                "shares": self.findings["shares"],
                "systems": self.findings["systems"],
                "faults": self.findings["faults"],
                "visits": self.to_visit,
                "notes": self.notes,
                "summary": [*self._lines(), f"ready: no: {'; '.join(reasons)}" if reasons else "ready: yes"],
            }
            | {key: self.info[key] for key in same}
            | plan_data(rows)
        )

    def reasons(self) -> Iterator[str]:
        """Why the cluster is not ready. A missing proof is named only if there is no other reason."""
        reasons = list(self._unready())
        yield from reasons or self._unproved()

    def _unready(self) -> Iterator[str]:
        if not self.info["nodes"]:
            yield NO_NODE
            return
        if not self.looked:
            yield UNSEEN
        for name, pool in self.info["pools"].items():
            nodes = [node for node in self.nodes if node["pool"] == name]
            unfit = [reason for node in nodes if (reason := _unfit(node, self.looked))]
            fit = len(nodes) - len(unfit)
            if fit < pool["min_count"]:
                yield f"pools.{name}: {fit} fit node(s) where at least {pool['min_count']} are needed" + (f" ({', '.join(unfit)})" if unfit else "")

    def _unproved(self) -> Iterator[str]:
        for view in self.findings["systems"].values():
            if missing := view.get("proof", {}).get("missing"):
                yield missing

    def _lines(self) -> Iterator[str]:
        yield from self._runs()
        if self.info["nodes"]:
            yield from _fitted([HEADINGS, *map(_row, self.nodes)])
        yield from _service_lines(self.findings["services"])
        yield from _share_lines(self.findings["shares"])
        yield from _system_lines(self.findings["systems"])
        yield from kept_lines({volume["name"]: volume["size"] for volume in self.info["kept_volumes"]})
        yield from (f"fault: {line}" for line in self.findings["faults"])
        yield from self._foretold()
        yield from self.info.get("estimate", ())
        yield from (f"differs: {line}" for line in self.info["drift"])
        yield from (f"note: {line}" for line in self.notes)

    def _runs(self) -> Iterator[str]:
        yield from (f"run in progress: {run['who']}" + (f" since {run['since']}" if run["since"] else "") for run in self.info["runs"])

    def _foretold(self) -> Iterator[str]:
        yield from (f"a run would refuse: {line}" for line in self.info["refusals"])
        lines = plan_lines(self.info["plan"], self.configuration)
        if lines:
            yield from ["a run would:", *(f"  {line}" for line in lines)]
        elif not self.info["refusals"]:
            yield "a run would: change nothing"


def _unfit(node: Mapping[str, Any], looked: bool) -> str:
    """Why a node is not fit; empty if it is.

    Args:
        looked: whether the health of nodes was checked; if not, this is reported once.
    """
    if node["state"] != "running":
        return f"{node['name']} is {node['state']}"
    if not node["ready_hash"]:
        return f"{node['name']} is not configured yet"
    if looked and node["health"] == "-":
        return f"the health of {node['name']} was not checked"
    return f"{node['name']}: {node['health']}" if node["faults"] else ""


def _fitted(rows: list[tuple[str, ...]]) -> list[str]:
    """A table without its least important columns, as far as it would not fit on a screen. The data has all of them."""
    for name in ("", *DISPENSABLE):
        rows = [tuple(cell for cell, heading in zip(row, rows[0], strict=True) if heading != name) for row in rows]
        lines = table(rows[0], rows[1:])
        if max(map(len, lines)) <= WIDEST:
            break
    return lines


def _row(node: Mapping[str, Any]) -> tuple[str, ...]:
    configured = "yes" if node["ready_hash"] else "no"
    cells = (node["name"], node["cloud"], node["state"], node["address"], node["flavor"], ",".join(node["roles"]), configured, node["health"])
    return tuple(str(cell) or "-" for cell in cells)


def _service_lines(services: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """For each service the number of its nodes on which it runs."""
    states: dict[str, list[str]] = {}
    for service in services:
        states.setdefault(service["unit"], []).append(service["state"])
    if states:
        yield "services: " + ", ".join(f"{unit} runs on {found.count('active')} of {len(found)}" for unit, found in states.items())


def _share_lines(shares: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """For each mounted folder its size, how full it is, and on how many nodes it is mounted. Nodes with another size have another folder."""
    found: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for share in shares:
        found.setdefault((share["mount"], share["size"]), []).append(share)
    for (mount, size), seen in found.items():
        last = seen[-1]
        yield f"folder {mount}: {last['used_percent']} % of {size} MiB in use, {last['free']} MiB free, on {len(seen)} node(s)"


def _system_lines(systems: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The answer of the head of each system."""
    for name, view in systems.items():
        yield _system_line(name, view)
        yield from _proof_lines(name, view.get("proof", {}))
        for job in view["work"]:
            yield f"  {job['id']} {job['name']} of {job['user']}: {job['state']}, {job['size']}, since {job['since']}"


def _system_line(name: str, view: Mapping[str, Any]) -> str:
    if not view["answers"] and not view["facts"]:
        return f"{name}: no answer at {view['page']}"
    members = [member for member in view["members"] if member["at_work"]]
    facts = [f"{fact} {value}" for fact, value in view["facts"].items()]
    busy = sum(member["busy"] for member in members)
    ready = [] if view["answers"] else ["not ready"]  # such as a NameNode in safe mode, which says more than that
    return f"{name}: {', '.join([view['page'], *ready, f'{len(members)} member(s), {busy} busy', *facts])}"


def _proof_lines(name: str, proof: Mapping[str, Any]) -> Iterator[str]:
    """The time and the result of the last proof."""
    if proof.get("outcome") == "success":
        yield f"{name}: proved at {moment(proof['ended'])}: {proof['words']}"
    elif proof.get("outcome"):
        yield f"{name}: proof {proof['outcome']} at {moment(proof['ended'])}: {proof['why']}"
