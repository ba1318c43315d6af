# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hours and costs of a cluster, from what its clouds list."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.action.costs import as_text
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Listing, Mark, Node, State, Volume
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, ClusterFileError, parse
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import option_classes
from ansible_collections.sky.clusters.plugins.module_utils._views._costs import Costs, costs, estimate

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PRICES = {"flavors": {"small": 0.5, "large": 2}, "volume": 0.01, "currency": "EUR"}


def cluster(prices: Any = None) -> Cluster:
    here = {"provider": "lxc", **({} if prices is None else {"prices": prices})}
    pools = {"m": {"cloud": "here", "count": 1, "volumes": {"d": 10}}, "w": {"cloud": "here", "count": 3, "flavor": "large"}}
    return parse({"cluster": "c", "clouds": {"here": here}, "pools": pools}, option_classes())


def node(pool: str, index: int, created: str, flavor: str, owner: str = "ada") -> Node:
    return Node(f"c-{pool}-{index}", pool, Mark(owner, "c", pool, index), State.RUNNING, flavor=flavor, created=created)


def volume(created: str, size: int = 10) -> Volume:
    return Volume("c-m-0-d", "v", Mark("ada", "c", "m", 0), size, created=created)


LISTING = Listing(
    (
        node("m", 0, "2026-11-28T10:00:00+00:00", "small"),
        node("w", 0, "2026-11-28T11:00:00Z", "large"),
        node("w", 1, "2026-11-28T13:30:00+02:00", "large"),
        node("w", 2, "2026-11-28T06:00:00Z", "large", owner="bob"),
    ),
    (volume("2026-11-28T02:00:00.000000"),),  # in UTC, as Cinder writes it
)


def worked_out(listing: Listing = LISTING, prices: Any = "usual") -> Costs:
    return costs(cluster(PRICES if prices == "usual" else prices), {"here": "ada"}, {"here": listing}, NOW)


def test_hours_and_costs() -> None:
    rows = [(item.owner, item.pool, item.kind, item.number, item.hours, item.rate, item.cost) for item in worked_out().items]
    assert rows == [
        ("ada", "m", "nodes", 1, 2.0, 0.5, 1.0),
        ("ada", "w", "nodes", 2, 1.5, 4.0, 3.0),
        ("bob", "w", "nodes", 1, 6.0, 2.0, 12.0),
        ("ada", "m", "volumes", 1, 100.0, 0.1, 1.0),
    ]


def test_sums() -> None:
    totals = worked_out().plain()["totals"]
    assert totals["cluster"] == [{"cluster": "c", "node_hours": 9.5, "gib_hours": 100.0, "cost": {"EUR": 17.0}, "at_least": {"EUR": 17.0}}]
    assert [(row["owner"], row["cost"]) for row in totals["owner"]] == [("ada", {"EUR": 5.0}), ("bob", {"EUR": 12.0})]
    assert [(row["pool"], row["gib_hours"]) for row in totals["pool"]] == [("m", 100.0), ("w", 0)]


def test_the_estimate_needs_no_node() -> None:
    found = worked_out(Listing())
    assert found.items == ()
    assert list(found.lines()) == ["as the cluster file says: 6.60 EUR per hour, 4818.00 per month of 730 hours"]
    assert estimate(cluster(PRICES)) == list(found.lines())
    assert estimate(cluster()) == []


def test_without_prices_there_are_hours_alone() -> None:
    found = worked_out(prices=None)
    assert found.missing() == []
    assert found.plain()["totals"]["cluster"][0]["cost"] == {}
    assert list(found.lines())[-1] == "used so far: 9.50 node hours, 100.00 GiB-hours of volumes"


def test_a_price_that_is_missing_is_named_and_not_taken_for_nothing() -> None:
    found = worked_out(prices=PRICES | {"flavors": {"small": 0.5}})
    assert found.missing() == ["clouds.here.prices.flavors.large: is not given, so neither its cost is known nor that of sums with it"]
    total = found.plain()["totals"]["cluster"][0]
    assert (total["cost"], total["at_least"]) == ({"EUR": None}, {"EUR": 2.0})
    assert list(found.lines())[-3:] == [
        "used so far: 9.50 node hours, 100.00 GiB-hours of volumes, cost at least 2.00 EUR",
        "as the cluster file says: at least 0.6000 EUR per hour, 438.00 per month of 730 hours",
        f"note: {found.missing()[0]}",
    ]


def test_a_volume_whose_age_its_cloud_does_not_tell_is_named_and_not_taken_for_nothing() -> None:
    found = worked_out(Listing(LISTING.nodes[:1], (volume(""),)))
    total = found.plain()["totals"]["cluster"][0]
    assert (total["gib_hours"], total["cost"], total["at_least"]) == (None, {"EUR": None}, {"EUR": 1.0})
    assert found.missing() == []
    assert found.plain()["unknown"] == [
        "pools.m: cloud here does not tell when its volumes were created, so neither their cost is known nor that of sums with it"
    ]
    assert list(found.lines())[-3:] == [
        "used so far: 2.00 node hours, - GiB-hours of volumes, cost at least 1.00 EUR",
        "as the cluster file says: 6.60 EUR per hour, 4818.00 per month of 730 hours",
        f"note: {found.unknown()[0]}",
    ]


def test_without_a_price_a_time_that_is_not_told_is_no_note() -> None:
    assert worked_out(Listing((), (volume(""),)), prices=None).unknown() == []


def test_small_prices_are_not_rounded() -> None:
    found = worked_out(prices=PRICES | {"volume": 0.000055})
    (volumes,) = [row for row in found.plain()["used"] if row["kind"] == "volumes"]
    assert (volumes["price"], volumes["rate"], volumes["cost"]) == (0.000055, 0.00055, 0.0055)
    data = {"cluster": "c", "time": "2026-11-28T12:00:00+00:00", **found.plain()}
    rows = [row for row in csv.DictReader(as_text("c.csv", data).splitlines()) if row["kind"] == "volumes"]
    assert [(row["price"], row["rate"]) for row in rows] == [("5.5e-05", "0.00055")] * 2
    assert any(line.split()[-3:] == ["100.00", "0.00055", "0.0055"] for line in found.lines())


@pytest.mark.parametrize("created", ["", "yesterday"])
def test_a_time_that_a_cloud_does_not_tell_is_unknown(created: str) -> None:
    (item,) = worked_out(Listing((node("m", 0, created, "small"),))).items
    assert (item.hours, item.cost, item.rate) == (None, None, 0.5)


def test_a_clock_that_is_behind_the_cloud_s_makes_no_negative_hours() -> None:
    (item,) = worked_out(Listing((node("m", 0, "2026-11-28T12:00:09Z", "small"),))).items
    assert item.hours == 0


@pytest.mark.parametrize(
    ("prices", "fault"),
    [
        ({"flavors": {"small": -1}}, "clouds.here.prices.flavors.small: must be a number, 0 or more, got -1"),
        ({"volume": "cheap"}, "clouds.here.prices.volume: must be a number, 0 or more, got 'cheap'"),
        ({"volume": True}, "clouds.here.prices.volume: must be a number, 0 or more, got True"),
        ({"volume": float("inf")}, "clouds.here.prices.volume: must be a number, 0 or more, got inf"),
        ({"volumes": 1}, "clouds.here.prices.volumes: unknown key; did you mean 'volume'?"),
    ],
)
def test_faults_of_prices(prices: Any, fault: str) -> None:
    with pytest.raises(ClusterFileError) as refused:
        cluster(prices)
    assert refused.value.faults == [fault]


def test_a_misspelt_key_of_a_cloud_is_known_by_the_keys_of_all_clouds() -> None:
    with pytest.raises(ClusterFileError) as refused:
        parse({"cluster": "c", "clouds": {"here": {"provider": "lxc", "price": 1}}, "pools": {"m": {"cloud": "here", "count": 1}}}, option_classes())
    assert refused.value.faults == ["clouds.here.price: unknown key; did you mean 'prices'?"]


def test_the_files() -> None:
    data = {"cluster": "c", "time": "2026-11-28T12:00:00+00:00", **worked_out().plain()}
    assert json.loads(as_text("c.json", data)) == data
    rows = list(csv.DictReader(as_text("c.csv", data).splitlines()))
    assert [(row["state"], row["pool"], row["cost"]) for row in rows[:2]] == [("used", "m", "1.0"), ("used", "w", "3.0")]
    assert [row["state"] for row in rows].count("planned") == 3
