# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster file says about an OpenStack cloud."""

from __future__ import annotations

from dataclasses import dataclass

from ..._base._schema import Cidr, Flag, Integer, ListOf, Text, option
from .._contract import Options

NAME = Text(r"[^\s/][^/\n]*", "a name or an identifier")


@dataclass(frozen=True)
class OpenStackOptions(Options):
    """Options of a cloud with ``provider: openstack``: nodes are servers of one project."""

    image: str = option(NAME, "Image of the nodes, by name or identifier. It must start cloud-init.")
    flavor: str = option(NAME, "Flavor of the nodes, by name or identifier.")
    cloud: str = option(
        NAME, "Entry of C(clouds.yaml) with the credentials; by default E(OS_CLOUD), else the variables E(OS_AUTH_URL) and so on.", default=""
    )
    region: str = option(NAME, "Region of the cloud; by default that of its entry in C(clouds.yaml).", default="")
    ssh_user: str = option(
        Text(r"[a-z_][a-z0-9_-]*", "the name of a user", 32), "User that the ssh keys log in as; one other than root may use sudo.", default="debian"
    )
    network: str = option(
        NAME, "Network of the nodes, by name or identifier. By default a network is created for the cluster, with a subnet and a router.", default=""
    )
    external_network: str = option(
        NAME,
        "External network, by name or identifier, for floating addresses and the router of a created network.",
        default="",
    )
    cidr: str = option(Cidr(), "Addresses of the created network.", default="10.89.0.0/22")
    nameservers: tuple[str, ...] = option(ListOf(Text()), "Name servers of the created network; by default the cloud's own.", default=())
    availability_zone: str = option(NAME, "Where the nodes are created; by default the cloud decides.", default="")
    anti_affinity: bool = option(
        Flag(),
        "Whether the nodes of each pool run on different hosts where possible (a server group with soft anti-affinity).",
        default=False,
    )
    boot_volume: int = option(
        Integer(0, 16384), "Size in GiB of a volume that each node boots from and that is deleted with it; 0 boots from the host's disk.", default=0
    )
    config_drive: bool = option(Flag(), "Whether nodes get their first settings from a drive in addition to the metadata service.", default=True)
