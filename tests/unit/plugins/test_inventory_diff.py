# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running inventory that is older than the cluster."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import hosts
from ansible_collections.sky.clusters.plugins.plugin_utils._inventory_diff import differing, others, running
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import inventory_value
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of, opened, settled
from ansible_collections.sky.clusters.tests.support.world import World

NAMES = ["demo-worker-0", "demo-worker-1"]


class Known(dict[str, dict[str, Any]]):
    """Ansible's hostvars, as far as they are used."""

    def raw_get(self, name: str) -> dict[str, Any]:
        return self[name]


class Place:
    """A cluster of two nodes, and an inventory that knows them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cluster = cluster_of(world.folder, {"worker": 2})
        settled(world, self.cluster)
        self.known = Known({host.name: inventory_value(host.variables) for host in hosts(self.listings()["one"], "one", self.cluster)})
        self.known["site-box"] = {}

    def listings(self) -> dict[str, Any]:
        return {name: cloud.listing() for name, cloud in opened(self.cluster).items()}

    def differing(self, *changed: str) -> list[str]:
        listings = self.listings()
        return [str(host["name"]) for host in differing(listings, self.cluster, self.known, running(listings), changed)]


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


def test_an_unchanged_node_is_not_added(place: Place) -> None:
    assert place.differing() == []
    assert place.differing(NAMES[0]) == NAMES[:1]


def test_a_missing_node_is_added(place: Place) -> None:
    del place.known[NAMES[1]]
    assert place.differing() == NAMES[1:]


@pytest.mark.parametrize("key", ["sky_id", "sky_ready", "sky_address", "sky_state", "sky_volumes"])
def test_a_changed_node_is_added_again(place: Place, key: str) -> None:
    place.known[NAMES[0]][key] = "something else"
    assert place.differing() == NAMES[:1]


def test_a_stopped_node_is_not_added(place: Place) -> None:
    del place.known[NAMES[1]]
    place.world.set_node(NAMES[1], state="stopped")
    assert place.differing() == []


def test_lost_nodes_are_distinguished_from_other_hosts(place: Place) -> None:
    place.world.remove_node(NAMES[1])
    assert others(running(place.listings()), place.known) == NAMES[1:]
