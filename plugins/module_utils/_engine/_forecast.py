# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes that a run creates, replaces or starts, as they will be. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from .._clouds._contract import Address, Definition, Listing, Node, NodeSpec, State
from ._plan_model import CloudPlan


def forecast(
    part: CloudPlan, listing: Listing, addresses: Mapping[str, tuple[Address, ...]], definitions: Mapping[str, Definition]
) -> dict[str, Node]:
    """By name, the nodes of a cloud that run after this plan and do not run now, or are others then.

    Args:
        listing: what the cloud holds before the run.
        addresses: those that new nodes will have, by name, as far as they are known.
        definitions: what new nodes are made from, by pool, as far as that is known.
    """
    made = (*(spec for spec in part.create if spec.name not in part.existing), *part.replace)
    new = {spec.name: _new(spec, addresses.get(spec.name, ()), definitions.get(spec.mark.pool, Definition())) for spec in made}
    return {node.name: node for node in _started(part, listing)} | new


def _started(part: CloudPlan, listing: Listing) -> Iterator[Node]:
    """Existing nodes that are started, or have not finished booting."""
    names = {*part.existing, *(spec.name for spec in part.wait)}
    waking = (node for node in listing.nodes if node.name in names and node.state is not State.RUNNING)
    return (dataclasses.replace(node, state=State.RUNNING) for node in waking)


def _new(spec: NodeSpec, addresses: tuple[Address, ...], definition: Definition) -> Node:
    """A node that does not exist yet: without an id, and without a ready hash."""
    cores, memory = (int(definition.parts.get(name) or 0) for name in ("cores", "memory"))
    node = Node(spec.name, "", spec.mark, State.RUNNING, addresses, spec.flavor, spec.image, cores=cores, memory=memory)
    return dataclasses.replace(node, number=spec.number, clouds=spec.clouds)
