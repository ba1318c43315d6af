# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the clouds and report whether a run would change them. The inventory of a run may be older than the cluster."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import authorised_keys
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CLUSTER_SPEC, REQUEST_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import list_all, open_clouds
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Refused, Run
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import hosts_to_be
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ClusterAction
from ansible_collections.sky.clusters.plugins.plugin_utils._inventory_diff import differing, others, running
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated


class ActionModule(ClusterAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = CLUSTER_SPEC | REQUEST_SPEC | {"replace": {"type": "list", "elements": "str", "default": []}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        cluster, own = self.cluster(args)
        clouds = open_clouds(cluster)
        keys = authorised_keys(cluster.settings, own)
        hostvars = self.variables["hostvars"]
        try:
            wishes = Wishes(frozenset(args["remove"]), frozenset(args["replace"]), confirm=args["confirm"], ssh_keys=keys)
            outcome = Run(cluster, clouds).survey(wishes)
            listings, changes, members = outcome.listings, outcome.writes or bool(outcome.leaving), sorted(outcome.members)
            planned = hosts_to_be(outcome.coming, cluster)
        except Refused:  # the run reports that itself, and changes nothing
            listings, changes, members, planned = list_all(clouds), False, [], []
        return {
            "changed": False,
            "changes": changes,
            "members": members,
            "planned": untemplated(planned),
            "new_hosts": differing(listings, cluster, hostvars, running(listings)),
            "unlisted": others(running(listings), hostvars),
            "ssh_keys": list(keys),
        }
