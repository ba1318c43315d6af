# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server is made from, in the words of the contract: of a specification now, and of a server when it was made.

What Nova lists of a server is read from its list. What it does not list is noted in one value of its metadata by the call that creates it.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import json
from collections.abc import Iterator, Mapping
from typing import Any

from .._contract import Definition, Invalid, NodeSpec, Scope
from . import _marks
from ._names import Names
from ._options import OpenStackOptions

ZONE = "OS-EXT-AZ:availability_zone"
SHOWN = 60  # characters of the names of further options


class Definitions:
    """Looks up what specifications mean in a cloud."""

    def __init__(self, options: OpenStackOptions, names: Names, scope: Scope) -> None:
        self._options = options
        self._names = names
        self._scope = scope

    def of(self, spec: NodeSpec) -> Definition:
        unknown = list(self._unknown(spec))
        return Definition(tuple(unknown), {} if unknown else self._listed(spec) | noted(spec, self._options, self._names.image(spec.image).id))

    def _unknown(self, spec: NodeSpec) -> Iterator[str]:
        networks = [self._options.network] if self._options.network else []
        for look, names in ((self._names.flavor, [spec.flavor]), (self._names.image, [spec.image]), (self._names.network, networks)):
            for name in names:
                try:
                    look(name)
                except Invalid as error:
                    yield str(error)
        if networks and self._scope.overlay:
            yield from self._overlaps(self._options.network, ipaddress.ip_network(self._scope.overlay))

    def _overlaps(self, network: str, overlay: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Iterator[str]:
        """The subnets of a named network that the overlay may not be on. Those of a network that is created are in the file."""
        with contextlib.suppress(Invalid):  # the network is unknown, and reported as such
            for cidr in self._names.subnets(network):
                if cidr.version == overlay.version and cidr.overlaps(overlay):
                    yield f"overlay.range: {overlay} overlaps with {cidr} of network '{network}'; choose another range"

    def _listed(self, spec: NodeSpec) -> dict[str, str]:
        """What the cloud lists of every server."""
        flavor = self._names.flavor(spec.flavor)
        network = str(self._names.network(self._options.network)["name"]) if self._options.network else _marks.shared_name(self._scope.cluster)
        wanted = self._options.availability_zone.partition(":")[0]  # behind it administrators may name a host
        zone = {"availability_zone": wanted} if wanted else {}
        return _size(flavor.cores, flavor.memory, flavor.disk) | {"network": network, "public_ip": _yes(spec.public_ip)} | zone


NOTED = ("id of the image", "ssh_user", "boot_volume", "config_drive", "anti_affinity", "extra")


def noted(spec: NodeSpec, options: OpenStackOptions, image: str) -> dict[str, str]:
    """What the creating call notes, since no list of servers tells it: at most 255 characters as JSON."""
    values = (
        image, spec.ssh_user, str(options.boot_volume), _yes(options.config_drive), _yes(options.anti_affinity), _digest(spec.extra),
    )  # fmt: skip
    return dict(zip(NOTED, values, strict=True))


def written(parts: Mapping[str, str]) -> dict[str, str]:
    """That note as metadata of a server."""
    return {_marks.MADE: json.dumps(list(parts.values()), separators=(",", ":"))}


def made(server: Mapping[str, Any]) -> dict[str, str]:
    """What a listed server was made from, as far as it is known: those of older versions have no note."""
    metadata, flavor = server["metadata"], server.get("flavor", {})
    found = _size(flavor["vcpus"], flavor["ram"], flavor.get("disk", 0)) if "vcpus" in flavor and "ram" in flavor else {}
    image = server.get("image")
    found |= {"id of the image": str(image["id"])} if isinstance(image, Mapping) and image.get("id") else {}
    found |= {"network": ", ".join(sorted(server["addresses"]))} if server.get("addresses") else {}
    found |= {"availability_zone": str(server[ZONE])} if server.get(ZONE) else {}
    return _read(str(metadata.get(_marks.MADE, ""))) | {"public_ip": _yes(bool(metadata.get(_marks.PUBLIC)))} | found


def _read(note: str) -> dict[str, str]:
    """A note; one of another version, or that somebody wrote over, tells nothing."""
    try:
        values = json.loads(note or "[]")
    except ValueError:
        values = []
    return dict(zip(NOTED, map(str, values), strict=True)) if isinstance(values, list) and len(values) == len(NOTED) else {}


def _size(cores: Any, memory: Any, disk: Any) -> dict[str, str]:
    return {"cores": str(cores), "memory": str(memory), "disk": str(disk)}


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _digest(extra: Mapping[str, Any]) -> str:
    """Further options in few characters: their names, and something that differs where their values do."""
    if not extra:
        return "none"
    text = json.dumps(extra, sort_keys=True, default=str)
    return f"{', '.join(sorted(extra))[:SHOWN]} ({hashlib.sha256(text.encode()).hexdigest()[:8]})"
