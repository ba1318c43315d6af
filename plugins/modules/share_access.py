#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give a cluster access to a share of one of its clouds."""

from __future__ import annotations

DOCUMENTATION = r"""
module: share_access
short_description: Give a cluster access to a share of one of its clouds
version_added: 0.6.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Finds a share, such as one of OpenStack's Manila, and returns what it is mounted with. If the cluster has no access to it, it gives access to a
    client of the cluster's own, to read and write, with the cluster's mark, and waits until it is in force.
  - When the cluster is destroyed, its access is taken back, and the key is worth nothing. The share and its data stay.
  - The result contains the client's key. Use C(no_log), so that it appears in no output.
  - In check mode the share is found, and nothing is given.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.attributes]
options:
  cloud:
    description: Name of the cloud that has the share. It can be left out if the cluster has one cloud.
    type: str
    default: ""
  name:
    description: Name or identifier of the share.
    type: str
    required: true
  protocol:
    description: Protocol that the share must have, in lower case, such as V(cephfs).
    type: str
    required: true
seealso:
  - ref: ansible_collections.sky.clusters.docsite.guide_data
    description: Data for jobs.
"""

EXAMPLES = r"""
- name: Get access to the share
  sky.clusters.share_access:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    cloud: campus
    name: data
    protocol: cephfs
  register: found
  no_log: true
"""

RETURN = r"""
access:
  description:
    - What the share is mounted with. C(export) is what is mounted, C(file_system) the file system that the share is a part of, if the cloud says it,
      C(client) the name of the client, and C(key) its key. In check mode C(client) and C(key) are empty.
  returned: always
  type: dict
  sample: {name: data, id: f45cc5b2-d1bb-4a3e-ba5b-5c4125613adc, cloud: campus, export: "10.0.0.5:6789,10.0.0.6:6789:/volumes/_nogroup/f45cc5b2",
    file_system: cephfs, client: sky-demo-5d41402a, key: a secret}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._engine._resource import CLOUD_SPEC, fleet, only, run_module
from ansible_collections.sky.clusters.plugins.module_utils._engine._share import given

SPEC: dict[str, Any] = CLOUD_SPEC | {"name": {"type": "str", "required": True}, "protocol": {"type": "str", "required": True}}


def done(module: AnsibleModule) -> dict[str, Any]:
    """Give access."""
    _cluster, clouds = fleet(module.params)
    changed, access = given(only(clouds), module.params["name"], module.params["protocol"], module.check_mode)
    return {"changed": changed, "access": access}


def main() -> None:
    run_module(SPEC, done)


if __name__ == "__main__":
    main()
