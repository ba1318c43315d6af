# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which offer a job uses: the one that was answered, the only one, or the one whose pools the cluster has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._base._schema import hint
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Node
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, ClusterFileError, parse
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import list_all, open_clouds, option_classes, owners
from ansible_collections.sky.clusters.plugins.plugin_utils._answers import NAME, OFFER, OWNER, PREFIX, Offer, filled, named, with_owner

Nodes = Mapping[str, Sequence[Node]]  # by cloud


@dataclass(frozen=True)
class Request:
    """An offer with answers in their places."""

    name: str
    offer: Offer
    answers: dict[str, Any]
    data: dict[str, Any]
    cluster: Cluster


class Offers:
    """The offers of a project, and the answers of one job."""

    def __init__(self, files: Mapping[str, Path], read: Callable[[Path], Offer], answers: Mapping[str, Any], user: str) -> None:
        """Read nothing yet.

        Args:
            files: of the offers, by their names.
            user: who started the job; empty if nobody did.
        """
        self._files = files
        self._read = read
        self._answers = answers
        self._user = user
        self._listed: dict[str, tuple[Mapping[str, str], Nodes]] = {}

    def request(self) -> Request:
        """What is asked for, of the offer that fits.

        Raises:
            ClusterFileError: no offer is chosen, or one whose pools the cluster does not have while it has those of another offer.
            FleetError: a cloud could not be asked.
        """
        name = self._answers.get(OFFER) or (next(iter(self._files)) if len(self._files) == 1 else self._found())
        if not isinstance(name, str) or name not in self._files:
            raise ClusterFileError([f"{PREFIX}{OFFER}: unknown offer {name!r}{hint(name, list(self._files))}"])
        request = self._request(name, self._answers)
        if len(self._files) > 1 and (pools := pools_of(self.nodes(request.cluster))) - set(request.cluster.pools):
            others = [other for other in self._fitting() if other != name]
            if others:
                raise ClusterFileError([_another(request.cluster.name, pools, name, others)])
        return request

    def nodes(self, cluster: Cluster) -> Nodes:
        """The nodes of the cluster that belong to the owner of the request."""
        own, every = self._every(cluster)
        return {name: [node for node in nodes if node.mark.owner == own[name]] for name, nodes in every.items()}

    def _every(self, cluster: Cluster) -> tuple[Mapping[str, str], Nodes]:
        """The owner of the request in each cloud, and the nodes of all clusters of this name; offers mostly have the same clouds."""
        key = repr((cluster.name, cluster.settings.owner, cluster.clouds))
        if key not in self._listed:
            clouds = open_clouds(cluster)
            self._listed[key] = owners(clouds), {name: listing.nodes for name, listing in list_all(clouds).items()}
        return self._listed[key]

    def _request(self, name: str, answers: Mapping[str, Any]) -> Request:
        offer = self._read(self._files[name])
        own = with_owner(answers, offer, self._user)
        data = filled(offer, own)
        return Request(name, offer, own, data, accepted(data, offer, own))

    def _found(self) -> str:
        """The offer of the cluster that exists.

        Raises:
            ClusterFileError: there is no cluster of this name, or several offers have its pools.
        """
        fitting = self._fitting()
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise ClusterFileError([f"{PREFIX}{OFFER}: is required: the offers {' and '.join(fitting)} have all pools of the cluster"])
        raise ClusterFileError([f"{PREFIX}{OFFER}: is required for a new cluster{hint(None, list(self._files))}"])

    def _fitting(self) -> list[str]:
        """The offers that have all pools of the cluster."""
        found = []
        for name in self._files:
            known = self._read(self._files[name]).answers
            request = self._request(name, {key: value for key, value in self._answers.items() if key == NAME or (key == OWNER and OWNER in known)})
            # those of somebody else's cluster last: the run says whose it is
            pools = pools_of(self.nodes(request.cluster)) or pools_of(self._every(request.cluster)[1])
            if pools and pools <= set(request.cluster.pools):
                found.append(name)
        return found


def accepted(data: Mapping[str, Any], offer: Offer, answers: Mapping[str, Any]) -> Cluster:
    """The cluster that a file describes.

    Raises:
        ClusterFileError: it is refused; its faults name the answers that caused them.
    """
    try:
        return parse(data, option_classes())
    except ClusterFileError as error:
        raise ClusterFileError(named(error.faults, offer, answers)) from None


def pools_of(nodes: Nodes) -> set[str]:
    return {node.mark.pool for listed in nodes.values() for node in listed}


def _another(cluster: str, pools: Iterable[str], name: str, others: Sequence[str]) -> str:
    fitting = " or ".join(f"{PREFIX}{OFFER}: {other}" for other in others)
    return f"{PREFIX}{OFFER}: cluster {cluster} has the pools {', '.join(sorted(pools))}, and is not of kind {name}; set {fitting}"
