# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster file says about the local cloud."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..._base._schema import Faults, Integer, ListOf, MapOf, Struct, Text, option, shown
from .._contract import Options

NAME = Text(r"[a-z][a-z0-9.-]*", "a name (a-z, 0-9, '.' and '-')", 32)
PACKAGE = Text(r"[a-z0-9][a-z0-9+.-]+", "the name of a Debian package", 100)
POOL_OF_NETWORKS = ipaddress.IPv4Network("10.88.0.0/13")  # seldom met at home, in offices, or with Docker and libvirt


@dataclass(frozen=True)
class PrivateNetwork:
    """An IPv4 network of addresses that are nobody's, with room for some nodes."""

    def parse(self, value: Any, path: str, faults: Faults) -> str | None:
        wanted = "must be a private IPv4 network of 8 to 65536 addresses such as 10.88.0.0/24"
        try:
            network = ipaddress.IPv4Network(str(value)) if isinstance(value, str) else None
        except ValueError as error:
            faults.add(path, f"{wanted}, got {shown(value)} ({error})")
            return None
        if network is None or not network.is_private or not 16 <= network.prefixlen <= 29:
            faults.add(path, f"{wanted}, got {shown(value)}")
            return None
        return str(network)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "description": "a private IPv4 network such as 10.88.0.0/24"}


@dataclass(frozen=True)
class Address:
    """An IP address."""

    def parse(self, value: Any, path: str, faults: Faults) -> str | None:
        try:
            return str(ipaddress.ip_address(value)) if isinstance(value, str) else str(ipaddress.ip_address(""))
        except ValueError:
            faults.add(path, f"must be an IP address, got {shown(value)}")
            return None

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "description": "an IP address"}


@dataclass(frozen=True)
class Flavor:
    """A size of node."""

    cores: int = option(Integer(1, 1024), "Cores of a node, which is pinned to that many of the machine's least used cores.")
    memory: int = option(Integer(128), "Memory of a node in MiB. Processes that exceed it are killed.")


@dataclass(frozen=True)
class Recipe:
    """A node image of the site's own."""

    suite: str = option(
        Text(r"[a-z]+", "the name of a Debian release such as bookworm", 32), "Debian release that the image is made of.", default="bookworm"
    )
    packages: tuple[str, ...] = option(ListOf(PACKAGE), "Packages in addition to those of every node.", default=())


FLAVORS = {"small": Flavor(1, 1024), "medium": Flavor(2, 2048), "large": Flavor(4, 4096), "xlarge": Flavor(8, 8192)}
IMAGES = {"debian-12": Recipe("bookworm")}


@dataclass(frozen=True)
class LxcOptions(Options):
    """Options of a cloud with ``provider: lxc``: nodes on this machine."""

    reaches_all: ClassVar[bool] = True  # nodes without an address outside need no way through another: their network is this machine's

    image: str = option(NAME, "Image of the nodes: V(debian-12), one of O(images), or one that was added.", default="debian-12")
    flavor: str = option(NAME, "Size of the nodes: V(small), V(medium), V(large), V(xlarge), or one of O(flavors).", default="small")
    ssh_user: str = option(
        Text(r"[a-z_][a-z0-9_-]*", "the name of a user", 32), "User that the ssh keys log in as; one other than root may use sudo.", default="root"
    )
    zone: str = option(
        Text(r"[a-z][a-z0-9]{0,7}", "a name of at most 8 letters and digits", 8),
        "One of the machine's independent clouds, each with its own nodes, volumes and network.",
        default="default",
    )
    network: str = option(
        PrivateNetwork(),
        "Network of the zone's nodes. By default 10.88.0.0/24 for the zone V(default), for others one of 10.88.0.0/13 derived from the name.",
        default="",
    )
    path: str = option(
        Text(r"/[A-Za-z0-9._/-]+", "an absolute path", 120),
        "Folder on this machine that holds images, nodes and volumes.",
        default="/var/lib/sky-clusters",
    )
    resolvers: tuple[str, ...] = option(ListOf(Address()), "Name servers of the nodes; by default those of the machine.", default=())
    packages: tuple[str, ...] = option(ListOf(PACKAGE), "Packages of every image of this cloud, in addition to those of every node.", default=())
    flavors: Mapping[str, Flavor] = option(MapOf(NAME, Struct(Flavor)), "Additional sizes, by name.", default_factory=dict)
    images: Mapping[str, Recipe] = option(MapOf(NAME, Struct(Recipe)), "Additional images, by name.", default_factory=dict)
    all_flavors: Mapping[str, Flavor] = field(init=False, repr=False, default_factory=dict)
    all_images: Mapping[str, Recipe] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "all_flavors", FLAVORS | dict(self.flavors))
        object.__setattr__(self, "all_images", IMAGES | dict(self.images))
        object.__setattr__(self, "network", self.network or default_network(self.zone))


def default_network(zone: str) -> str:
    """The network of a zone whose cluster file names none."""
    if zone == "default":
        return "10.88.0.0/24"
    count = POOL_OF_NETWORKS.num_addresses // 256
    place = 1 + int(hashlib.sha256(zone.encode()).hexdigest(), 16) % (count - 1)
    return f"{POOL_OF_NETWORKS.network_address + 256 * place}/24"
