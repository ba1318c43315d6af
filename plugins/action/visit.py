# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the nodes that a run configures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES, SYSTEMS, head_nodes, systems_of
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._python_packages import content
from ansible_collections.sky.clusters.plugins.plugin_utils._ready_hash import agent_hash, is_input, ready_hash
from ansible_collections.sky.clusters.plugins.plugin_utils._role_variables import beyond_node

LISTED = ("sky_id", "sky_number", "sky_cloud", "sky_addresses", "sky_pool", "sky_roles")  # of a node, in the list of all
LISTED_SETTINGS = ("names", "vpn_users", "overlay")  # of the file


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {
        "members": {"type": "list", "elements": "str", "required": True},
        "inputs": {"type": "dict", "default": {}},
        "also": {"type": "list", "elements": "str", "default": []},
        "full": {"type": "bool", "default": False},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        hostvars = self.variables["hostvars"]
        too_much = [sentence for name in args["members"] for sentence in beyond_node(name, hostvars[name])]
        if too_much:
            raise AnsibleActionFail("\n".join(too_much))
        return {"changed": False, **choose(args, hostvars)}


def choose(args: Mapping[str, Any], hostvars: Any) -> dict[str, Any]:
    """The nodes to visit, and what their visits need to know."""
    members = sorted(args["members"], key=lambda name: int(name.rsplit("-", 1)[1]))
    heads = head_nodes((name, hostvars[name]["sky_roles"]) for name in members)
    followed = {role: [hostvars[name][key] for key in ("sky_id", "sky_address")] for role, name in heads.items()}
    addresses = {name: hostvars[name]["sky_address"] for name in members}
    serves = next((name for name in members if hostvars.raw_get(name).get("sky_serves")), "")
    # a head knows every member by name, in its hosts file; the node that serves their list knows all of them, and the others know whose list it is
    common = args["inputs"] | ({"serves": hostvars[serves]["sky_id"], "agent": agent_hash()} if serves else {})
    known = {name: common | {"members": addresses if name in heads.values() else {}} for name in members}
    if serves:
        known[serves] |= {
            "list": {name: [hostvars.raw_get(name)[key] for key in LISTED] for name in members},
            "settings": _listed_settings(hostvars[serves]),
        }
    # a new node may have the name and the address of one that was drained
    behind = {name: hostvars.raw_get(name)["sky_id"] for name in members if hostvars.raw_get(name).get("sky_fronts")}
    identities = _identities(members, hostvars)
    for name in members:
        known[name] |= {"behind": behind} if hostvars.raw_get(name).get("sky_balances") else {}
        kept = {system.name: identities[system.name] for system in SYSTEMS.values() if system.keeps_identities and heads.get(system.head) == name}
        known[name] |= {"identities": kept} if kept else {}
    wanted = {name: _wanted(name, hostvars, known[name], followed) for name in members}
    due = [name for name in members if hostvars[name]["sky_ready"] != wanted[name] or name in args["also"]]
    visit = members if args["full"] else due
    return {"hashes": {name: wanted[name] for name in visit}, "names": visit, "due": due, "heads": heads, "addresses": addresses, "serves": serves}


def _identities(members: Iterable[str], hostvars: Any) -> dict[str, dict[str, str]]:
    """The ids of the nodes of each system whose head keeps more of them than their names and addresses."""
    found: dict[str, dict[str, str]] = {system.name: {} for system in SYSTEMS.values() if system.keeps_identities}
    for name in members:
        for system in systems_of(hostvars[name]["sky_roles"]):
            if system.keeps_identities:
                found[system.name][name] = hostvars.raw_get(name)["sky_id"]
    return found


def _listed_settings(variables: Any) -> dict[str, Any]:
    settings = variables.get("sky_settings") or {}
    return {key: settings[key] for key in LISTED_SETTINGS if key in settings}


def _wanted(name: str, hostvars: Any, common: dict[str, Any], followed: Mapping[str, list[str]]) -> str:
    variables = hostvars[name]
    roles = list(variables["sky_roles"])
    # names from the unrendered variables, so that only the variables that count are rendered
    inputs = {key: variables[key] for key in hostvars.raw_get(name) if is_input(key, roles)}
    inputs |= {key: content(inputs[key]) for role in roles if role in ROLES for key in ROLES[role].packages if key in inputs}
    heads = {system.head: followed.get(system.head) for system in systems_of(roles)}
    return ready_hash(roles, inputs | common | {"heads": heads})
