# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of nodes, from which their addresses in an overlay follow. Pure.

Each cloud has blocks of numbers of its own, so that one route leads to all of its nodes of a block. Which blocks a cloud has is seen from the numbers
of its nodes; nothing else stores it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping

from .._clouds._contract import Listing
from .._cluster_file._network import BLOCK, Overlay

UNUSED = (0, BLOCK - 1)  # places of a block that look like addresses of a network and of its broadcast


def free_numbers(taken: Mapping[str, Collection[int]], wanted: Mapping[str, int]) -> dict[str, list[int]]:
    """The lowest free numbers for new nodes, by cloud.

    Args:
        taken: the numbers of all nodes that exist, by cloud.
        wanted: how many new nodes each cloud gets.
    """
    blocks = {cloud: {number // BLOCK for number in numbers if number} for cloud, numbers in taken.items()}
    found: dict[str, list[int]] = {}
    for cloud, count in wanted.items():
        own = blocks.setdefault(cloud, set())
        used = {number for numbers in taken.values() for number in numbers}  # two clouds share a block if somebody changed what nodes bear
        numbers: list[int] = []
        for number in _of_blocks(own):
            if len(numbers) == count:
                break
            if number not in used:
                numbers.append(number)
        while len(numbers) < count:
            block = _first_free({block for each in blocks.values() for block in each})
            own.add(block)
            numbers += list(_of_blocks([block]))[: count - len(numbers)]
        found[cloud] = numbers
    return found


def _of_blocks(blocks: Iterable[int]) -> Iterable[int]:
    return (block * BLOCK + place for block in sorted(blocks) for place in range(BLOCK) if place not in UNUSED)


def _first_free(blocks: Collection[int]) -> int:
    block = 0
    while block in blocks:
        block += 1
    return block


def address_of(overlay: Overlay, number: int) -> str:
    """The address of a node in the overlay; empty if it has no number."""
    return str(overlay.network.network_address + number) if number else ""


def refusals(overlay: Overlay | None, existing: Mapping[str, Listing], new: Mapping[str, Iterable[int]], replaced: Collection[str] = ()) -> list[str]:
    """Why the nodes cannot have the addresses that an overlay would give them: one sentence each.

    Args:
        new: the numbers of the nodes that are to be made, by cloud.
        replaced: names of nodes that are being replaced.
    """
    if overlay is None:
        return []
    found = []
    room = overlay.network.num_addresses - BLOCK  # the last block is for people outside
    nodes = [(cloud, node) for cloud, listing in existing.items() for node in listing.nodes]
    if any(number >= room for numbers in new.values() for number in numbers) or any(node.number >= room for _cloud, node in nodes):
        found.append(f"overlay.range: {overlay.range} has no room for more nodes; choose a larger range")
    bearers: dict[int, str] = {}
    for cloud, node in nodes:
        if node.number in bearers and node.number and not {node.name, bearers[node.number]} & set(replaced):
            found.append(f"{bearers[node.number]} and {node.name} have the same number in the overlay: replace one (-e sky_replace={node.name})")
        bearers.setdefault(node.number, node.name)
        own = [each.address for each in node.addresses if each.family == 4 and not each.port]  # with a port it is a gateway's
        inside = [address for address in own if ipaddress.IPv4Address(address) in overlay.network]
        if inside:
            found.append(f"overlay.range: {overlay.range} holds {inside[0]}, the address of {node.name} in cloud {cloud}; choose another range")
        if not node.number and node.name not in replaced:
            found.append(f"{node.name} was made by an earlier version and has no number for the overlay: replace it (-e sky_replace={node.name})")
    return found
