# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prevents new nodes: checked before anything is created, all reported at once."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..._base._schema import hint
from .._common._parallel import together
from .._contract import Invalid, Node, NodeSpec, Unavailable, VolumeSpec
from ._api import COMPUTE, NETWORK, VOLUME, Api, Found
from ._names import Flavor, Image, Names
from ._options import OpenStackOptions

UNLIMITED = -1
GIB = 1024**3


@dataclass(frozen=True)
class Limit:
    """A quota of the project."""

    what: str
    most: int
    used: int

    def lack(self, needed: int) -> Iterator[str]:
        left = self.most - self.used
        if needed > 0 and self.most != UNLIMITED and needed > left:
            yield f"quota of {self.what}: {needed} more needed, {max(0, left)} of {self.most} left"


class Quota:
    """Looks at names, sizes, quotas and room."""

    def __init__(self, api: Api, options: OpenStackOptions, names: Names, going: Sequence[Node] = ()) -> None:
        self._api = api
        self._options = options
        self._names = names
        self._going = going  # deleted first: what they have is free then

    def shortages(self, specs: Sequence[NodeSpec], volumes: Sequence[VolumeSpec]) -> list[str]:
        """One sentence for each resource that is short, unknown or does not fit.

        Args:
            specs: nodes that are to be made.
            volumes: those of their volumes that do not exist.
        """
        checks: list[Callable[[], list[str]]] = [
            partial(self._of_servers, specs),
            partial(self._of_network, specs),
            partial(self._of_volumes, specs, volumes),
            partial(self._of_zone, specs),
        ]
        return [sentence for found in together(*checks) for sentence in found]

    def _of_servers(self, specs: Sequence[NodeSpec]) -> list[str]:
        flavors, unknown = _known(self._names.flavor, (spec.flavor for spec in specs))
        images, unknown_images = _known(self._names.image, (spec.image for spec in specs))
        fits = [f for pair in dict.fromkeys((s.image, s.flavor) for s in specs) for f in self._fit(images.get(pair[0]), flavors.get(pair[1]))]
        sizes = [flavors[spec.flavor] for spec in specs if spec.flavor in flavors]
        limits = self._limits(COMPUTE) if specs else {}
        short = [
            *_lack(limits, "instances", "maxTotalInstances", "totalInstancesUsed", len(specs) - len(self._going)),
            *_lack(limits, "cores", "maxTotalCores", "totalCoresUsed", sum(size.cores for size in sizes) - sum(node.cores for node in self._going)),
            *_lack(limits, "RAM in MiB", "maxTotalRAMSize", "totalRAMUsed", sum(s.memory for s in sizes) - sum(node.memory for node in self._going)),
        ]
        return [*unknown, *unknown_images, *fits, *short]

    def _limits(self, service: str) -> Found:
        found = self._api.one(service, "/limits", "limits").get("absolute")
        if not isinstance(found, Mapping):
            raise Unavailable(f"{service} GET /limits: the answer has no absolute limits")
        return found

    def _fit(self, image: Image | None, flavor: Flavor | None) -> Iterator[str]:
        if image is None or flavor is None:
            return
        if image.memory > flavor.memory:
            yield f"image '{image.name}' needs {image.memory} MiB of memory and flavor '{flavor.name}' has {flavor.memory}"
        disk = self._options.boot_volume or flavor.disk
        needed = max(image.disk, -(-image.size // GIB))
        if not disk:  # which clouds let none but administrators start from an image
            yield f"flavor '{flavor.name}' has no disk: set boot_volume, so that its nodes boot from volumes"
        elif needed > disk:
            where = "boot_volume" if self._options.boot_volume else f"flavor '{flavor.name}'"
            yield f"image '{image.name}' needs a disk of {needed} GiB and {where} has {disk}"

    def _of_network(self, specs: Sequence[NodeSpec]) -> list[str]:
        if not specs:
            return []
        outside = sum(spec.public_ip for spec in specs)
        found = []
        if outside and not self._options.external_network:
            found.append("public_ip: floating addresses need external_network, which the cloud's options do not set")
        for wanted in (self._options.network, self._options.external_network):
            if wanted:
                _networks, unknown = _known(self._names.network, [wanted])
                found += unknown
        quotas = self._api.one(NETWORK, f"/quotas/{self._api.access().project_id}/details", "quota")
        ports = len(specs) - sum(bool(node.addresses) for node in self._going)
        floating = outside - sum(bool(node.address(public=True)) for node in self._going)
        for key, what, needed in (("port", "ports", ports), ("floatingip", "floating addresses", floating)):
            if key in quotas:
                limit = Limit(what, int(quotas[key]["limit"]), int(quotas[key]["used"]) + int(quotas[key].get("reserved", 0)))
                found += limit.lack(needed)
        return found + ([] if found or not self._options.network else self._room(ports))

    def _room(self, needed: int) -> list[str]:
        """Whether the network has so many addresses left, as far as these credentials see its ports."""
        network = self._names.network(self._options.network)
        subnets = [s for s in self._api.all(NETWORK, "/subnets", "subnets", network_id=network["id"]) if s["ip_version"] == 4]
        size = sum(_size(pool) for subnet in subnets for pool in subnet.get("allocation_pools", []))
        taken = sum(1 for _port in self._api.all(NETWORK, "/ports", "ports", network_id=network["id"], fields="id"))
        if subnets and needed > size - taken:
            return [f"network '{self._options.network}' has room for {max(0, size - taken)} more node(s), {needed} needed"]
        return [] if subnets or self._has_ipv6(network) else [f"network '{self._options.network}' has no subnet"]

    def _has_ipv6(self, network: Mapping[str, Any]) -> bool:
        return bool(network.get("subnets"))

    def _of_volumes(self, specs: Sequence[NodeSpec], volumes: Sequence[VolumeSpec]) -> list[str]:
        booted = [self._options.boot_volume] * max(0, len(specs) - len(self._going)) if self._options.boot_volume else []
        sizes = [*(volume.size for volume in volumes), *booted]
        if not sizes:
            return []
        limits = self._limits(VOLUME)
        found = list(_lack(limits, "volumes", "maxTotalVolumes", "totalVolumesUsed", len(sizes)))
        found += _lack(limits, "gigabytes of volumes", "maxTotalVolumeGigabytes", "totalGigabytesUsed", sum(sizes))
        wanted = sorted({volume.type for volume in volumes if volume.type})
        known = [str(item["name"]) for item in self._api.all(VOLUME, "/types", "volume_types")] if wanted else []
        return found + [f"unknown volume type '{name}'{hint(name, known)}" for name in wanted if name not in known]

    def _of_zone(self, specs: Sequence[NodeSpec]) -> list[str]:
        zone = self._options.availability_zone
        if not specs or not zone:
            return []
        known = [item["zoneName"] for item in self._api.all(COMPUTE, "/os-availability-zone", "availabilityZoneInfo")]
        return [] if zone in known else [f"unknown availability zone '{zone}'{hint(zone, known)}"]


def _lack(limits: Found, what: str, most: str, used: str, needed: int) -> Iterator[str]:
    """Whether a limit that the cloud reports is exceeded."""
    if most in limits:
        yield from Limit(what, int(limits[most]), int(limits.get(used, 0))).lack(needed)


def _known(look: Callable[[str], Any], wanted: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
    """What the cloud knows of these names, and a sentence for each of the others."""
    found, unknown = {}, []
    for name in dict.fromkeys(wanted):
        try:
            found[name] = look(name)
        except Invalid as error:
            unknown.append(str(error))
    return found, unknown


def _size(pool: Mapping[str, str]) -> int:
    return int(ipaddress.ip_address(pool["end"])) - int(ipaddress.ip_address(pool["start"])) + 1
