# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why Slurm does not take a job: the limit that it exceeds, in one sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .resources import Resources
from .slurm import Node, Queue, duration
from .submission import constraints, memory
from .values import clock


def refusal(wanted: Resources, queue_name: str, queues: Sequence[Queue], nodes: Sequence[Node]) -> str:
    """The first limit that a job exceeds; empty if it exceeds none."""
    chosen = [queue for queue in queues if (queue.name == queue_name if queue_name else queue.default)]
    if not chosen:
        known = ", ".join(queue.name for queue in queues)
        return (
            f"-q {queue_name}: there is no such queue; there are: {known}" if queue_name else f"-q: there is no default queue; choose one of: {known}"
        )
    queue = chosen[0]
    if not queue.enabled:
        return f"-q {queue.name}: the queue is disabled"
    return next((sentence for sentence in _faults(wanted, queue, [node for node in nodes if queue.name in node.queues]) if sentence), "")


def too_high(indices: str, most: int | None) -> str:
    """The first index of -t that is more than the server allows; empty if there is none."""
    found = [int(number) for number in re.findall(r"\d+", indices.partition("%")[0])]
    beyond = next((number for number in found if most is not None and number > most), None)
    return f"-t: the index {beyond} is more than the server allows ({most})" if beyond is not None else ""


def _faults(wanted: Resources, queue: Queue, nodes: Sequence[Node]) -> Iterable[str]:
    where = f"the queue {queue.name}"
    yield _walltime(wanted, queue)
    count = wanted.nodes or 1
    fitting = [node for node in nodes if _has(node, wanted)]
    names = constraints(wanted)
    if names and not fitting and not names.startswith("["):
        known = sorted({name for node in nodes for name in node.properties})
        yield f"-l nodes: no node of {where} has the property {names}; there are: {', '.join(known) or 'none'}"
    yield _hosts(wanted, nodes)
    most = queue.limit("MaxNodes")
    if most and not wanted.procs and count > int(most):
        yield f"-l nodes: {count} nodes are more than {where} allows ({most})"
    suitable = fitting if names and not names.startswith("[") else nodes
    if not wanted.procs and count > len(suitable):
        having = f" with the property {names}" if names and suitable is fitting else ""
        yield f"-l nodes: {count} nodes are more than {where} has ({len(suitable)}{having})"
    yield _processors(wanted, queue, nodes, where)
    yield _memory(wanted, queue, nodes, where)


def _walltime(wanted: Resources, queue: Queue) -> str:
    most = duration(queue.limit("MaxTime"))
    if most is not None and wanted.walltime is not None and wanted.walltime > most:
        return f"-l walltime: {clock(wanted.walltime)} is more than the queue {queue.name} allows ({clock(most)})"
    return ""


def _hosts(wanted: Resources, nodes: Sequence[Node]) -> str:
    known = {node.name for node in nodes}
    missing = [part.host for part in wanted.parts if part.host and part.host not in known]
    return f"-l nodes: there is no node {missing[0]}" if missing else ""


def _has(node: Node, wanted: Resources) -> bool:
    return {*wanted.properties, *(name for part in wanted.parts for name in part.properties)} <= set(node.properties)


def _processors(wanted: Resources, queue: Queue, nodes: Sequence[Node], where: str) -> str:
    most = max((node.processors for node in nodes), default=0)
    limit = queue.limit("MaxCPUsPerNode")
    if limit and wanted.ppn > int(limit):
        return f"-l nodes: ppn={wanted.ppn} is more than {where} allows ({limit})"
    if wanted.ppn > most:
        return f"-l nodes: ppn={wanted.ppn} is more than any node of {where} has ({most})"
    total = sum(node.processors for node in nodes)
    return f"-l procs: {wanted.procs} processors are more than {where} has ({total})" if wanted.procs > total else ""


def _memory(wanted: Resources, queue: Queue, nodes: Sequence[Node], where: str) -> str:
    reserved = memory(wanted)
    if reserved is None:
        return ""
    # of processors on any nodes, at least one is on a node
    asked = reserved.mebibytes * (wanted.ppn if reserved.of_processor else 1)
    name = "mem" if wanted.memory else "pmem"
    limit = queue.limit("MaxMemPerNode")
    if limit.isdigit() and asked > int(limit):
        return f"-l {name}: {asked} MiB on a node are more than {where} allows ({limit} MiB)"
    most = max((node.memory for node in nodes), default=0)
    return f"-l {name}: {asked} MiB on a node are more than any node of {where} has ({most} MiB)" if asked > most else ""
