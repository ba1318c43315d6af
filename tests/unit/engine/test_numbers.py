# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of nodes."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Listing, Mark, Node, State
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._network import BLOCK, Overlay
from ansible_collections.sky.clusters.plugins.module_utils._engine._numbers import address_of, free_numbers, refusals

OVERLAY = Overlay(wanted=True)


def node(index: int, number: int, address: str = "192.168.0.5") -> Node:
    return Node(f"demo-p-{index}", str(index), Mark("o", "demo", "p", index), State.RUNNING, (Address(address),), number=number)


def test_each_cloud_has_blocks_of_its_own() -> None:
    assert free_numbers({"a": [], "b": []}, {"a": 3, "b": 2}) == {"a": [1, 2, 3], "b": [257, 258]}
    assert free_numbers({"a": [1, 3], "b": [257]}, {"a": 2, "b": 1}) == {"a": [2, 4], "b": [258]}
    assert free_numbers({"a": [1], "b": [257], "c": []}, {"c": 1}) == {"c": [513]}


def test_a_full_block_is_followed_by_another() -> None:
    numbers = free_numbers({"a": list(range(1, 255)), "b": [257]}, {"a": 2})["a"]
    assert numbers == [513, 514]


def test_a_node_without_a_number_takes_none() -> None:
    assert free_numbers({"a": [0, 0, 2]}, {"a": 2}) == {"a": [1, 3]}


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 600), min_size=1), st.lists(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 300)))
)
def test_numbers_are_never_given_twice_and_clouds_never_share_a_block(first: dict[str, int], rounds: list[dict[str, int]]) -> None:
    taken: dict[str, list[int]] = {}
    for wanted in [first, *rounds]:
        found = free_numbers(taken, wanted)
        assert {cloud: len(numbers) for cloud, numbers in found.items()} == wanted
        for cloud, numbers in found.items():
            taken.setdefault(cloud, []).extend(numbers)
        every = [number for numbers in taken.values() for number in numbers]
        assert len(every) == len(set(every))
        owners = {(number // BLOCK, cloud) for cloud, numbers in taken.items() for number in numbers}
        assert len(owners) == len({block for block, _cloud in owners})
        for numbers in taken.values():  # some leave
            del numbers[::3]


def test_addresses() -> None:
    assert [address_of(OVERLAY, number) for number in (0, 1, 257, 65000)] == ["", "10.99.0.1", "10.99.1.1", "10.99.253.232"]


def test_what_cannot_have_an_address() -> None:
    standing = {"one": Listing((node(0, 1), node(1, 0), node(2, 2, "10.99.4.4")))}
    assert refusals(None, standing, {}) == []
    assert refusals(OVERLAY, standing, {"one": [3]}) == [
        "demo-p-1 was made by an earlier version and has no number for the overlay: replace it (-e sky_replace=demo-p-1)",
        "overlay.range: 10.99.0.0/16 holds 10.99.4.4, the address of demo-p-2 in cloud one; choose another range",
    ]
    assert refusals(OVERLAY, {"one": Listing((node(1, 0),))}, {}, {"demo-p-1"}) == []
    twice = {"one": Listing((node(0, 7),)), "two": Listing((node(1, 7),))}
    assert refusals(OVERLAY, twice, {}) == ["demo-p-0 and demo-p-1 have the same number in the overlay: replace one (-e sky_replace=demo-p-1)"]
    assert refusals(OVERLAY, twice, {}, {"demo-p-0"}) == []
    small = Overlay("10.50.0.0/20", wanted=True)
    assert refusals(small, {}, {"one": [16 * 256 - 256]}) == ["overlay.range: 10.50.0.0/20 has no room for more nodes; choose a larger range"]
    assert refusals(small, {}, {"one": [16 * 256 - 258]}) == []


def test_the_name_of_a_gateway_that_forwards_ssh_is_no_address_of_a_node() -> None:
    outside = Address("gate.example.org", public=True, port=10022)
    peer = replace(node(1, 1), addresses=(outside, Address("192.168.0.5")))
    assert refusals(OVERLAY, {"one": Listing(nodes=(peer,))}, {"one": [2]}) == []
