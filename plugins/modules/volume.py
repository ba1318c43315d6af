#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One data volume of a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume
short_description: Make, extend or delete one data volume of a cluster
version_added: 0.3.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Makes a data volume of a node ahead of the node, which finds it by its name and mark when it is made. It is attached to none until then.
  - A volume that is there is extended where the size is larger, under its node's feet if need be; the next run that visits the node extends the file
    system. Smaller is refused, and so is another type.
  - Runs of a cluster make the volumes of its file themselves. This module is for those that must be there before, or go alone.
  - Fails where a run works on the cluster at the same time, unless this task is a part of that run. What its lock needs in some clouds (a security
    group) stays until the cluster is destroyed.
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
      - V(present) makes or extends it. The pool must be in the file.
      - V(absent) deletes it with its data, unless a node has it, or it bears another mark. It is looked for in all clouds of the file.
    type: str
    choices: [present, absent]
    default: present
  cloud:
    description: The cloud to look at, where O(state=absent). A volume is made in the cloud of its pool, which is all that may be named then.
    type: str
    default: ""
  size:
    description: Size in GiB; V(0) is what the file says of this volume. Not larger than that, which no run could put right.
    type: int
    default: 0
  type:
    description: The cloud's volume type; by default what the file says of this volume, else the cloud's own default.
    type: str
    default: ""
seealso:
  - module: sky.clusters.volume_info
"""

EXAMPLES = r"""
- name: Make the volume of a node that comes later, as the file describes it
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
    - The volume, C(size) in GiB. C(attached) names the node that has it, C(device) is its path there, or a shell pattern that only it matches.
    - Empty where it is not there, or would not be. In check mode one that would be made has no C(id) yet.
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
    """Carry out what was asked for."""
    given = module.params
    cluster, clouds = fleet(given)
    if given["state"] == "absent":
        return absent(clouds, given["name"], module.check_mode, module.warn)
    return present(cluster, clouds, Wanted(given["name"], given["size"], given["type"]), module.check_mode, module.warn)


def main() -> None:
    run_module(SPEC, lambda module: done(module).result("volume"))


if __name__ == "__main__":
    main()
