#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image from one cloud to another."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_copy
short_description: Copy an image from one cloud to another, with its checksum
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Reads an image of one cloud, verifies the checksum that this cloud has for it, and adds it to another cloud under the same checksum, as
    M(sky.clusters.image) does. If the other cloud has an image of this name and checksum, nothing is changed.
  - Images can be read from, and added to, OpenStack (Glance), StratusLab (the Marketplace and its disks) and the machine of a cloud with the provider
    C(lxc). The file passes through this machine, and is not kept.
  - A cloud with the provider C(lxc) makes nodes of archives of root file systems, and the others of images of disks. An archive can be kept in all of
    them, as V(tar). Whoever published one in a Marketplace had to call it V(raw), so set O(format=tar) to copy it to such a cloud.
  - An image that was added to StratusLab as a compressed file is read as what is in this file, and copied under the checksum of that.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.attributes]
attributes:
  diff_mode:
    support: full
options:
  from_cloud:
    description: The cloud that has the image, as the cluster file names it.
    type: str
    required: true
  to_cloud:
    description: The cloud that the image is added to, as the cluster file names it.
    type: str
    required: true
  image:
    description: Name of the image in O(from_cloud), or its identifier there.
    type: str
    required: true
  name:
    description: Name of the image in O(to_cloud); by default the same.
    type: str
    default: ""
  force:
    description: Whether an image of this name with another checksum is replaced, after the new one has been added.
    type: bool
    default: false
  format:
    description: Format of the file, such as V(raw), V(qcow2) or V(tar); by default the one that O(from_cloud) has for it.
    type: str
    default: ""
  properties:
    description: What else O(to_cloud) is to note of the image.
    type: dict
    default: {}
seealso:
  - module: sky.clusters.image
  - module: sky.clusters.image_info
"""

EXAMPLES = r"""
- name: Copy an image of the Marketplace to an OpenStack
  sky.clusters.image_copy:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    from_cloud: lal
    to_cloud: campus
    image: GygG1_V4OyfIx5PIRBuXdNBfuDZ
    name: debian-12

- name: Copy an archive of a root file system from a Marketplace to the local cloud, whose nodes can then name it
  sky.clusters.image_copy:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    from_cloud: lal
    to_cloud: here
    image: MMZu9WvwKIro-rtBQfDk4PsKO7_
    name: debian-12-spark
    format: tar

- name: Publish an image of the local cloud
  sky.clusters.image_copy:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    from_cloud: here
    to_cloud: lal
    image: debian-12-spark
    properties: {os: debian, os_version: "12", visibility: public}
"""

RETURN = r"""
image:
  description: The image in the other cloud, as M(sky.clusters.image) returns it.
  returned: always
  type: dict
  sample: {name: debian-12, cloud: campus, id: 3f0c1e0a-6b0e-4a35-9c56-20d2ad4d4d6e, status: active, ours: true, size: 734003200,
     checksum: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", format: raw, architecture: x86_64}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._base._schema import hint
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Cloud, ImageSpec, Invalid
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._spec import CLUSTER_SPEC
from ansible_collections.sky.clusters.plugins.module_utils._engine._image import copied
from ansible_collections.sky.clusters.plugins.module_utils._engine._resource import Change, fleet, run_module

SPEC: dict[str, Any] = CLUSTER_SPEC | {
    "from_cloud": {"type": "str", "required": True},
    "to_cloud": {"type": "str", "required": True},
    "image": {"type": "str", "required": True},
    "name": {"type": "str", "default": ""},
    "force": {"type": "bool", "default": False},
    "format": {"type": "str", "default": ""},
    "properties": {"type": "dict", "default": {}},
}


def _two(given: dict[str, Any]) -> tuple[Cloud, Cloud]:
    """The cloud to copy from, and the one to copy to."""
    _cluster, clouds = fleet(given | {"cloud": ""})
    for key in ("from_cloud", "to_cloud"):
        if given[key] not in clouds:
            raise Invalid(f"{key}: no cloud '{given[key]}' under clouds{hint(given[key], list(clouds))}")
    if given["from_cloud"] == given["to_cloud"]:
        raise Invalid(f"to_cloud: must be another cloud than from_cloud, got '{given['to_cloud']}'")
    return clouds[given["from_cloud"]], clouds[given["to_cloud"]]


def done(module: AnsibleModule) -> Change:
    """Copy the image."""
    given = module.params
    source, target = _two(given)
    properties = {str(key): str(value) for key, value in given["properties"].items()}
    wanted = ImageSpec("", "", given["format"], properties=properties)
    names = (given["image"], given["name"] or given["image"])
    return copied(source, target, names, wanted, module.tmpdir, given["force"], module.check_mode)


def main() -> None:
    run_module(SPEC, lambda module: done(module).result("image"))


if __name__ == "__main__":
    main()
