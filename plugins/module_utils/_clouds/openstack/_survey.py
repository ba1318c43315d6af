# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster has in the network service at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from .._common._parallel import together
from .._contract import Scope
from . import _marks
from ._api import NETWORK, Api, Found

SHARED = ("networks", "subnets", "routers")  # created for a cluster whose file names no network


@dataclass(frozen=True)
class Survey:
    """Everything with the mark of one cluster and owner."""

    groups: tuple[Found, ...] = ()  # security groups; of several the first is used
    ports: tuple[Found, ...] = ()  # of nodes: each has its node's name
    floating: tuple[Found, ...] = ()
    networks: tuple[Found, ...] = ()
    subnets: tuple[Found, ...] = ()
    routers: tuple[Found, ...] = ()
    interfaces: tuple[Found, ...] = field(default=())  # of its routers in its subnets

    @property
    def group(self) -> Found | None:
        """The security group."""
        return next(iter(self.groups), None)

    def port_of(self, node: str) -> Found | None:
        """The port of a node; of several the one that a server has."""
        return max((port for port in self.ports if port["name"] == node), key=lambda port: bool(port.get("device_id")), default=None)

    def floating_of(self, port: str) -> list[Found]:
        return [address for address in self.floating if address.get("port_id") == port]

    def leftovers(self) -> list[str]:
        """``kind name`` each."""
        found = [f"security group {group['name']}" for group in self.groups]
        found += [f"port {port['name']}" for port in self.ports]
        found += [f"floating address {address['floating_ip_address']}" for address in self.floating]
        found += [f"router {router['name']}" for router in self.routers]
        found += [f"subnet {subnet['name']}" for subnet in self.subnets]
        return found + [f"network {network['name']}" for network in self.networks]


def survey(api: Api, scope: Scope, owner: str) -> Survey:
    """Look at all kinds side by side."""
    mark = _marks.description(scope, owner)
    kinds = ("ports", "floatingips", *SHARED)
    groups, *found = together(partial(_groups, api, scope, mark), *(partial(_listed, api, kind, mark) for kind in kinds))
    by_kind = dict(zip(kinds, found, strict=True))
    routers = tuple(by_kind["routers"])
    return Survey(
        groups=tuple(groups),
        ports=tuple(by_kind["ports"]),
        floating=tuple(by_kind["floatingips"]),
        networks=tuple(by_kind["networks"]),
        subnets=tuple(by_kind["subnets"]),
        routers=routers,
        interfaces=tuple(port for router in routers for port in _interfaces(api, str(router["id"]))),
    )


def security_group(api: Api, scope: Scope, owner: str) -> Found | None:
    """The cluster's security group; None if there is none."""
    return next(iter(_groups(api, scope, _marks.description(scope, owner))), None)


def _groups(api: Api, scope: Scope, mark: str) -> list[Found]:
    """Those with the mark: one that holds the lock first, then the oldest, so that of two created at once all runs use the same one."""
    listed = api.all(NETWORK, "/security-groups", "security_groups", name=_marks.shared_name(scope.cluster))
    ours = [group for group in listed if _is_marked(group, mark)]
    return sorted(ours, key=lambda group: (group["description"] == mark, group.get("created_at", ""), group["id"]))


def _is_marked(group: Found, mark: str) -> bool:
    """Whether a group is the cluster's; the mark is followed by the run's lock, if there is one."""
    text = str(group.get("description", ""))
    return text == mark or text.startswith(f"{mark} ")


def _listed(api: Api, kind: str, mark: str) -> list[Found]:
    # asked for by the exact mark, and looked at again: a cloud that does not know the filter answers with everything
    return [item for item in api.all(NETWORK, f"/{kind}", kind, description=mark) if item.get("description") == mark]


def _interfaces(api: Api, router: str) -> list[Found]:
    return [port for port in api.all(NETWORK, "/ports", "ports", device_id=router) if "interface" in port.get("device_owner", "")]
