#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the images of a cluster's clouds."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_info
short_description: List the images of a cluster's clouds
version_added: 0.3.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Lists the images in all clouds of a cluster in parallel. Changes nothing.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.attributes]
options:
  cloud:
    description: Name of the cloud to list. By default all clouds.
    type: str
    default: ""
  name:
    description: Name of the images to list. By default all images.
    type: str
    default: ""
  properties:
    description:
      - Properties that the images to list must have, C(architecture) and C(format) among them. Letter case is ignored. A property that no image has
        causes a warning.
      - Images of a Marketplace (the provider C(stratuslab)) have C(os), C(os_version), C(version), C(title), C(endorser) (an e-mail address),
        C(created) and C(valid) (until when). Images that the cloud's policy refuses are not listed, nor those of others that have expired. An image
        that several people endorse is listed once, as the latest endorsement describes it.
    type: dict
    default: {}
    version_added: 0.5.0
seealso:
  - module: sky.clusters.image
"""

EXAMPLES = r"""
- name: List the images
  sky.clusters.image_info:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
  register: found

- name: Find the images of a Marketplace for one system
  sky.clusters.image_info:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    properties: {os: debian, os_version: "12", architecture: x86_64, endorser: images@example.org}
  register: found
"""

RETURN = r"""
images:
  description:
    - The images in the order of clouds and names, with C(size) in bytes. C(ours) is whether an image has the mark of this collection. An image can be
      used while C(status) is V(active).
    - An image that was added to a Marketplace is V(incomplete) if its disk is gone, and V(expired) once its description is no longer valid. It can be
      added again, and deleted.
    - An image with the C(format) V(recipe) is built when the first node needs it.
  returned: always
  type: list
  elements: dict
  sample:
    - {name: debian-12-spark, cloud: lal, id: 3f0c1e0a-6b0e-4a35-9c56-20d2ad4d4d6e, status: active, ours: true, size: 734003200,
       checksum: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", format: qcow2, architecture: x86_64,
       properties: {}}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import list_images
from ansible_collections.sky.clusters.plugins.module_utils._engine._image import as_result, having, unknown
from ansible_collections.sky.clusters.plugins.module_utils._engine._resource import CLOUD_SPEC, fleet, run_module

SPEC: dict[str, Any] = CLOUD_SPEC | {"name": {"type": "str", "default": ""}, "properties": {"type": "dict", "default": {}}}


def listed(module: AnsibleModule) -> dict[str, Any]:
    """The requested images."""
    wanted = module.params["name"]
    _cluster, clouds = fleet(module.params)
    known = list_images(clouds)
    found = [as_result(cloud, image) for cloud, images in known.items() for image in sorted(images, key=lambda each: each.name)]
    properties = {str(key): str(value) for key, value in module.params["properties"].items()}
    for sentence in unknown(found, properties):
        module.warn(sentence)
    return {"changed": False, "images": [image for image in having(found, properties) if wanted in ("", image["name"])]}


def main() -> None:
    run_module(SPEC, listed)


if __name__ == "__main__":
    main()
