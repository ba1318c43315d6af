#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the data volumes of a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_info
short_description: List the data volumes of a cluster
version_added: 0.3.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Lists the data volumes with the mark of a cluster in all its clouds in parallel. Changes nothing.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.attributes]
options:
  cloud:
    description: Name of the cloud to list. By default all clouds.
    type: str
    default: ""
seealso:
  - module: sky.clusters.volume
"""

EXAMPLES = r"""
- name: List the data volumes
  sky.clusters.volume_info:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
  register: found
"""

RETURN = r"""
volumes:
  description:
    - The volumes in the order of clouds and names, with C(size) in GiB. C(node) is the node that a volume belongs to. C(attached) is the node that
      has it now, or empty. C(device) is the path there, or a shell pattern that matches only the volume.
  returned: always
  type: list
  elements: dict
  sample:
    - {name: demo-worker-0-spark, cloud: here, id: 7c0e91d3a1f2, node: demo-worker-0, size: 10, type: "", attached: demo-worker-0,
       device: /dev/sky/spark}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._engine._data_volume import as_result
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import list_all
from ansible_collections.sky.clusters.plugins.module_utils._engine._resource import CLOUD_SPEC, fleet, run_module

SPEC: dict[str, Any] = CLOUD_SPEC


def listed(module: AnsibleModule) -> dict[str, Any]:
    """The existing volumes."""
    _cluster, clouds = fleet(module.params)
    listings = list_all(clouds)
    found = [as_result(cloud, volume) for cloud, listing in listings.items() for volume in sorted(listing.volumes, key=lambda each: each.name)]
    return {"changed": False, "volumes": found}


def main() -> None:
    run_module(SPEC, listed)


if __name__ == "__main__":
    main()
