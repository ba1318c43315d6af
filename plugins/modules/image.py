#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One image of a cloud."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image
short_description: Add an image to a cloud, or delete one that was added
version_added: 0.3.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Adds an image once, so that C(image) of the cluster file can name it. What bears the name and our mark with the same checksum is left as it is.
  - The file is fetched and checked against O(checksum) first, beside and without a name, and again on its way; an image that was cut short counts for
    nothing, and is made again by the next call. So do not add one image twice at the same time.
  - Where images are those of a machine (the provider C(lxc)), the file is a tar archive of a root file system for the machine's architecture,
    compressed or not, with systemd, an ssh server and Python in it; all clusters of the machine may use it.
  - Where images are uploaded (the provider C(openstack)), it is private to the project.
extends_documentation_fragment: [sky.clusters.cluster, sky.clusters.attributes]
attributes:
  diff_mode:
    support: full
options:
  name:
    description: Name of the image.
    type: str
    required: true
  state:
    description:
      - V(present) adds it.
      - V(absent) deletes it, unless it does not bear our mark, or a node of the machine stands on it.
    type: str
    choices: [present, absent]
    default: present
  cloud:
    description: The cloud, as the cluster file names it. Needed where it has several.
    type: str
    default: ""
  source:
    description: A file on this machine, or an address that begins with C(http), C(https) or C(file). Required with O(state=present).
    type: str
  checksum:
    description: The file's checksum, C(sha256:) and 64 digits. Required with O(state=present).
    type: str
  force:
    description: Whether an image of this name with another checksum is replaced, once the new one is there. Nodes that stand keep the old one.
    type: bool
    default: false
  format:
    description: Format of the file, such as V(raw), V(qcow2) or V(tar); by default what it looks like.
    type: str
    default: ""
  min_disk:
    description: GiB of disk that a node needs at least. Noted when the image is made, by clouds that can.
    type: int
    default: 0
  min_memory:
    description: MiB of memory that a node needs at least. Noted when the image is made, by clouds that can.
    type: int
    default: 0
  properties:
    description: What else the cloud is to note of the image when it is made, such as C(architecture) or C(hw_disk_bus).
    type: dict
    default: {}
seealso:
  - module: sky.clusters.image_info
"""

EXAMPLES = r"""
- name: Add an image from a server
  sky.clusters.image:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    cloud: lal
    name: debian-12-spark
    source: https://images.example.org/debian-12-spark.qcow2
    checksum: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    min_disk: 4
    properties: {architecture: x86_64}

- name: Replace it by a file of this machine
  sky.clusters.image:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    cloud: lal
    name: debian-12-spark
    source: ~/images/debian-12-spark.qcow2
    checksum: sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752
    force: true

- name: Delete it
  sky.clusters.image:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    cloud: lal
    name: debian-12-spark
    state: absent
"""

RETURN = r"""
image:
  description:
    - The image, C(size) in bytes. C(ours) says whether it bears our mark. Nodes can be made of it while C(status) is V(active).
    - Empty where it is not there, or would not be. In check mode one that would be added has no C(id) yet.
  returned: always
  type: dict
  sample: {name: debian-12-spark, cloud: lal, id: 3f0c1e0a-6b0e-4a35-9c56-20d2ad4d4d6e, status: active, ours: true, size: 734003200,
     checksum: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", format: qcow2, architecture: x86_64}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import ImageSpec
from ansible_collections.sky.clusters.plugins.module_utils._engine._image import absent, checked, present
from ansible_collections.sky.clusters.plugins.module_utils._engine._resource import CLOUD_SPEC, Change, fleet, only, run_module
from ansible_collections.sky.clusters.plugins.module_utils._engine._source import check, opened

SPEC: dict[str, Any] = CLOUD_SPEC | {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "source": {"type": "str"},
    "checksum": {"type": "str"},
    "force": {"type": "bool", "default": False},
    "format": {"type": "str", "default": ""},
    "min_disk": {"type": "int", "default": 0},
    "min_memory": {"type": "int", "default": 0},
    "properties": {"type": "dict", "default": {}},
}
REQUIRED_IF = [("state", "present", ["source", "checksum"])]


def done(module: AnsibleModule) -> Change:
    """Carry out what was asked for."""
    given = module.params
    _cluster, clouds = fleet(given)
    cloud = only(clouds)
    if given["state"] == "absent":
        return absent(cloud, given["name"], module.check_mode)
    properties = {str(key): str(value) for key, value in given["properties"].items()}
    spec = checked(ImageSpec(given["name"], given["checksum"], given["format"], given["min_disk"], given["min_memory"], properties))
    check(given["source"])
    return present(cloud, spec, lambda: opened(given["source"], spec.checksum, module.tmpdir), given["force"], module.check_mode)


def main() -> None:
    run_module(SPEC, lambda module: done(module).result("image"), required_if=REQUIRED_IF)


if __name__ == "__main__":
    main()
