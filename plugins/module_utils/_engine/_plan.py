# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is wanted and what exists to what is to be done. Pure, with the modules that it imports: no I/O, no clock, no randomness."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from .._clouds._contract import Definition, Listing, Volume
from .._cluster_file._cluster import Cluster
from ._candidates import plan_replacements
from ._draft import Draft, Part, PoolView
from ._in_use import InUse, dropped, forgotten, recorded, refusal, server_nodes, serves
from ._numbers import free_numbers, refusals
from ._objections import check_clouds, check_health, check_removals, foreign_owners, replaceable, stray_notes, twice, undrained
from ._plan_model import CloudPlan, Plan, Wishes
from ._pools import drop_pool, nodes_by_pool, plan_pool, strays_by_pool


def plan(
    cluster: Cluster,
    owners: Mapping[str, str],
    existing: Mapping[str, Listing],
    wishes: Wishes | None = None,
    definitions: Mapping[str, Definition] | None = None,
) -> Plan:
    """Plan what makes the clouds match the file.

    Args:
        cluster: the file, with this run's counts.
        owners: owner of this run's marks, by cloud.
        existing: what each cloud holds of the cluster, by cloud; every cloud of the file must be there.
        wishes: what this run asks for beside the file.
        definitions: what a node of each pool would be made from now, by pool, as far as that is known.
    """
    wishes = wishes or Wishes()
    definitions = definitions or {}
    draft = Draft({cloud: Part() for cloud in existing}, replaceable(cluster, existing, wishes))
    draft.refusals += foreign_owners(cluster, owners, existing)
    draft.refusals += twice(existing)
    check_clouds(cluster, existing, wishes, draft)
    by_pool = nodes_by_pool(existing)
    strays = strays_by_pool(cluster, existing)
    for name, pool in cluster.pools.items():
        definition = definitions.get(name, Definition())
        view = PoolView(cluster, name, pool, owners[pool.cloud], by_pool.pop(name, []), strays.get(name, []), definition)
        plan_pool(view, existing, wishes, draft)
    for name, placed in sorted(by_pool.items()):
        drop_pool(cluster, name, placed, wishes, draft)
    check_removals(existing, wishes, draft)
    plan_replacements(cluster, existing, wishes, draft)
    check_health(cluster, existing, wishes, draft)
    _number(cluster, existing, wishes, draft)
    in_use = _in_use(existing, draft)
    first = _record(cluster, existing, in_use, draft)
    draft.notes += stray_notes(existing)
    made = Plan(
        clouds={cloud: part.done() for cloud, part in draft.parts.items()},
        drift=draft.drift,
        notes=tuple(draft.notes),
        kept_volumes={cloud: CloudPlan().homeless(listing) for cloud, listing in existing.items()},
        volumes=by_node(existing),
        in_use=in_use,
        first=first,
    )
    return made.refused(draft.refusals) if draft.refusals else made


def plan_destroy(cluster: Cluster, owners: Mapping[str, str], existing: Mapping[str, Listing], confirm: str = "") -> Plan:
    """Plan the deletion of every node of the cluster; volumes are kept, and named."""
    refusals, notes = [*foreign_owners(cluster, owners, existing), *undrained(existing)], stray_notes(existing)
    if confirm == cluster.name:
        notes += map(forgotten, dropped(existing))
    else:
        refusals += [refusal(cluster.name, cloud, "so that it is emptied too") for cloud in dropped(existing)]
    clouds = {cloud: CloudPlan(delete=() if refusals else listing.nodes) for cloud, listing in existing.items()}
    kept = {cloud: listing.volumes for cloud, listing in existing.items()}
    return Plan(clouds, notes=tuple(notes), refusals=tuple(refusals), kept_volumes=kept, volumes=by_node(existing))


def _number(cluster: Cluster, existing: Mapping[str, Listing], wishes: Wishes, draft: Draft) -> None:
    """Give each new node a number; one that is only started or completed keeps its own."""
    taken = {cloud: [node.number for node in listing.nodes] for cloud, listing in existing.items()}
    new = {cloud: [place for place, spec in enumerate(part.create) if spec.name not in part.existing] for cloud, part in draft.parts.items()}
    numbers = free_numbers(taken, {cloud: len(places) for cloud, places in new.items()})
    for cloud, places in new.items():
        create = draft.parts[cloud].create
        for place, number in zip(places, numbers[cloud], strict=True):
            create[place] = dataclasses.replace(create[place], number=number)
    _number_replaced(cluster, existing, draft)
    draft.refusals += refusals(cluster.overlay, existing, numbers, wishes.replace)


def _number_replaced(cluster: Cluster, existing: Mapping[str, Listing], draft: Draft) -> None:
    """Give replaced nodes the numbers that they get once their predecessors are deleted: the run plans them again then, this is for the forecast."""
    pools = list(cluster.pools)
    gone = {spec.name for part in draft.parts.values() for spec in part.replace}
    taken = {cloud: [node.number for node in listing.nodes if node.name not in gone] for cloud, listing in existing.items()}
    for cloud, part in draft.parts.items():
        part.replace.sort(key=lambda spec: (pools.index(spec.mark.pool), spec.mark.index))
        taken[cloud] += [spec.number for spec in part.create]
    numbers = free_numbers(taken, {cloud: len(part.replace) for cloud, part in draft.parts.items()})
    for cloud, part in draft.parts.items():
        part.replace = [dataclasses.replace(spec, number=number) for spec, number in zip(part.replace, numbers[cloud], strict=True)]


def _in_use(existing: Mapping[str, Listing], draft: Draft) -> InUse:
    after = {
        cloud
        for cloud, listing in existing.items()
        if draft.parts[cloud].create or listing.volumes or any(draft.stays(cloud, node) for node in listing.nodes)
    }
    before = recorded(existing) & existing.keys()  # one that is forgotten is so from the start
    return InUse(tuple(sorted(before | after)), tuple(sorted(after)))


def _record(cluster: Cluster, existing: Mapping[str, Listing], in_use: InUse, draft: Draft) -> frozenset[str]:
    """Let the server nodes name the clouds in use, new ones from their birth on; those that must be made before other clouds make any."""
    born: set[str] = set()
    stands = False
    for cloud, part in draft.parts.items():
        servers = [node for node in server_nodes(cluster, existing[cloud]) if draft.stays(cloud, node)]
        stands = stands or bool(servers)
        part.record += [node for node in servers if set(node.clouds) != set(in_use.after)]
        for place, spec in enumerate(part.create):
            if serves(cluster, spec.mark.pool):
                part.create[place] = dataclasses.replace(spec, clouds=in_use.meanwhile)
                born.add(spec.name)
    return frozenset() if stands else frozenset(born)


def by_node(existing: Mapping[str, Listing]) -> dict[str, tuple[Volume, ...]]:
    """The volumes that exist, by the name of their node."""
    found: dict[str, tuple[Volume, ...]] = {}
    for volume in (volume for listing in existing.values() for volume in listing.volumes):
        found[volume.mark.node_name] = (*found.get(volume.mark.node_name, ()), volume)
    return found
