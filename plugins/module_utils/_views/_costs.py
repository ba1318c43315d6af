# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes and volumes of a cluster have used since they were created, what that costs, and what the cluster file costs by the hour. Pure.

The clouds are the only record: what has been deleted is in no list any more, and not in these figures either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from .._clouds._contract import Listing
from .._cluster_file._cluster import Cluster
from ._summary import table

HEADINGS = ("owner", "cloud", "pool", "kind", "flavor", "number", "GiB", "hours", "per hour", "cost")
NODES, VOLUMES = "nodes", "volumes"
MONTH = 730  # hours


@dataclass(frozen=True)
class Item:
    """The nodes of one flavor, or the volumes of one type, of a pool. What is not known is None."""

    cluster: str
    owner: str
    cloud: str
    pool: str
    kind: str
    flavor: str
    number: int
    size: int  # GiB in all; 0 of nodes
    hours: float | None  # in all; of volumes, GiB-hours
    price: float | None  # of one node, or one GiB, for one hour
    currency: str = ""

    @property
    def rate(self) -> float | None:
        """The price of all of them for one hour."""
        return None if self.price is None else self.price * (self.size if self.kind == VOLUMES else self.number)

    @property
    def cost(self) -> float | None:
        return None if self.price is None or self.hours is None else self.price * self.hours

    def plain(self) -> dict[str, Any]:
        """All of it as data. Prices are those of the file: one of a GiB for an hour is less than a ten-thousandth."""
        own = {"hours": _rounded(self.hours), "rate": _rounded(self.rate, 8), "cost": _rounded(self.cost)}
        return {name: own.get(name, value) for name, value in (asdict(self) | own).items()}


@dataclass(frozen=True)
class Costs:
    """The use of a cluster so far, and what its file asks for."""

    items: tuple[Item, ...]
    planned: tuple[Item, ...]

    def plain(self) -> dict[str, Any]:
        return {
            "used": [item.plain() for item in self.items],
            "planned": [item.plain() for item in self.planned],
            "totals": {key: _sums(self.items, key) for key in ("cluster", "owner", "cloud", "pool")},
            "missing": self.missing(),
            "unknown": self.unknown(),
        }

    def missing(self) -> list[str]:
        """The prices that the file lacks, if it has any."""
        every = (*self.items, *self.planned)
        if all(item.price is None for item in every):
            return []
        return list(dict.fromkeys(_missing(item) for item in every if item.price is None))

    def unknown(self) -> list[str]:
        """What has a price and no cost, since the cloud does not tell when it was created."""
        return list(dict.fromkeys(_timeless(item) for item in self.items if item.price is not None and item.hours is None))

    def lines(self) -> Iterator[str]:
        """All of it, for people."""
        if self.items:
            yield from table(HEADINGS, map(_row, self.items))
        yield from (f"used so far: {total}" for total in _totals(self.items))
        yield from _rates(self.planned)
        yield from (f"note: {sentence}" for sentence in (*self.missing(), *self.unknown()))


def costs(cluster: Cluster, owners: Mapping[str, str], listings: Mapping[str, Listing], now: datetime) -> Costs:
    """Work out the use and the cost of a cluster.

    Args:
        owners: of this run's marks, by cloud.
        listings: what the clouds hold of the cluster, whoever owns it.
    """
    used = [item for cloud, listing in listings.items() for item in (*_nodes(cluster, cloud, listing, now), *_volumes(cluster, cloud, listing, now))]
    return Costs(tuple(used), tuple(_planned(cluster, owners)))


def estimate(cluster: Cluster) -> list[str]:
    """What the cluster file costs, for people; nothing if it has no prices."""
    return list(_rates(tuple(_planned(cluster, dict.fromkeys(cluster.clouds, "")))))


def _nodes(cluster: Cluster, cloud: str, listing: Listing, now: datetime) -> Iterator[Item]:
    prices = cluster.clouds[cloud].prices
    groups = sorted({(node.mark.owner, node.mark.pool, node.flavor) for node in listing.nodes})
    for owner, pool, flavor in groups:
        own = [node for node in listing.nodes if (node.mark.owner, node.mark.pool, node.flavor) == (owner, pool, flavor)]
        hours = _sum(_age(node.created, now) for node in own)
        yield Item(cluster.name, owner, cloud, pool, NODES, flavor, len(own), 0, hours, prices.flavors.get(flavor), prices.currency)


def _volumes(cluster: Cluster, cloud: str, listing: Listing, now: datetime) -> Iterator[Item]:
    prices = cluster.clouds[cloud].prices
    groups = sorted({(volume.mark.owner, volume.mark.pool, volume.type) for volume in listing.volumes})
    for owner, pool, kind in groups:
        own = [volume for volume in listing.volumes if (volume.mark.owner, volume.mark.pool, volume.type) == (owner, pool, kind)]
        hours = _sum(None if (age := _age(volume.created, now)) is None else age * volume.size for volume in own)
        size = sum(volume.size for volume in own)
        yield Item(cluster.name, owner, cloud, pool, VOLUMES, kind, len(own), size, hours, prices.volume, prices.currency)


def _planned(cluster: Cluster, owners: Mapping[str, str]) -> Iterator[Item]:
    """What the cluster file asks for, whether or not it exists."""
    for name, pool in cluster.pools.items():
        entry = cluster.clouds[pool.cloud]
        flavor = pool.flavor or str(entry.options.flavor)
        common = (cluster.name, owners[pool.cloud], pool.cloud, name)
        yield Item(*common, NODES, flavor, pool.count, 0, None, entry.prices.flavors.get(flavor), entry.prices.currency)
        if pool.volumes and pool.count:
            number, size = pool.count * len(pool.volumes), pool.count * sum(volume.size for volume in pool.volumes.values())
            yield Item(*common, VOLUMES, "", number, size, None, entry.prices.volume, entry.prices.currency)


def _age(created: str, now: datetime) -> float | None:
    """Hours since a moment; None if it is not known."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # OpenStack gives the times of volumes in UTC, without an offset
    return max(0.0, (now - moment).total_seconds() / 3600)


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum; None if one of them is not known."""
    every = list(values)
    return None if None in every else sum(value for value in every if value is not None)


def _sums(items: Iterable[Item], key: str) -> list[dict[str, Any]]:
    """For each cluster, owner, cloud or pool: hours of nodes, GiB-hours of volumes, and the cost in each currency, with what is known of it."""
    every = list(items)
    found = []
    for value in sorted({str(getattr(item, key)) for item in every}):
        own = [item for item in every if getattr(item, key) == value]
        hours = {kind: _rounded(_sum(item.hours for item in own if item.kind == kind)) for kind in (NODES, VOLUMES)}
        costs_of = {currency: [item.cost for item in own if item.currency == currency] for currency in _currencies(own)}
        cost = {currency: _rounded(_sum(values)) for currency, values in costs_of.items()}
        least = {currency: _rounded(_least(values)) for currency, values in costs_of.items()}
        found.append({key: value, "node_hours": hours[NODES], "gib_hours": hours[VOLUMES], "cost": cost, "at_least": least})
    return found


def _least(values: Iterable[float | None]) -> float:
    """The sum of what is known."""
    return sum((value for value in values if value is not None), 0.0)


def _currencies(items: Iterable[Item]) -> list[str]:
    return sorted({item.currency for item in items if item.price is not None})


def _totals(items: tuple[Item, ...]) -> Iterator[str]:
    if not items:
        return
    words = [f"{_shown(_sum(item.hours for item in items if item.kind == NODES))} node hours"]
    words += [f"{_shown(_sum(item.hours for item in items if item.kind == VOLUMES))} GiB-hours of volumes"]
    words += [f"cost {_amount([item.cost for item in items if item.currency == currency])} {currency}".strip() for currency in _currencies(items)]
    yield ", ".join(words)


def _rates(items: tuple[Item, ...]) -> Iterator[str]:
    for currency in _currencies(items):
        rates = [item.rate for item in items if item.currency == currency]
        month = f"{_shown(_least(rates) * MONTH)} per month of {MONTH} hours"
        yield f"as the cluster file says: {_amount(rates)} {currency}".strip() + f" per hour, {month}"


def _amount(values: Sequence[float | None]) -> str:
    """A sum, for people. Where the data say that it is not known, it is at least that of what is known."""
    return f"{'at least ' if None in values else ''}{_shown(_least(values))}"


def _missing(item: Item) -> str:
    key = "volume" if item.kind == VOLUMES else f"flavors.{item.flavor}"
    return f"clouds.{item.cloud}.prices.{key}: is not given, so neither its cost is known nor that of sums with it"


def _timeless(item: Item) -> str:
    what = f"pools.{item.pool}: cloud {item.cloud} does not tell when its {item.kind} were created"
    return f"{what}, so neither their cost is known nor that of sums with it"


def _row(item: Item) -> tuple[str, ...]:
    cells = (item.owner, item.cloud, item.pool, item.kind, item.flavor or "-", str(item.number), str(item.size or "-"))
    return (*cells, *map(_shown, (item.hours, item.rate, item.cost)))


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 1 or not value:
        return f"{value:.2f}"
    return f"{value:.4f}" if value >= 0.001 else f"{value:.8f}".rstrip("0").rstrip(".")


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)
