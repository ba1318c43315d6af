# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail if the inventory plugin rejected the cluster file, or if a variable of the run is invalid.

Ansible alone would only print a warning for the first, and would use the second as it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible import context
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import PLUGIN, ClusterFileError, parse
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._load_balancer import ports_taken
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError, list_all, open_clouds, option_classes
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import SHORT
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES, SYSTEMS, others, systems_of
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._cluster_files import unreadable
from ansible_collections.sky.clusters.plugins.plugin_utils._core import unfit
from ansible_collections.sky.clusters.plugins.plugin_utils._extra_vars import EXTRAS, OUTPUT_FILES, PREFIX, SECRET, given, misspelt
from ansible_collections.sky.clusters.plugins.plugin_utils._foreign_hosts import foreign_hosts
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import obstacle
from ansible_collections.sky.clusters.plugins.plugin_utils._role_path import RoleMissing, role_path
from ansible_collections.sky.clusters.plugins.plugin_utils._role_variables import (
    beyond_node,
    dotted,
    doubled,
    faults,
    misplaced,
    missing,
    sources,
    strangers,
)
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated
from ansible_collections.sky.clusters.plugins.plugin_utils._vaulted import decrypted

LIMITED = "--limit: a cluster is always managed as a whole; run without --limit"
# else a run that was meant to plan would change the cluster
PLAN_ONLY = "sky_plan_file: holds the plan of a run with --check: add --check, or leave the variable out"
NO_FILE = "no cluster file in the inventory: run with -i <file>.sky.yml, a file whose first key is 'plugin: sky.clusters.clouds'"


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {"system": {"type": "str", "default": ""}, "configures": {"type": "bool", "default": False}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        variables = self.variables
        if "sky_cluster" not in variables:
            raise AnsibleActionFail(self._why(variables.get("ansible_inventory_sources") or []))
        # one by one: rendering all variables would take seconds
        values, wrong = given({name: self._templar.template(variables[name]) for name in EXTRAS if name in variables})
        extra = load_extra_vars(self._loader)
        pools = self._templar.template(variables["sky_pools"])
        wrong += [*misspelt(extra), *dotted(extra, pools), *self._of_roles(extra, variables["hostvars"], pools if args["configures"] else None)]
        wrong += foreign_hosts(variables["hostvars"]._inventory.groups, variables["sky_cluster"], pools, values.get("counts") or {})
        wrong += filter(None, [unfit()])
        wrong += _not_writable(values)
        wrong += [PLAN_ONLY] if extra.get("sky_plan_file") and not self._task.check_mode else []
        wrong += [*_not_installed(pools), *_not_named(args["system"], pools), *([LIMITED] if variables.get("ansible_limit") else [])]
        if wrong:
            raise AnsibleActionFail("\n".join(wrong))
        shown = {name: value for name, value in values.items() if f"{PREFIX}{name}" not in SECRET}
        named = (variables.get(name) for name in ("ansible_ssh_private_key_file", "ansible_private_key_file"))
        key = next(filter(None, named), context.CLIARGS.get("private_key_file") or "")
        # a result that is registered, and no fact: sites forbid facts as variables, and core 2.24 does by default
        return {"changed": False, "began": time.time(), **untemplated(shown | {"identity_file": str(key)})}

    def _of_roles(self, extra: Mapping[str, Any], hostvars: Any, pools: Mapping[str, Mapping[str, Any]] | None) -> list[str]:
        """The faults of the variables of roles, each sentence once.

        Args:
            pools: of a run that configures nodes, so that all variables that its roles need must be set.
        """
        places = [("", extra), *sources(self._loader, hostvars._inventory)]
        for sentence in dict.fromkeys(sentence for place, variables in places for sentence in strangers(place, variables)):
            Display().warning(sentence)
        limited = {name for role in ROLES.values() for name in (*role.limits, *role.ports)}
        wrongs = [sentence for place, values in places for sentence in (*faults(place, values), *doubled(place, values, self.variables))]
        pools_of_file, settings = [self._templar.template(self.variables.get(name, {})) for name in ("sky_pools", "sky_settings")]
        wrongs += ports_taken(pools_of_file, settings, {name for _place, variables in places for name in variables})
        if pools is not None:
            roles = dict.fromkeys(role for pool in pools.values() for role in pool.get("roles") or [] if role in ROLES)
            wrongs += missing(roles, [*places, ("", self.variables)])  # a playbook of the site's may set some for its plays
            wrongs += misplaced(roles, places)
        if not wrongs and any(limited & variables.keys() for _place, variables in places):
            wrongs = [sentence for name in hostvars for sentence in beyond_node(name, hostvars[name])]
        return list(dict.fromkeys(wrongs))

    def _why(self, sources: list[str]) -> str:
        """Why no inventory source describes a cluster."""
        faults = [fault for source in sources if (fault := self._fault(source))]
        return "\n".join(faults) or NO_FILE

    def _fault(self, source: str) -> str:
        """What is wrong with one source; empty if it is not a cluster file."""
        if source.endswith(",") or not Path(source).exists():
            return "" if source.endswith(",") else f"{source}: no such file"
        if Path(source).is_dir():
            return "\n".join(fault for each in sorted(Path(source).glob("*.y*ml")) if (fault := self._fault(str(each))))
        why = unreadable(Path(source))
        if why or Path(source).suffix not in (".yml", ".yaml"):
            return why and f"{source}: {why}"
        try:
            data = self._loader.load_from_file(source)
            if not isinstance(data, Mapping) or data.get("plugin") != PLUGIN:
                return ""
            list_all(open_clouds(parse(decrypted(data), option_classes())), backoff=SHORT)
        except (ClusterFileError, FleetError, AnsibleError) as error:
            return f"{source}: the cluster cannot be read:\n{error}"
        return f"{source}: the inventory plugin {PLUGIN} did not read it; see the warnings above"


def _not_writable(values: Mapping[str, Any]) -> Iterator[str]:
    """Files that the run is asked to write and cannot: it would find that after an hour of work."""
    for name in OUTPUT_FILES:
        file = values.get(name.removeprefix(PREFIX), "")
        if file and (reason := obstacle(file)):
            yield f"{name}: {file} cannot be written: {reason}"


def _not_installed(pools: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Roles of other collections that are not installed on the controller."""
    for name, pool in pools.items():
        for place, role in enumerate(pool.get("roles") or []):
            if others([role]):
                try:
                    role_path(role)
                except RoleMissing as error:
                    yield f"pools.{name}.roles[{place}]: {error}"


def _not_named(wanted: str, pools: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Whether no pool has a role of the system that a playbook requires."""
    if wanted and SYSTEMS[wanted] not in systems_of(role for pool in pools.values() for role in pool.get("roles") or []):
        system = SYSTEMS[wanted]
        yield f"pools: no pool has a role of {system.title} ({', '.join(system.roles)}); run sky.clusters.cluster for other clusters"
