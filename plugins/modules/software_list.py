#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the software that a node has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: software_list
short_description: List the software that a node has
version_added: 0.7.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Lists the packages of the node's distribution, and beside them, in C(/opt) and C(/usr/local), unpacked archives, Python packages and jars.
  - Reads every jar for its SHA-256, which takes some seconds on a node with Spark. Changes nothing.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: List the software of the node
  sky.clusters.software_list:
  register: software
"""

RETURN = r"""
system:
  description: Name and version of the operating system.
  returned: always
  type: dict
  sample: {name: debian, version: "12"}
debian:
  description: The installed packages of the distribution, each with the source package that it was built from.
  returned: always
  type: list
  elements: dict
  sample: [{name: libc6, version: 2.36-9+deb12u10, architecture: amd64, source: glibc, source_version: 2.36-9+deb12u10}]
archives:
  description: What was unpacked from archives, as M(sky.clusters.distribution) does, with the SHA-256 of each archive.
  returned: always
  type: list
  elements: dict
  sample:
    - name: spark
      version: 4.3.0
      sha256: e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6
      path: /opt/spark-4.3.0
python_packages:
  description: Python packages that are not Debian's.
  returned: always
  type: list
  elements: dict
  sample: [{name: numpy, version: 2.3.4, path: /opt/python-jobs-0a1b2c3d4e5f/lib/python3.11/site-packages/numpy-2.3.4.dist-info}]
jars:
  description: Java archives that are not Debian's. Those that hold the notes of Maven have C(group), C(artifact) and C(version).
  returned: always
  type: list
  elements: dict
  sample:
    - name: commons-io-2.22.0.jar
      sha256: 2b9a7b1f726fb86216dbd2c8321eabe0221dbd5b1be81c18e1cb53811b104758
      path: /opt/spark-4.3.0/jars/commons-io-2.22.0.jar
      group: commons-io
      artifact: commons-io
      version: 2.22.0
"""

import subprocess

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._software import everything


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        found = everything()
    except (OSError, subprocess.CalledProcessError) as error:
        module.fail_json(msg=f"the software of the node cannot be listed: {error}")
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
