# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes of a cluster share in the network service: their security group and, if the file names none, their network."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .._contract import Invalid, Scope
from . import _group, _marks
from ._api import NETWORK, Api, Found
from ._errors import Conflict
from ._names import Names
from ._options import OpenStackOptions
from ._survey import Survey, security_group

SETTLED = 2.0  # s until groups that were created at once (the cloud's times are whole seconds) are all listed, and the chosen one is locked


@dataclass(frozen=True)
class Place:
    """Where nodes are put."""

    network: str  # identifier
    group: str  # identifier of the security group
    external: str = ""  # identifier of the network that floating addresses come from; empty if none


class Shared:
    """Makes, compares and removes what the nodes share."""

    def __init__(self, api: Api, options: OpenStackOptions, scope: Scope, owner: str, names: Names) -> None:
        self._api = api
        self._options = options
        self._scope = scope
        self._names = names
        self._mark = _marks.description(scope, owner)
        self._owner = owner
        self._name = _marks.shared_name(scope.cluster)

    def gaps(self, found: Survey) -> list[str]:
        """What is missing or was changed, as ``kind name``."""
        missing = [] if found.group else [f"security group {self._name}"]
        if found.group:
            missing += [f"rule: {rule}" for rule in sorted(map(str, self._wanted(found.group) ^ _group.existing(found.group).keys()))]
        if not self._options.network:
            missing += [f"{kind} {self._name}" for kind, items in (("network", found.networks), ("subnet", found.subnets)) if not items]
            if self._options.external_network:
                missing += [] if found.routers else [f"router {self._name}"]
                missing += [f"router interface {self._name}"] if found.routers and found.subnets and not found.interfaces else []
        return missing

    def missing(self, found: Survey) -> tuple[list[str], list[str]]:
        """What :meth:`ensure` makes, as ``kind name``, and the rules of the group."""
        group = found.group or {"id": self._name}  # its rules name it
        rules = sorted(map(str, self._wanted(group) - _group.existing(group).keys()))
        shared = [part for part in self.gaps(found) if not part.startswith(("rule: ", "router interface "))]
        return shared, [f"rule {rule}" for rule in rules]

    def ensure(self, found: Survey) -> Place:
        """Create what is missing, and correct the rules."""
        group = self.group(found.group)
        self._set_rules(group)
        network = self._network(found)
        external = str(self._names.network(self._options.external_network)["id"]) if self._options.external_network else ""
        return Place(network, str(group["id"]), external)

    def group(self, found: Found | None) -> Found:
        """The security group, created if there is none; of two that are created at once, the one that all runs choose."""
        if found is not None:
            return found
        made = self._make("security-groups", "security_group")
        time.sleep(SETTLED)
        first = security_group(self._api, self._scope, self._owner) or made
        if first["id"] != made["id"]:
            self._api.delete(NETWORK, f"/security-groups/{made['id']}")
        return first

    def _wanted(self, group: Found) -> set[_group.Rule]:
        return _group.wanted(str(group["id"]), self._scope.admin_cidrs, self._scope.openings)

    def _set_rules(self, group: Found) -> None:
        wanted, existing = self._wanted(group), _group.existing(group)
        for rule in wanted - existing.keys():
            with contextlib.suppress(Conflict):  # it is there: another run was quicker
                self._api.post(NETWORK, "/security-group-rules", rule.body(str(group["id"])))
        for rule in existing.keys() - wanted:
            self._api.delete(NETWORK, f"/security-group-rules/{existing[rule]}")

    def _network(self, found: Survey) -> str:
        if self._options.network:
            return str(self._names.network(self._options.network)["id"])
        network = found.networks[0] if found.networks else self._make("networks", "network")
        subnet = found.subnets[0] if found.subnets else self._make("subnets", "subnet", **self._subnet(str(network["id"])))
        if self._options.external_network:
            router = found.routers[0] if found.routers else self._make("routers", "router", external_gateway_info={"network_id": self._external()})
            if not found.interfaces:
                self._api.put(NETWORK, f"/routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
        return str(network["id"])

    def _external(self) -> str:
        network = self._names.network(self._options.external_network)
        if not network.get("router:external"):
            raise Invalid(f"external_network '{self._options.external_network}' is not an external network (router:external is not set)")
        return str(network["id"])

    def _subnet(self, network: str) -> dict[str, Any]:
        family = 6 if ":" in self._options.cidr else 4
        body: dict[str, Any] = {"network_id": network, "ip_version": family, "cidr": self._options.cidr}
        return body | ({"dns_nameservers": list(self._options.nameservers)} if self._options.nameservers else {})

    def _make(self, path: str, kind: str, **more: Any) -> Found:
        body = {"name": self._name, "description": self._mark} | more
        return self._api.made(NETWORK, f"/{path}", {kind: body}, kind)

    def dismantle(self, found: Survey) -> None:
        """Remove all of it."""
        self._delete("floatingips", found.floating)
        self._delete("ports", found.ports)
        for router in found.routers:
            for port in (port for port in found.interfaces if port["device_id"] == router["id"]):
                self._api.put(NETWORK, f"/routers/{router['id']}/remove_router_interface", {"port_id": port["id"]})
        self._delete("routers", found.routers)
        self._delete("networks", found.networks)  # with their subnets
        self._delete("subnets", [subnet for subnet in found.subnets if subnet["network_id"] not in {network["id"] for network in found.networks}])
        self._delete("security-groups", reversed(found.groups))  # the one that holds the lock last

    def _delete(self, path: str, items: Iterable[Found]) -> None:
        for item in items:
            self._api.delete(NETWORK, f"/{path}/{item['id']}")
