# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the nodes that a run configures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES, SYSTEMS, drains_before_restart, head_nodes, systems_of
from ansible_collections.sky.clusters.plugins.module_utils._views._reasons import CHANGED, FAULTY, FULL, NEW
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._controller_files import digest
from ansible_collections.sky.clusters.plugins.plugin_utils._extra_vars import DISRUPTIONS, DRAIN
from ansible_collections.sky.clusters.plugins.plugin_utils._planned_hosts import HostsToBe, PlannedHost, merged, rendered
from ansible_collections.sky.clusters.plugins.plugin_utils._python_packages import content
from ansible_collections.sky.clusters.plugins.plugin_utils._ready_hash import agent_hash, is_input, ready_hash
from ansible_collections.sky.clusters.plugins.plugin_utils._role_variables import beyond_node, bounded

BOUNDED = frozenset(("sky_roles", "sky_balances", *bounded()))  # variables that the limits of a node are checked with
LISTED = ("sky_id", "sky_number", "sky_cloud", "sky_addresses", "sky_pool", "sky_roles")  # of a node, in the list of all
LISTED_SETTINGS = ("names", "vpn_users", "overlay")  # of the file


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {
        "members": {"type": "list", "elements": "str", "required": True},
        "inputs": {"type": "dict", "default": {}},
        "also": {"type": "list", "elements": "str", "default": []},
        "full": {"type": "bool", "default": False},
        "planned": {"type": "list", "elements": "dict", "default": []},
        "disruption": {"type": "str", "choices": list(DISRUPTIONS), "default": DRAIN},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        hostvars = self.variables["hostvars"]
        too_much = [sentence for name in args["members"] for sentence in beyond_node(name, hostvars[name])]
        if too_much:
            raise AnsibleActionFail("\n".join(too_much))
        return {"changed": False, **choose(args, hostvars), "refusals": self._refusals(args["planned"], hostvars)}

    def _refusals(self, planned: Iterable[PlannedHost], hostvars: Any) -> list[str]:
        """What nodes that do not exist yet could not fulfil."""
        found = ((host["name"], rendered(merged(host, hostvars), BOUNDED, self._templar)) for host in planned)
        return [sentence for name, variables in found for sentence in beyond_node(name, variables)]


def choose(args: Mapping[str, Any], known_hosts: Any) -> dict[str, Any]:
    """The nodes to visit, and what their visits need to know.

    Args:
        known_hosts: Ansible's variables of all hosts.
    """
    planned = {host["name"]: host["variables"] for host in args.get("planned", ())}
    hostvars = HostsToBe(known_hosts, planned)
    members = in_order({*args["members"], *planned})
    heads = _heads(members, hostvars)
    followed = {role: [hostvars[name][key] for key in ("sky_id", "sky_address")] for role, name in heads.items()}
    addresses = {name: hostvars[name]["sky_address"] for name in members}
    serves = _serves(members, hostvars)
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
    present = [name for name in members if name not in planned]
    wanted = {name: _wanted(name, hostvars, known[name], followed) for name in present}
    due = [name for name in present if hostvars[name]["sky_ready"] != wanted[name] or name in args["also"]]
    visit = present if args["full"] else due
    later = [name for name, variables in planned.items() if not variables["sky_ready"]]
    reasons = {name: list(_reasons(hostvars[name]["sky_ready"], wanted[name], name in args["also"])) for name in visit}
    restarted = [name for name in visit if args.get("disruption", DRAIN) == DRAIN and _may_restart(reasons[name])]
    drains = {name: roles for name in restarted if (roles := drains_before_restart(hostvars[name]["sky_roles"]))}
    chosen = {"hashes": {name: wanted[name] for name in visit}, "names": visit, "due": due, "reasons": reasons | {name: [NEW] for name in later}}
    return chosen | {"later": later, "drains": drains} | _existing(args["members"], known_hosts)


def in_order(names: Iterable[str]) -> list[str]:
    """Names of nodes by their indices."""
    return sorted(sorted(names), key=lambda name: int(name.rsplit("-", 1)[1]))


def _heads(members: Iterable[str], hostvars: Any) -> dict[str, str]:
    return head_nodes((name, hostvars[name]["sky_roles"]) for name in members)


def _serves(members: Iterable[str], hostvars: Any) -> str:
    """The node that serves the list of all nodes; empty if none does."""
    return next((name for name in members if hostvars.raw_get(name).get("sky_serves")), "")


def _existing(names: Iterable[str], hostvars: Any) -> dict[str, Any]:
    """What the roles work with: the nodes that exist."""
    members = in_order(names)
    addresses = {name: hostvars[name]["sky_address"] for name in members}
    return {"heads": _heads(members, hostvars), "addresses": addresses, "serves": _serves(members, hostvars)}


def _may_restart(reasons: Iterable[str]) -> bool:
    """Whether a visit for these reasons may restart what runs: a new node runs nothing yet, and what is only repaired does not run."""
    return bool({CHANGED, FULL} & {*reasons})


def _reasons(ready: str, wanted: str, faulty: bool) -> Iterator[str]:
    """Why a node is visited."""
    if faulty:
        yield FAULTY
    if ready != wanted:
        yield CHANGED if ready else NEW
    elif not faulty:
        yield FULL


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
    inputs |= {key: digest(str(inputs[key])) for role in roles if role in ROLES for key in ROLES[role].files if key in inputs}
    heads = {system.head: followed.get(system.head) for system in systems_of(roles)}
    return ready_hash(roles, inputs | common | {"heads": heads})
