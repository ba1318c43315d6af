# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolve Python packages with pip for the nodes, and make an archive of them."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.module_utils._base._archives import default_folder
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._python_packages import (
    PackagesError,
    Target,
    build,
    check,
    known_version,
    read,
    version_of,
)


class ActionModule(ControllerAction):
    """See the documentation of the module of this name. An action: a module would be logged with its arguments."""

    spec: ClassVar[dict[str, Any]] = {
        "name": {"type": "str", "required": True},
        "requirements": {"type": "raw", "required": True},
        "variable": {"type": "str", "required": True},
        "python": {"type": "str", "required": True},
        "known": {"type": "list", "elements": "str", "default": []},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._perform(args)
        except (PackagesError, OSError) as error:
            raise AnsibleActionFail(f"{args['variable']}: {error}") from None

    def _perform(self, args: dict[str, Any]) -> dict[str, Any]:
        own = next((role.packages[args["variable"]] for role in ROLES.values() if args["variable"] in role.packages), {})
        if fault := check(args["requirements"], own):
            raise PackagesError(fault)
        wanted = read(args["requirements"])
        target, folder = Target.parse(args["python"]), default_folder()
        version = version_of(wanted, target)
        if sha256 := known_version(args["known"], version):
            path = folder / f"{args['name']}-{version}-{sha256[:12]}.tgz"
            return {"changed": False, "version": version, "sha256": sha256, "path": str(path)}
        if self._task.check_mode:
            return {"changed": True, "version": version, "sha256": "", "path": ""}
        built = build(args["name"], wanted, target, folder)
        return {"changed": True, "version": built.version, "sha256": built.sha256, "path": str(built.path)}
