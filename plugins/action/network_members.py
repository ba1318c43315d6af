# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the list of a cluster's nodes together."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import ClusterFileError, parse_parts
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CLUSTER_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import option_classes
from ansible_collections.sky.clusters.plugins.module_utils._views._network import absent, content, in_range, without_ipv4
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = CLUSTER_SPEC | {"names": {"type": "list", "elements": "str", "required": True}}
    errors = (ClusterFileError,)

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        cluster = parse_parts(args, option_classes())
        if not cluster.networked:
            return {"changed": False, "content": {}, "keys_known": {}, "serves": "", "absent": []}
        nodes = {name: self.variables["hostvars"].raw_get(name) for name in args["names"]}
        serves = next((name for name, variables in nodes.items() if variables.get("sky_serves")), "")
        if not serves:
            raise AnsibleActionFail("no node serves the list of the nodes: node 0 of the first pool that has nodes is missing")
        if bare := without_ipv4(cluster, nodes):
            why = "the overlay needs one in every cloud: give the cloud's network an IPv4 subnet, or set `overlay: false`"
            raise AnsibleActionFail(f"{', '.join(bare)}: has no private IPv4 address; {why}")
        if hidden := in_range(cluster, nodes):
            why = "their clouds use addresses of it: choose another range, and run again"
            raise AnsibleActionFail(f"overlay.range: holds {', '.join(hidden)}; {why}")
        keys = {name: key for name, variables in nodes.items() if (key := variables.get("vpn_node", {}).get("key"))}
        found = {"content": content(cluster, nodes), "keys_known": keys, "serves": serves, "absent": absent(cluster, nodes)}
        return dict(untemplated({"changed": False} | found))
