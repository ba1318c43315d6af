# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands, and what a run would do, in lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ._apply import NodeResult
from ._cloud import Listing, Volume
from ._cluster import Cluster
from ._plan import Plan

HEADINGS = ("node", "cloud", "state", "address", "flavor", "roles", "ready")


def foretold(plan: Plan) -> list[str]:
    """What a plan would do, one line each."""
    lines: list[str] = []
    for cloud, part in plan.clouds.items():
        replaced = {node.name for node in part.delete}
        lines += [f"{node.name}: delete ({node.state.value}) in {cloud}" for node in part.delete]
        for spec in part.create:
            verb = "complete" if spec.name in part.standing else "make again" if spec.name in replaced else "make"
            lines.append(f"{spec.name}: {verb} in {cloud} ({spec.flavor}, {spec.image})")
        lines += [f"{volume.name}: extend to {volume.size} GiB in {cloud}" for volume in part.resize]
        lines += [f"{node.name}: drain and delete in {cloud}" for node in part.leave]
    return lines


def failures(results: Iterable[NodeResult]) -> list[str]:
    """Why nodes failed, one sentence each."""
    return [f"{result.name} failed{_how_far(result)}: {result.reason}" for result in results]


def _how_far(result: NodeResult) -> str:
    stage = next((stage for stage in ("reachable", "booted", "made") if stage in result.seconds), "")
    words = [f"after it was {stage}"] * bool(stage) + [f"{result.launches} attempts"] * (result.launches > 1)
    return f" ({', '.join(words)})" if words else ""


def node_table(cluster: Cluster, listings: Mapping[str, Listing]) -> list[str]:
    """The nodes of a cluster, one line each under a heading."""
    rows = [
        (
            node.name,
            cloud,
            node.state.value,
            node.address(public=True) or node.address() or "-",
            node.flavor or "-",
            ",".join(cluster.pools[node.mark.pool].roles if node.mark.pool in cluster.pools else ()) or "-",
            "yes" if node.ready else "no",
        )
        for cloud, listing in listings.items()
        for node in listing.nodes
    ]
    return table(HEADINGS, sorted(rows, key=lambda row: (row[0].rsplit("-", 1)[0], int(row[0].rsplit("-", 1)[1]))))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows in columns as wide as they need to be."""
    every = [tuple(headings), *map(tuple, rows)]
    widths = [max(len(row[column]) for row in every) for column in range(len(headings))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every]


def kept_lines(volumes: Iterable[Volume]) -> list[str]:
    """Data volumes that are kept while they have no node."""
    kept = sorted(volumes, key=lambda volume: volume.name)
    if not kept:
        return []
    gigabytes = sum(volume.size for volume in kept)
    return [f"kept: {len(kept)} data volume(s), {gigabytes} GiB in all", *(f"  {volume.name} {volume.size} GiB" for volume in kept)]
