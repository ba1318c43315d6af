#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create, extend or delete a data volume of a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume
short_description: Create, extend or delete a data volume of a cluster
version_added: 0.3.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Creates a data volume before its node exists. When the node is created, it finds the volume by its name and mark.
  - An existing volume is extended if O(size) is larger, even while its node uses it. The next run that visits the node grows the file system. A
    smaller size or another type is refused.
  - Runs create the volumes of the cluster file themselves. Use this module to create a volume before a run, or to delete a single one.
  - Fails if a run changes the cluster at the same time, unless this task is part of that run. In some clouds the lock needs a security group, which
    is kept until the cluster is destroyed.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.attributes]
attributes:
  diff_mode:
    support: full
options:
  name:
    description: Name of the volume, C(<cluster>-<pool>-<index>-<volume>).
    type: str
    required: true
  state:
    description:
      - V(present) creates or extends the volume. Its pool must be in the file.
      - V(absent) deletes the volume and its data, unless it is attached to a node or has another mark. All clouds of the file are searched for it.
    type: str
    choices: [present, absent]
    default: present
  cloud:
    description: Name of the cloud to search with O(state=absent). A volume is created in the cloud of its pool, and no other cloud may be named.
    type: str
    default: ""
  size:
    description: Size in GiB. V(0) is the size in the file. A larger size than in the file is refused, since no run could correct it.
    type: int
    default: 0
  type:
    description: Volume type of the cloud. By default the type in the file, else the default of the cloud.
    type: str
    default: ""
seealso:
  - module: sky.clusters.volume_info
"""

EXAMPLES = r"""
- name: Create the volume of a future node, as the file describes it
  sky.clusters.volume:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    name: demo-worker-4-spark

- name: Delete a kept volume and its data
  sky.clusters.volume:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    name: demo-worker-9-spark
    state: absent
"""

RETURN = r"""
volume:
  description:
    - The volume, with C(size) in GiB. C(attached) is the node that has it. C(device) is its path there, or a shell pattern that matches only it.
    - Empty if the volume does not exist, or would not exist. In check mode a volume that would be created has no C(id).
  returned: always
  type: dict
  sample: {name: demo-worker-4-spark, cloud: here, id: 7c0e91d3a1f2, node: demo-worker-4, size: 50, type: "", attached: "", device: ""}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._engine._data_volume import Wanted, absent, present
from ansible_collections.sky.clusters.plugins.module_utils._engine._resource import CLOUD_SPEC, Change, fleet, run_module

SPEC: dict[str, Any] = CLOUD_SPEC | {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "size": {"type": "int", "default": 0},
    "type": {"type": "str", "default": ""},
}


def done(module: AnsibleModule) -> Change:
    """Create, extend or delete the volume."""
    given = module.params
    cluster, clouds = fleet(given)
    if given["state"] == "absent":
        return absent(clouds, given["name"], module.check_mode, module.warn)
    return present(cluster, clouds, Wanted(given["name"], given["size"], given["type"]), module.check_mode, module.warn)


def main() -> None:
    run_module(SPEC, lambda module: done(module).result("volume"))


if __name__ == "__main__":
    main()
