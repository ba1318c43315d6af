# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks up the names of a cluster file in the cloud; an unknown name gets a suggestion."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._base._schema import hint
from .._contract import Invalid
from ._api import COMPUTE, IMAGE, NETWORK, Api

LISTED = 20  # names in a hint


@dataclass(frozen=True)
class Flavor:
    """A size of server."""

    id: str
    name: str
    cores: int
    memory: int  # MiB
    disk: int  # GiB; 0: none, for servers that boot from volumes


@dataclass(frozen=True)
class Image:
    """What a server is started from."""

    id: str
    name: str
    disk: int  # GiB that it needs at least
    memory: int  # MiB that it needs at least
    size: int  # bytes


class Names:
    """Looks names up, each once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._flavors: dict[str, Flavor] = {}
        self._images: dict[str, Image] = {}
        self._networks: dict[str, Mapping[str, Any]] = {}
        self._subnets: dict[str, tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]] = {}

    def flavor(self, wanted: str) -> Flavor:
        """The flavor of this name or identifier.

        Raises:
            Invalid: the cloud has none, or none that these credentials may use.
        """
        if not self._flavors:
            for item in self._api.all(COMPUTE, "/flavors/detail", "flavors"):
                flavor = Flavor(str(item["id"]), item["name"], int(item["vcpus"]), int(item["ram"]), int(item["disk"]))
                self._flavors |= {flavor.id: flavor, flavor.name: flavor}
        if wanted not in self._flavors:
            names = sorted({flavor.name for flavor in self._flavors.values()})
            raise Invalid(f"unknown flavor '{wanted}'{hint(wanted, names[:LISTED] if len(names) > LISTED else names)}")
        return self._flavors[wanted]

    def image(self, wanted: str) -> Image:
        """The image of this name or identifier.

        Raises:
            Invalid: the cloud has none, or several of the name.
        """
        if wanted not in self._images:
            found = _one(list(self._api.all(IMAGE, "/images", "images", name=wanted, status="active")), "image", wanted)
            found = found or _one(list(self._api.all(IMAGE, "/images", "images", id=f"in:{wanted}", status="active")), "image", wanted)
            if found is None:
                names = sorted({str(item["name"]) for item in self._api.all(IMAGE, "/images", "images", status="active")})
                raise Invalid(f"unknown image '{wanted}'{hint(wanted, names[:LISTED] if len(names) > LISTED else names)}")
            self._images[wanted] = Image(
                str(found["id"]), found["name"], int(found.get("min_disk") or 0), int(found.get("min_ram") or 0), int(found.get("size") or 0)
            )
        return self._images[wanted]

    def network(self, wanted: str) -> Mapping[str, Any]:
        """The network of this name or identifier.

        Raises:
            Invalid: the cloud has none that these credentials see, or several of the name.
        """
        if wanted not in self._networks:
            found = _one(list(self._api.all(NETWORK, "/networks", "networks", name=wanted)), "network", wanted)
            found = found or _one(list(self._api.all(NETWORK, "/networks", "networks", id=wanted)), "network", wanted)
            if found is None:
                names = sorted({str(item["name"]) for item in self._api.all(NETWORK, "/networks", "networks")})
                raise Invalid(f"unknown network '{wanted}'{hint(wanted, names[:LISTED] if len(names) > LISTED else names)}")
            self._networks[wanted] = found
        return self._networks[wanted]

    def subnets(self, wanted: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The subnets of the network of this name or identifier.

        Raises:
            Invalid: as `network`.
        """
        network = str(self.network(wanted)["id"])
        if network not in self._subnets:
            found = self._api.all(NETWORK, "/subnets", "subnets", network_id=network)
            self._subnets[network] = tuple(ipaddress.ip_network(str(item["cidr"])) for item in found)
        return self._subnets[network]


def _one(found: list[dict[str, Any]], kind: str, wanted: str) -> dict[str, Any] | None:
    if len(found) > 1:
        raise Invalid(
            f"{len(found)} {kind}s have the name '{wanted}': use the identifier of one ({', '.join(str(item['id']) for item in found[:3])})"
        )
    return found[0] if found else None
