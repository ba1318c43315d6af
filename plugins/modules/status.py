# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: status
short_description: Assemble the status of a cluster
version_added: 0.2.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Combines the contents of the clouds, the health of the nodes and what a run would do. Changes nothing.
  - A cluster is ready if every pool has enough fit nodes (C(min_count) in the cluster file, else C(count)), and if the last proof succeeded and
    nothing has changed since.
  - A node is fit if it runs, is configured and has no fault.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  nodes:
    description: The result of M(sky.clusters.nodes_info).
    type: dict
    required: true
  findings:
    description: The result of M(sky.clusters.findings).
    type: dict
    required: true
  visits:
    description: The result of M(sky.clusters.visit).
    type: dict
    required: true
  looked:
    description: Whether the health of the nodes was checked.
    type: bool
    default: true
  file:
    description:
      - A file to write the whole result to, as JSON, with the mode 0600. A link is followed, a device or a pipe can be written to, and V(-) is
        standard output. Nothing is written in check mode.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Assemble the status
  sky.clusters.status:
    cluster: "{{ sky_cluster }}"
    nodes: "{{ nodes }}"
    findings: "{{ findings }}"
    visits: "{{ visits }}"
    file: ~/demo.json
  register: status
"""

RETURN = r"""
cluster:
  description: Name of the cluster.
  returned: always
  type: str
  sample: demo
ready:
  description: Whether the cluster is ready.
  returned: always
  type: bool
  sample: false
time:
  description: When the cluster was looked at.
  returned: always
  type: str
  sample: "2026-11-28T11:00:00+00:00"
reasons:
  description: Why the cluster is not ready.
  returned: always
  type: list
  elements: str
  sample: ["pools.worker: 1 fit node(s) where at least 2 are needed (demo-worker-1: spark-worker failed)"]
nodes:
  description:
    - The existing nodes, with C(memory) in MiB. C(ready) says whether the node runs, is configured and has no fault, and C(ready_hash) is the hash
      of its last visit, empty if it is not configured yet.
    - C(health) is V(ok), a few words, or V(-) if it was not checked. C(faults) has one sentence for each fault.
  returned: always
  type: list
  elements: dict
  sample:
    - {name: demo-worker-0, cloud: here, id: 5f0c2a9d1e37, state: running, address: 10.88.0.3, flavor: medium, image: debian-12, cores: 2,
       memory: 2048, ready: true, ready_hash: 8d969eef6ecad3c2, fault: "", created: "2026-11-21T03:24:00+00:00", pool: worker,
       roles: [spark_worker], health: ok, faults: []}
pools:
  description: The pools of the file, with the counts of this run. C(min_count) is the number of nodes that a pool needs.
  returned: always
  type: dict
  sample: {worker: {count: 2, min_count: 2}}
services:
  description: The services that should run on the reachable nodes, and their states.
  returned: always
  type: list
  elements: dict
  sample: [{node: demo-worker-0, unit: spark-worker, state: active}]
shares:
  description: The folders of stores outside of the cluster that are mounted on the reachable nodes, and how full they are. Sizes are in MiB.
  returned: always
  type: list
  elements: dict
  sample: [{node: demo-worker-0, mount: /shared, size: 102400, free: 71680, used_percent: 30, fault: ""}]
systems:
  description: The answer of the head of each system, as M(sky.clusters.system_views) returns it. Systems that were not queried are missing.
  returned: always
  type: dict
  sample: {spark: {answers: true, page: "http://10.88.0.62:8080", members: [], work: [], facts: {master: ALIVE, cores: 0, cores in use: 0}}}
faults:
  description: All faults of nodes, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-1: spark-worker is failed (exit-code); see 'journalctl -u spark-worker' on the node"]
volumes:
  description: The existing data volumes, with C(size) in GiB.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-0-spark, cloud: here, size: 10, type: "", attached: demo-worker-0}]
kept_volumes:
  description: Data volumes whose node does not exist.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-2-spark, size: 10, type: ""}]
runs:
  description: Who is changing the cluster now, and since when (UTC); empty if nobody is.
  returned: always
  type: list
  elements: dict
  sample: [{who: "ada@laptop (process 4242)", since: "2026-11-28 03:24:00 UTC"}]
changes:
  description: What a run would do in the clouds, one line each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-2: create in here (medium, debian-12)"]
plan:
  description:
    - What a run would do, in the clouds and on the nodes, as data, with C(sign), C(name), C(text), C(reason) and C(action).
    - C(action) is V(create), V(change), V(replace), V(delete), or V(configure) for what is done on a node.
    - C(drain) is V(first) for a node that is drained first, V(on_restart) for one that is drained if a daemon must be restarted, else V(never).
    - C(adds) are roles that a node gets, and C(removes) Ansible roles that are removed from it.
  returned: always
  type: list
  elements: dict
  sample:
    - {sign: "+", name: demo-worker-2, text: "create in here (medium, debian-12)", action: create, reason: "", drain: never, adds: [], removes: []}
totals:
  description: How many nodes, volumes and other things the plan creates, changes, replaces and deletes. One that has two lines counts once.
  returned: always
  type: dict
  sample: {create: 1, change: 0, replace: 0, delete: 0}
visits:
  description: Nodes that a run would visit, those that it creates or replaces included.
  returned: always
  type: list
  elements: str
  sample: [demo-worker-1]
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
notes:
  description: Further remarks.
  returned: always
  type: list
  elements: str
  sample: []
summary:
  description: All of this as lines for people. The last line begins with C(ready).
  returned: always
  type: list
  elements: str
  sample: ["ready: yes"]
"""
