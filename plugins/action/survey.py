# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""See what the clouds hold now, and whether anything is to be done there. The running inventory may be older than the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, MarkError
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, ClusterFileError, parse_parts
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import Ring, authorised_keys, ring, with_login
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CLUSTER_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError, list_all, open_clouds, option_classes
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Refused, Run
from ansible_collections.sky.clusters.plugins.plugin_utils._inventory_diff import differing, others, running

SPEC: dict[str, Any] = CLUSTER_SPEC | {
    "counts": {"type": "dict", "default": {}},
    "remove": {"type": "list", "elements": "str", "default": []},
    "confirm": {"type": "str", "default": ""},
    "identity_file": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _unused, args = self.validate_argument_spec(argument_spec=SPEC)
        try:
            own = ring(Path("~").expanduser(), args["identity_file"])
            cluster = with_login(parse_parts(args, option_classes()).with_counts(args["counts"]), own)
            return self._seen(cluster, args, own, (task_vars or {})["hostvars"])
        except (ClusterFileError, FleetError, CloudError, MarkError) as error:
            raise AnsibleActionFail(str(error)) from None

    def _seen(self, cluster: Cluster, args: dict[str, Any], own: Ring, hostvars: Any) -> dict[str, Any]:
        clouds = open_clouds(cluster)
        keys = authorised_keys(cluster.settings, own)
        try:
            outcome = Run(cluster, clouds, check=True).present(Wishes(frozenset(args["remove"]), confirm=args["confirm"], ssh_keys=keys))
            listings, changes, members = outcome.listings, outcome.writes or bool(outcome.leaving), sorted(outcome.members)
        except Refused:  # the run says so itself, and changes nothing
            listings, changes, members = list_all(clouds), False, []
        return {
            "changed": False,
            "changes": changes,
            "members": members,
            "new_hosts": differing(listings, cluster, hostvars, running(listings)),
            "unlisted": others(running(listings), hostvars),
            "ssh_keys": list(keys),
        }
