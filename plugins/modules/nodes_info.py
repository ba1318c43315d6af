#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists of a cluster, and what a run would change."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes_info
short_description: Show what exists of a cluster and what a run would change
version_added: 0.1.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Lists the nodes and the data volumes of a cluster in all its clouds, side by side, and compares them with the cluster's file. Changes nothing.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.attributes]
options:
  counts:
    description: "Counts of pools for this run, over those of the file, such as C({worker: 4})."
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Look at the clouds
  sky.clusters.nodes_info:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
  register: status
"""

RETURN = r"""
nodes:
  description: The nodes that exist, C(memory) in MiB.
  returned: always
  type: list
  elements: dict
  sample:
    - {name: demo-worker-0, cloud: here, id: demo-worker-0, state: running, address: 10.88.0.3, flavor: medium, image: debian-12, cores: 2,
       memory: 2048, ready: 8d969eef6ecad3c2, fault: "", created: "2026-11-21T03:24:00+00:00"}
volumes:
  description: The data volumes that exist, C(size) in GiB. C(attached) names the node that has it; it is empty while the volume is kept without one.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-0-spark, cloud: here, size: 10, type: "", attached: demo-worker-0}]
changes:
  description: What a run would do, one line each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-2: make in here (medium, debian-12)"]
drift:
  description: Differences between the file and nodes that no run makes, since making them would end the node.
  returned: always
  type: list
  elements: str
  sample: []
refusals:
  description: Why a run would refuse to do anything; empty if it would not.
  returned: always
  type: list
  elements: str
  sample: []
notes:
  description: What else is worth knowing.
  returned: always
  type: list
  elements: str
  sample: []
summary:
  description: All of it in lines for people.
  returned: always
  type: list
  elements: str
  sample: [node           cloud  state    address    flavor  roles         ready]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._cloud import Listing
from ansible_collections.sky.clusters.plugins.module_utils._cluster import Cluster, ClusterFileError, parse_parts
from ansible_collections.sky.clusters.plugins.module_utils._fleet import FleetError, list_all, open_clouds, option_classes, owners
from ansible_collections.sky.clusters.plugins.module_utils._plan import Plan, plan
from ansible_collections.sky.clusters.plugins.module_utils._spec import CLUSTER_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._summary import foretold, kept_lines, node_table


def look(cluster: Cluster) -> dict[str, Any]:
    """List the clouds, and plan without carrying out."""
    clouds = open_clouds(cluster)
    listings = list_all(clouds)
    made = plan(cluster, owners(clouds), listings)
    return _told(cluster, listings, made)


def _told(cluster: Cluster, listings: dict[str, Listing], made: Plan) -> dict[str, Any]:
    changes = foretold(made)
    drift = [str(each) for each in made.drift]
    kept = [volume for volumes in made.kept_volumes.values() for volume in volumes]
    summary = [
        *node_table(cluster, listings),
        *kept_lines(kept),
        *(f"a run would: {line}" for line in changes or ["change nothing"] * (not made.refusals)),
        *(f"differs: {line}" for line in drift),
        *(f"note: {line}" for line in made.notes),
        *(f"a run would refuse: {line}" for line in made.refusals),
    ]
    return {
        "nodes": [_node(cloud, node) for cloud, listing in listings.items() for node in listing.nodes],
        "volumes": [_volume(cloud, volume) for cloud, listing in listings.items() for volume in listing.volumes],
        "changes": changes,
        "drift": drift,
        "refusals": list(made.refusals),
        "notes": list(made.notes),
        "summary": summary,
    }


def _node(cloud: str, node: Any) -> dict[str, Any]:
    plain = {key: getattr(node, key) for key in ("name", "id", "flavor", "image", "cores", "memory", "ready", "fault", "created")}
    return plain | {"cloud": cloud, "state": node.state.value, "address": node.address(public=True) or node.address()}


def _volume(cloud: str, volume: Any) -> dict[str, Any]:
    return {key: getattr(volume, key) for key in ("name", "id", "size", "type", "attached")} | {"cloud": cloud}


def main() -> None:
    module = AnsibleModule(argument_spec=CLUSTER_SPEC | {"counts": {"type": "dict", "default": {}}}, supports_check_mode=True)
    try:
        cluster = parse_parts(module.params, option_classes()).with_counts(module.params["counts"])
        result = look(cluster)
    except (ClusterFileError, FleetError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
