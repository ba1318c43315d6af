#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the nodes and volumes of a cluster, and what a run would change."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes_info
short_description: Show the nodes and volumes of a cluster, and what a run would change
version_added: 0.1.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Lists the nodes and the data volumes of a cluster in all its clouds in parallel, and compares them with the cluster file. Changes nothing.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.request, sky.clusters.choice, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: List the clouds
  sky.clusters.nodes_info:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
  register: status
"""

RETURN = r"""
nodes:
  description: The existing nodes, with C(memory) in MiB. C(ready_hash) is the hash of the last visit, empty if the node is not configured yet.
  returned: always
  type: list
  elements: dict
  sample:
    - {name: demo-worker-0, cloud: here, id: demo-worker-0, state: running, address: 10.88.0.3, flavor: medium, image: debian-12, cores: 2,
       memory: 2048, ready_hash: 8d969eef6ecad3c2, fault: "", created: "2026-11-21T03:24:00+00:00", pool: worker, roles: [spark_worker]}
pools:
  description: The pools of the file, with the counts of this run. A run fails with fewer than C(min_count) nodes.
  returned: always
  type: dict
  sample: {worker: {count: 2, min_count: 2}}
members:
  description: Names of the nodes that run and would stay.
  returned: always
  type: list
  elements: str
  sample: [demo-master-0, demo-worker-0]
ssh_keys:
  description: Public keys that a run would authorise. If there are none, RV(refusals) says so.
  returned: always
  type: list
  elements: str
  sample: ["ssh-ed25519 AAAA... me"]
volumes:
  description: The existing data volumes, with C(size) in GiB. C(attached) is the node that has the volume, or empty.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-0-spark, cloud: here, size: 10, type: "", attached: demo-worker-0}]
kept_volumes:
  description: Data volumes whose node does not exist, with C(size) in GiB.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-2-spark, size: 10, type: ""}]
changes:
  description: What a run would do, one line each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-2: create in here (medium, debian-12)"]
plan:
  description:
    - The same as data, with C(sign), C(name) of a node, a volume, a cloud or what all nodes share, C(text), and C(reason) if the text has one.
    - V(+) creates, V(~) changes, V(-) deletes, V(-/+) replaces.
    - C(drain) is V(first) for a node that is drained first, and otherwise V(never).
  returned: always
  type: list
  elements: dict
  sample: [{sign: "+", name: demo-worker-2, text: "create in here (medium, debian-12)", reason: "", drain: never}]
planned:
  description:
    - The nodes that a run would create, replace or start.
    - Each has C(name), C(groups) and C(variables), as far as they are known before the run. A node that is created again is among them, too.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-2, groups: [pool_worker, cloud_here, spark_worker], variables: {sky_pool: worker, sky_id: "", sky_memory: 2048}}]
drift:
  description: Differences between the file and existing nodes. They are only reported, since a change would end the node.
  returned: always
  type: list
  elements: str
  sample: []
refusals:
  description: Why a run would refuse to start; empty if it would not.
  returned: always
  type: list
  elements: str
  sample: []
runs:
  description: Who is changing the cluster now, and since when (UTC); empty if nobody is.
  returned: always
  type: list
  elements: dict
  sample: [{who: "ada@laptop (process 4242)", since: "2026-11-28 03:24:00 UTC"}]
estimate:
  description: What the cluster file costs by the hour, one line for each currency of its C(prices).
  returned: always
  type: list
  elements: str
  sample: ["as the cluster file says: 0.4520 EUR per hour, 329.96 per month of 730 hours"]
notes:
  description: Further remarks.
  returned: always
  type: list
  elements: str
  sample: []
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Cloud, CloudError
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, ClusterFileError, parse_parts
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import authorised_keys, ring
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CHOICE_SPEC, CLUSTER_SPEC, REQUEST_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError, open_clouds, option_classes
from ansible_collections.sky.clusters.plugins.module_utils._engine._lock import who
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Backoff, Clock, asked_again
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Outcome, Run
from ansible_collections.sky.clusters.plugins.module_utils._views._changes import changes
from ansible_collections.sky.clusters.plugins.module_utils._views._costs import estimate
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import hosts_to_be

SPEC: dict[str, Any] = CLUSTER_SPEC | REQUEST_SPEC | CHOICE_SPEC


def look(cluster: Cluster, wishes: Wishes) -> dict[str, Any]:
    """What a run would find and plan, and who is changing the cluster now."""
    clouds = open_clouds(cluster)
    return _shown(cluster, Run(cluster, clouds, check=True).look(wishes)) | {"runs": runs(clouds)}


def runs(clouds: Mapping[str, Cloud]) -> list[dict[str, str]]:
    """Who is changing the cluster now. It is one run, except while a run takes the locks of its clouds one by one."""
    holdings = [holding for cloud in clouds.values() if (holding := asked_again(cloud.locked_by, Clock(), Backoff()))]
    return [{"who": who(holding), "since": holding.since} for holding in {holding.holder: holding for holding in holdings}.values()]


def _shown(cluster: Cluster, outcome: Outcome) -> dict[str, Any]:
    listings, made = outcome.listings, outcome.plan
    nodes = [(cloud, node) for cloud, listing in listings.items() for node in listing.nodes]
    return {
        "nodes": [_node(cloud, node, cluster) for cloud, node in nodes],
        "pools": {name: {"count": pool.count, "min_count": pool.least} for name, pool in cluster.pools.items()},
        "members": sorted(outcome.staying),
        "volumes": [_volume(cloud, volume) for cloud, listing in listings.items() for volume in listing.volumes],
        "kept_volumes": [{"name": v.name, "size": v.size, "type": v.type} for v in outcome.kept],
        "changes": [str(change) for change in changes(made)],
        "plan": [change.plain() for change in changes(made)],
        "planned": hosts_to_be(outcome.coming, cluster),
        "drift": [str(each) for each in made.drift],
        "refusals": list(made.refusals),
        "notes": list(made.notes),
    }


def _node(cloud: str, node: Any, cluster: Cluster) -> dict[str, Any]:
    plain = {key: getattr(node, key) for key in ("name", "id", "flavor", "image", "cores", "memory", "fault", "created")} | {"ready_hash": node.ready}
    pool = node.mark.pool
    roles = list(cluster.pools[pool].roles) if pool in cluster.pools else []
    return plain | {"cloud": cloud, "state": node.state.value, "address": node.address(public=True) or node.address(), "pool": pool, "roles": roles}


def _volume(cloud: str, volume: Any) -> dict[str, Any]:
    return {key: getattr(volume, key) for key in ("name", "id", "size", "type", "attached")} | {"cloud": cloud}


def _keys(cluster: Cluster, private_key: str) -> tuple[list[str], list[str]]:
    """The ssh keys that a run would authorise, or why it would refuse."""
    try:
        return list(authorised_keys(cluster.settings, ring(Path.home(), private_key))), []
    except ClusterFileError as error:
        return [], error.faults


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    given = module.params
    try:
        cluster = parse_parts(given, option_classes()).with_counts(given["counts"])
        keys, refusals = _keys(cluster, given["identity_file"])
        found = look(cluster, Wishes.of(given, tuple(keys)))
    except (ClusterFileError, FleetError, CloudError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **found | {"estimate": estimate(cluster), "ssh_keys": keys, "refusals": found["refusals"] + refusals})


if __name__ == "__main__":
    main()
