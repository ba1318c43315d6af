# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the health of a node against what its roles require. A node that cannot be checked is reported, and stays in the play."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.module_utils._systems._table import NETWORKED, REMOVABLE, ROLES
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import in_one_sentence
from ansible_collections.sky.clusters.plugins.plugin_utils._role_variables import known
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import ssh_message


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True

    @in_one_sentence
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        user = {"name": self._of_role("node_user", variables), "uid": self._of_role("node_user_uid", variables)}
        dropped = variables.get("sky_pool") not in variables.get("sky_pools", {})  # its roles are not known: those that it has are found
        roles = [] if dropped else variables.get("sky_roles", [])
        args = expected(roles, variables.get("sky_volumes", []), bool(variables.get("sky_network")))
        args |= {"user": user, "shares": self._shares(variables)} | self._task.args
        args.setdefault("address", variables.get("sky_cloud_address", ""))
        try:
            found = self._execute_module(module_name="sky.clusters.node_health", module_args=args, task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            return {"changed": False, "reachable": False, "why": ssh_message(str(error))}
        if found.get("unreachable"):
            return {"changed": False, "reachable": False, "why": ssh_message(str(found.get("msg", "")))}
        if found.get("elsewhere"):
            return {"failed": True, "msg": found["msg"]}
        if found.get("failed"):
            return {"changed": False, "reachable": True, "faults": [f"its health cannot be checked: {last_line(found)}"]}
        return {key: value for key, value in found.items() if key != "invocation"}  # would be kept with the host for the whole run

    def _shares(self, variables: Mapping[str, Any]) -> list[str]:
        roles = (ROLES[name] for name in variables.get("sky_roles", []) if name in ROLES)
        return [str(self._of_role(name, variables)) for role in roles for name in role.shares]

    def _of_role(self, name: str, variables: Mapping[str, Any]) -> Any:
        """A variable of a role, or its default."""
        return self._templar.template(variables[name]) if name in variables else known()[name]["default"]


def expected(roles: Iterable[str], volumes: Iterable[Mapping[str, Any]], networked: bool = False) -> dict[str, Any]:
    """What a node with these roles and volumes should have, and what it should not have."""
    own = list(roles)
    kept = {*own, *(name for name in REMOVABLE.keys() - ROLES.keys() if networked)}
    return {
        "units": [unit for role in [*(ROLES[name] for name in own if name in ROLES), *(NETWORKED if networked else ())] for unit in role.services],
        "others": {name: list(role.services) for name, role in REMOVABLE.items() if name not in kept and role.services},
        "volumes": [{key: volume[key] for key in ("name", "mount", "fs")} | {"attached": bool(volume["device"])} for volume in volumes],
    }


def last_line(found: Mapping[str, Any]) -> str:
    """The last line that a module printed which could not run."""
    texts = (str(found.get(key) or "") for key in ("module_stderr", "module_stdout", "msg"))
    return next((text.strip().splitlines()[-1] for text in texts if text.strip()), "no reason was given")
