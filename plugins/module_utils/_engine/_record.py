# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the names of the clouds in use into the server nodes of a cluster."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from .._clouds._contract import CloudError, Listing, Node
from .._cluster_file._cluster import Cluster
from ._fleet import Fleet
from ._in_use import recorded, server_nodes
from ._outcome import Outcome
from ._plan_model import Plan


@dataclass(frozen=True)
class Record:
    """What the server nodes say about the clouds in use."""

    cluster: Cluster
    fleet: Fleet

    def before(self, made: Plan) -> None:
        """Name each cloud before anything is created in it; clouds that are named already stay as long as they may hold something."""
        wanted = made.in_use.meanwhile
        for cloud, part in made.clouds.items():
            self._set(cloud, [node for node in part.record if not set(wanted) <= set(node.clouds)], wanted)

    def after(self, outcome: Outcome) -> list[str]:
        """Name the clouds that are in use now: the planned ones, and those that something could not be deleted from.

        Returns:
            Faults.
        """
        held = {cloud for cloud, listing in outcome.listings.items() if listing.nodes or listing.volumes}
        return self._write(outcome.listings, held.union(outcome.plan.in_use.after))

    def after_deletion(self, outcome: Outcome) -> list[str]:
        """No longer name a cloud that a deletion left without nodes and volumes.

        Returns:
            Faults.
        """
        gone = {result.name for result in outcome.result.nodes.values() if result.ok}
        left = {cloud: replace(listing, nodes=tuple(n for n in listing.nodes if n.name not in gone)) for cloud, listing in outcome.listings.items()}
        touched = {cloud for cloud, part in outcome.plan.clouds.items() if part.delete}
        emptied = {cloud for cloud in touched if not left[cloud].nodes and not left[cloud].volumes}
        return self._write(left, recorded(left) - emptied) if emptied else []

    def _write(self, listings: Mapping[str, Listing], wanted: Collection[str]) -> list[str]:
        faults = []
        for cloud, listing in listings.items():
            try:
                self._set(cloud, [node for node in server_nodes(self.cluster, listing) if set(node.clouds) != set(wanted)], wanted)
            except CloudError as error:
                faults.append(f"cloud {cloud}: the clouds in use could not be recorded: {error}")
        return faults

    def _set(self, cloud: str, nodes: Sequence[Node], wanted: Collection[str]) -> None:
        if nodes:
            self.fleet.ask(cloud, partial(self.fleet.clouds[cloud].set_clouds, nodes, tuple(sorted(wanted))), "set clouds")
