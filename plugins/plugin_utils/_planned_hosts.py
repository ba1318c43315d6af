# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that a run is going to create, replace or start, beside those of the running inventory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.host import Host

PlannedHost = Mapping[str, Any]  # name, groups and variables, as M(sky.clusters.nodes_info) returns them


class HostsToBe:
    """The variables of hosts as they will be after the run, by what is known of them now."""

    def __init__(self, hostvars: Any, planned: Mapping[str, Mapping[str, Any]]) -> None:
        """
        Args:
            hostvars: Ansible's variables of all hosts.
            planned: by name, the variables of hosts that do not exist, or will be others.
        """
        self._hostvars = hostvars
        self._planned = planned

    def __getitem__(self, name: str) -> Any:
        return self._planned.get(name) or self._hostvars[name]

    def raw_get(self, name: str) -> Any:
        """The variables of a host, unrendered."""
        return self._planned.get(name) or self._hostvars.raw_get(name)


def merged(host: PlannedHost, hostvars: Any) -> dict[str, Any]:
    """All variables that a host will have, unrendered: also those of its groups, which a host that does not run is in none of yet."""
    inventory = hostvars._inventory
    known = inventory.hosts.get(host["name"])
    made = Host(host["name"])
    made.vars = {**(known.vars if known else {}), **host["variables"]}
    for group in host["groups"]:
        if group in inventory.groups:
            made.add_group(inventory.groups[group])
    return dict(hostvars._variable_manager.get_vars(host=made, include_hostvars=False))


def rendered(variables: Mapping[str, Any], names: Collection[str], templar: Any) -> dict[str, Any]:
    """Some of the variables, rendered. What only the node itself can say, such as its facts, is left out."""
    own = templar.copy_with_new_env(available_variables=variables)
    found = {}
    for name in names & variables.keys():
        try:
            found[name] = own.template(variables[name])
        except AnsibleError:
            continue
    return found
