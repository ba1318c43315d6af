#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what a node offers to a software distribution, and which versions of it the node has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: software_info
short_description: Show the cores, the memory, the Python, the Java and the versions of a distribution of a node
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Returns in one call what the roles of a system need to know of a node. Gathering all facts takes longer.
options:
  name:
    description: Name of the distribution, as in M(sky.clusters.distribution).
    type: str
    required: true
  java_version:
    description: Version of Java that it needs; V(0) if it needs none.
    type: int
    default: 0
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Find out what the node has
  sky.clusters.software_info:
    name: spark
    java_version: 17
  register: software
"""

RETURN = r"""
cores:
  description: Cores of the node.
  returned: always
  type: int
  sample: 2
memory:
  description: Its memory, in MiB.
  returned: always
  type: int
  sample: 2048
python:
  description: Version of Python, processor and C library of the node, which decide which packages can be installed.
  returned: always
  type: str
  sample: Python 3.11 x86_64 glibc 2.36
java_home:
  description: Where Java of this version is, or will be when it is installed from the node's Debian.
  returned: with O(java_version)
  type: str
  sample: /usr/lib/jvm/java-17-openjdk-amd64
has_java:
  description: Whether it is installed.
  returned: with O(java_version)
  type: bool
  sample: true
current:
  description: The current version of the distribution; empty if there is none.
  returned: always
  type: str
  sample: 4.3.0
unpacked:
  description: The versions that are unpacked, each with the SHA-256 of its archive.
  returned: always
  type: list
  elements: str
  sample: [4.3.0 e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6]
archives:
  description: Those among RV(unpacked) whose archive the node keeps for others.
  returned: always
  type: list
  elements: str
  sample: []
distributions:
  description: The names of all distributions that the node has.
  returned: always
  type: list
  elements: str
  sample: [python-jobs, spark]
"""

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._distributions import Distribution, names

MEMORY = Path("/proc/meminfo")


def memory() -> int:
    """In MiB."""
    return next(int(line.split()[1]) // 1024 for line in MEMORY.read_text(encoding="utf-8").splitlines() if line.startswith("MemTotal:"))


def java_home(version: int) -> Path:
    """Debian's folder of this version."""
    architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    return Path(f"/usr/lib/jvm/java-{version}-openjdk-{architecture}")


def python() -> str:
    """What decides which Python packages can be installed."""
    return f"Python {sys.version_info[0]}.{sys.version_info[1]} {platform.machine()} {' '.join(platform.libc_ver())}"


def java_of(version: int) -> dict[str, Any]:
    if not version:
        return {}
    home = java_home(version)
    return {"java_home": str(home), "has_java": (home / "bin/java").exists()}


def main() -> None:
    module = AnsibleModule(
        argument_spec={"name": {"type": "str", "required": True}, "java_version": {"type": "int", "default": 0}},
        supports_check_mode=True,
    )
    found = Distribution(module.params["name"])
    current, unpacked = found.current(), found.unpacked()
    module.exit_json(
        changed=False,
        cores=len(os.sched_getaffinity(0)),
        memory=memory(),
        python=python(),
        current=current.version if current else "",
        unpacked=[str(version) for version in unpacked],
        archives=[str(version) for version in unpacked if found.archive(version.version).exists()],
        distributions=names(),
        **java_of(module.params["java_version"]),
    )


if __name__ == "__main__":
    main()
