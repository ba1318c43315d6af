#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add or delete an image of a cloud."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image
short_description: Add an image to a cloud, or delete it
version_added: 0.3.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Adds an image, so that C(image) of the cluster file can name it. An image with the same name, the mark of this collection and the same checksum is
    not changed.
  - The file is verified against O(checksum) before and after the transfer. An incomplete image is never used, and the next call replaces it. Do not
    add the same image twice at the same time.
  - With the provider C(lxc), the file is a tar archive, compressed or not, of a root file system for the architecture of the machine. It must contain
    systemd, an ssh server and Python. All clusters of the machine can use the image. The file is kept beside it, so that it can be copied to other
    clouds.
  - With the provider C(openstack), the image is uploaded and private to the project.
  - With the provider C(stratuslab), the content of the file, which may be compressed, is uploaded to a disk of the site, and described in the
    Marketplace by an entry that is signed with the user's certificate. If that has no e-mail address, the option C(email) of the cloud gives one.
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
      - V(present) adds the image.
      - V(absent) deletes it, unless it lacks the mark of this collection or a node of the machine uses it.
    type: str
    choices: [present, absent]
    default: present
  cloud:
    description: Name of the cloud in the cluster file. Required if the file has several clouds.
    type: str
    default: ""
  source:
    description: A file on the controller, or a URL that begins with C(http), C(https) or C(file). Required with O(state=present).
    type: str
  checksum:
    description: Checksum of the file, C(sha256:) and 64 hexadecimal digits. Required with O(state=present).
    type: str
  force:
    description: Whether an image with this name and another checksum is replaced when the new one is complete. Existing nodes keep the old one.
    type: bool
    default: false
  format:
    description:
      - Format of the file, such as V(raw), V(qcow2) or V(tar). By default it is detected.
      - No server can be started from an archive (V(tar)) in an OpenStack or a StratusLab; there it is only kept, for the provider C(lxc).
    type: str
    default: ""
  min_disk:
    description: The smallest disk for a node, in GiB. Recorded when the image is created, if the cloud supports it.
    type: int
    default: 0
  min_memory:
    description: The smallest memory for a node, in MiB. Recorded when the image is created, if the cloud supports it.
    type: int
    default: 0
  properties:
    description:
      - Further properties to record when the image is created, such as C(architecture) or C(hw_disk_bus). An existing image keeps its own.
      - With the provider C(stratuslab) they may be C(os), C(os_version), C(architecture) (by default V(x86_64)), C(version), C(title) (the name),
        C(description), C(disks_bus) (V(ide), V(scsi) or V(virtio), the default), C(valid_days) (178), and C(visibility), which is V(private) or
        V(public); only its owner can start machines from a private image.
    type: dict
    default: {}
seealso:
  - module: sky.clusters.image_info
"""

EXAMPLES = r"""
- name: Add an image from a web server
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

- name: Replace the image by a file of the controller
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

- name: Publish an image in the Marketplace of a StratusLab site
  sky.clusters.image:
    cluster: "{{ sky_cluster }}"
    clouds: "{{ sky_clouds }}"
    pools: "{{ sky_pools }}"
    settings: "{{ sky_settings }}"
    cloud: lal
    name: debian-12-spark
    source: ~/images/debian-12-spark.qcow2
    checksum: sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752
    properties: {os: debian, os_version: "12", description: Debian 12 with Java for Spark, visibility: public}

- name: Delete the image
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
    - The image, with C(size) in bytes. C(ours) is whether it has the mark of this collection. It can be used while C(status) is V(active).
    - Empty if the image does not exist, or would not exist. In check mode an image that would be added has no C(id).
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
    """Add or delete the image."""
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
