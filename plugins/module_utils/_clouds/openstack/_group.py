# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a cluster's security group. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SSH = 22


@dataclass(frozen=True)
class Rule:
    """What is let in: from a network, or from the group's own members."""

    family: str  # IPv4 or IPv6
    protocol: str = ""  # any, if empty
    first: int = 0  # port; any, if 0
    last: int = 0
    cidr: str = ""
    group: str = ""

    def __str__(self) -> str:
        ports = f" {self.first}" if self.first == self.last else f" {self.first} to {self.last}"
        what = f"{self.protocol}{ports if self.first else ''}" if self.protocol else "everything"
        return f"{what} from {self.cidr or (f'group {self.group}' if self.group else 'anywhere')} ({self.family})"

    def body(self, group: str) -> dict[str, Any]:
        """The request that makes it in a group."""
        return {
            "security_group_rule": {
                "security_group_id": group,
                "direction": "ingress",
                "ethertype": self.family,
                "protocol": self.protocol or None,
                "port_range_min": self.first or None,
                "port_range_max": self.last or None,
                "remote_ip_prefix": self.cidr or None,
                "remote_group_id": self.group or None,
            }
        }


def wanted(group: str, admin_cidrs: Iterable[str]) -> set[Rule]:
    """Everything between the cluster's nodes, ssh from the administrators' networks, and nothing else."""
    own = {Rule(family, group=group) for family in ("IPv4", "IPv6")}
    return own | {Rule(f"IPv{ipaddress.ip_network(cidr).version}", "tcp", SSH, SSH, cidr=cidr) for cidr in admin_cidrs}


def existing(group: Mapping[str, Any]) -> dict[Rule, str]:
    """The rules of a group for what comes in, with their identifiers. What goes out is as the cloud makes it: everything."""
    rules = [rule for rule in group.get("security_group_rules", []) if rule.get("direction") == "ingress"]
    return {_read(rule): str(rule["id"]) for rule in rules}


def _read(rule: Mapping[str, Any]) -> Rule:
    return Rule(
        family=str(rule.get("ethertype", "")),
        protocol=str(rule.get("protocol") or ""),
        first=int(rule.get("port_range_min") or 0),
        last=int(rule.get("port_range_max") or 0),
        cidr=_network(str(rule.get("remote_ip_prefix") or "")),
        group=str(rule.get("remote_group_id") or ""),
    )


def _network(cidr: str) -> str:
    """As the cluster file's reader writes it."""
    return str(ipaddress.ip_network(cidr, strict=False)) if cidr else ""
