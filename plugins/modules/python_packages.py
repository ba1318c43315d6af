#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: python_packages
short_description: Resolve Python packages for nodes with pip, into an archive with a virtual environment
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Runs pip on the controller, so that the index, mirror, proxy and certificates of a site apply as with C(pip install). It resolves the packages for
    the Python of the nodes, as wheels, and compares their hashes where the requirements have them.
  - The archive contains a virtual environment for C(/opt/<name>-<version>). The same packages give the same archive.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  name:
    description: Name of the environment.
    type: str
    required: true
  requirements:
    description: A list of requirements in the format of pip, or the path of a requirements file on the controller.
    type: raw
    required: true
  variable:
    description: The variable that they come from, for messages.
    type: str
    required: true
  python:
    description: The Python of the nodes, as M(sky.clusters.software_info) returns it.
    type: str
    required: true
  known:
    description: The versions that the head has, each with the SHA-256 of its archive. pip does not run if the wanted one is among them.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Resolve packages
  sky.clusters.python_packages:
    name: python-jobs
    requirements: [numpy==2.4.1, pandas]
    variable: spark_python_packages
    python: Python 3.11 x86_64 glibc 2.36
  register: packages
"""

RETURN = r"""
version:
  description: Version of the environment, a hash of the requirements and of the Python of the nodes.
  returned: always
  type: str
  sample: 3f9a01bc22de
sha256:
  description: SHA-256 of the archive; empty in check mode if pip would run.
  returned: always
  type: str
path:
  description: Path of the archive on the controller. If pip did not run, it may not exist.
  returned: always
  type: str
  sample: /home/me/.cache/sky-clusters/python-jobs-3f9a01bc22de-0a1b2c3d4e5f.tgz
"""
