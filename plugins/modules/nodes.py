# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes
short_description: Make the nodes of a cluster what its file says
version_added: 0.1.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Makes, replaces and starts nodes in all clouds of a cluster side by side, and shows each stage of each node as it comes.
  - A failed node is cleaned at once and replaced at most twice.
  - Nodes that are to leave are named in RV(leaving) and stay, so that their roles can drain them; a second call with O(state=deleted) deletes them.
  - The nodes with a server role name the clouds in use, so that a cloud which is dropped from the file while it holds something stops the run.
  - A flavor or an image that differs is reported as drift and never changed.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.attributes]
attributes:
  diff_mode:
    support: full
options:
  counts:
    description: "Counts of pools for this run, over those of the file, such as C({worker: 4})."
    type: dict
    default: {}
  state:
    description:
      - V(present) makes the clouds hold what the file describes.
      - V(replaced) changes nothing. It names in RV(leaving) the nodes of O(replace) that this run is to drain and delete before V(present) makes
        them again.
      - V(deleted) deletes the nodes in O(names), and no others.
      - V(ready) writes the ready hashes in O(hashes).
      - V(absent) takes the whole cluster away and proves by a list that nothing is left. Data volumes are kept.
    type: str
    choices: [present, replaced, deleted, ready, absent]
    default: present
  names:
    description: Nodes to delete, with O(state=deleted), or whose hash is written, with O(state=ready).
    type: list
    elements: str
    default: []
  hashes:
    description: Ready hash of each node by its name, with O(state=ready).
    type: dict
    default: {}
  remove:
    description: Nodes that leave first where a pool shrinks.
    type: list
    elements: str
    default: []
  replace:
    description:
      - Nodes to make anew, by name; V(drift) names all that differ from the file. Of each pool a quarter of its nodes at a time, at least one; a
        node with a server role alone, once no other is left.
      - For V(drift) those are left, and named in RV(notes), that may hold what a new node would lack (of roles that are not made anew elsewhere, or
        of none, and without a data volume).
    type: list
    elements: str
    default: []
  replaced:
    description: Nodes that this run has drained and deleted for O(replace) already; it then takes no more.
    type: list
    elements: str
    default: []
  idle:
    description: Nodes known to do nothing now; they leave before those that work.
    type: list
    elements: str
    default: []
  sick:
    description:
      - Nodes that run and do not do their work, each with the reason, as M(sky.clusters.findings) returns them.
      - Those whose roles a new node takes up are deleted without a drain and made again under their own names, with their volumes; where a pool
        shrinks they go first. Others are named in RV(notes) and left as they are.
      - Names of nodes that do not run, or do not exist, are passed over.
    type: dict
    default: {}
  confirm:
    description:
      - The cluster's name, as the word that nodes of a pool which the file no longer has may go, that many failed nodes may be replaced, or that a
        cloud which the file no longer has may be forgotten, with O(state=absent) too.
    type: str
    default: ""
  strict:
    description: Whether a node that failed fails the run at its end although O(pools) has enough others; see RV(strict_failure).
    type: bool
    default: false
  destroy_data:
    description: Whether O(state=absent) deletes the data volumes too.
    type: bool
    default: false
  wait:
    description: Seconds to wait for another run that works on the cluster. Then, or at once with V(0), the task fails and says who that is.
    type: float
    default: 0
  lock:
    description:
      - How long other runs are kept out, where there is something to do. V(task) is until this task has ended, V(run) until C(ansible-playbook) has
        ended, as with M(sky.clusters.run_lock). Where the run holds the lock already, nothing more is locked.
    type: str
    choices: [task, run]
    default: task
  identity_file:
    description: Private key file that Ansible is configured to use. Its public half is authorised too, or must be among the file's C(ssh_keys).
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Make the nodes what the file says
  sky.clusters.nodes:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    counts: {worker: 4}
  register: nodes

- name: Delete the nodes that have been drained
  sky.clusters.nodes:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    state: deleted
    names: "{{ nodes.leaving }}"

- name: Take the cluster away and keep its data
  sky.clusters.nodes:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    state: absent
"""

RETURN = r"""
actions:
  description: What was, or in check mode would be, done; one line each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-2: create in here (medium, debian-12)"]
summary:
  description: RV(actions), RV(kept_volumes) and RV(failed_nodes) in lines for people, the last with the tail of each console and what to do next.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-2: create in here (medium, debian-12)"]
members:
  description: Names of the nodes that run and stay.
  returned: always
  type: list
  elements: str
  sample: [demo-master-0, demo-worker-0, demo-worker-1]
leaving:
  description: Names of the nodes to drain and then delete.
  returned: always
  type: list
  elements: str
  sample: [demo-worker-3]
new_hosts:
  description: Members that the running inventory does not have yet, each with C(name), C(groups) and C(variables), for M(sky.clusters.join).
  returned: with O(state=present)
  type: list
  elements: dict
  sample: [{name: demo-worker-0, groups: [pool_worker, cloud_here, spark_worker], variables: {ansible_host: 10.88.0.3}}]
gone:
  description: Nodes that the running inventory has, and that do not run, or not any more.
  returned: with O(state=present)
  type: list
  elements: str
  sample: [demo-worker-1]
failed_nodes:
  description: Why nodes failed; one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-1 failed (after it was made, 3 attempts): its operating system did not start within 300 s (state building)"]
strict_failure:
  description: Whether nodes failed although the others suffice, and O(strict) asks for all.
  returned: always
  type: bool
  sample: false
drift:
  description: Differences between the file and nodes that are not made, since making them would end the node.
  returned: always
  type: list
  elements: str
  sample: ["demo-worker-0: flavor is small, the file says medium; replace the node to change it (-e sky_replace=drift)"]
notes:
  description: What else is worth knowing.
  returned: always
  type: list
  elements: str
  sample: []
kept_volumes:
  description: Data volumes whose node does not exist, with C(size) in GiB.
  returned: always
  type: list
  elements: dict
  sample: [{name: demo-worker-2-spark, size: 10, type: ""}]
seconds:
  description: How long it took.
  returned: always
  type: float
  sample: 4.2
ssh_keys:
  description: Public keys that the nodes let in.
  returned: with O(state=present)
  type: list
  elements: str
  sample: ["ssh-ed25519 AAAA... me"]
"""
