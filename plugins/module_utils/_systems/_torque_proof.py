# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of a batch system: its stamp on the server, and the jobs that its queues allow. Sent to the nodes: it uses only the standard library."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ._proof_stamp import ProofStamp

STAMP = ProofStamp(Path("/var/lib/sky/proof/torque.json"), Path("/etc/slurm/slurm.conf"))

SECONDS = 300  # that a job of the proof may run, where its queue allows that


@dataclass(frozen=True)
class Queue:
    """A queue, as far as a proof has to know it.

    Attributes:
        most: nodes that a job may have.
        seconds: that a job may run, at most SECONDS.
        groups: whose members may use it; everybody if empty.
    """

    name: str
    default: bool
    open: bool
    nodes: frozenset[str]
    most: int
    seconds: int
    groups: frozenset[str]

    def takes(self, groups: Collection[str]) -> bool:
        return self.open and (not self.groups or bool(self.groups & set(groups)))


@dataclass(frozen=True)
class Job:
    """A job of the proof."""

    queue: Queue
    nodes: tuple[str, ...]

    @property
    def options(self) -> list[str]:
        """Of qsub. Nodes are named only where the queue has others."""
        named = str(len(self.nodes)) if self.queue.nodes == set(self.nodes) else "+".join(self.nodes)
        return ["-q", self.queue.name, "-l", f"nodes={named}", "-l", f"walltime={self.queue.seconds}"]


def queues(partitions: str, members: str) -> list[Queue]:
    """The queues.

    Args:
        partitions: what ``scontrol show partition --oneliner`` says.
        members: a line for each node of each queue: both names.
    """
    pairs = [line.split() for line in members.splitlines() if line.strip()]
    records = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in partitions.splitlines() if "PartitionName=" in line]
    return [_queue(record, frozenset(node for node, *queue in pairs if queue == [record["PartitionName"]])) for record in records]


def _queue(record: dict[str, str], nodes: frozenset[str]) -> Queue:
    most, longest, groups = record.get("MaxNodes", ""), _seconds(record.get("MaxTime", "")), record.get("AllowGroups", "ALL")
    return Queue(
        name=record["PartitionName"],
        default=record.get("Default") == "YES",
        open=record.get("State") == "UP",
        nodes=nodes,
        most=int(most) if most.isdigit() and int(most) else len(nodes),
        seconds=min(SECONDS, longest) if longest else SECONDS,
        groups=frozenset() if groups == "ALL" else frozenset(groups.split(",")),
    )


def _seconds(text: str) -> int:
    """Of Slurm's [days-]hours:minutes:seconds; 0 where there is no limit."""
    found = re.fullmatch(r"(?:(\d+)-)?(\d+):(\d+):(\d+)", text)
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def plan(nodes: Iterable[str], known: Sequence[Queue], groups: Collection[str]) -> list[Job]:
    """As few jobs as the queues allow, which have each of these nodes once, but for those that no queue has for this user."""
    left, usable, found = list(nodes), [queue for queue in known if queue.takes(groups)], []
    while left and usable:
        best = max(usable, key=lambda queue: _worth(queue, left))
        inside = [node for node in left if node in best.nodes]
        if not inside:
            break
        found += [Job(best, tuple(inside[place : place + best.most])) for place in range(0, len(inside), best.most)]
        left = [node for node in left if node not in inside]
    return found


def _worth(queue: Queue, left: Collection[str]) -> tuple[int, int, int, bool]:
    covered = len(queue.nodes & set(left))
    return covered, min(covered, queue.most), queue.seconds, queue.default


def limited(jobs: Sequence[Job], nodes: Collection[str], user: str) -> str:
    """What a proof by these jobs leaves open; empty if it is one job with all of the nodes."""
    bare = sorted(set(nodes) - {node for job in jobs for node in job.nodes})
    names = ", ".join(dict.fromkeys(job.queue.name for job in jobs))
    parts = [f"by {len(jobs)} jobs of at most {max(len(job.nodes) for job in jobs)} node(s), as the queues allow ({names})"] if len(jobs) > 1 else []
    return "; ".join([*parts, *([f"not on {', '.join(bare)}: no queue there takes jobs of {user}"] if bare else [])])
