# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the head of a system keeps the secret of the system."""

from __future__ import annotations

DOCUMENTATION = r"""
name: secret_file
short_description: Choose the file of a system's secret
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - The secret of a system is kept on the head's volume that has the name of the system, if there is one, so that it outlives the node.
positional: name
options:
  _input:
    description: The volumes of the head, C(sky_volumes) of the inventory.
    type: list
    elements: dict
    required: true
  name:
    description: Name of the system, and of its volume.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Choose the file of the secret
  ansible.builtin.debug:
    msg: "{{ hostvars[sky_heads.spark_master].sky_volumes | default([]) | sky.clusters.secret_file('spark') }}"
"""

RETURN = r"""
_value:
  description: The file.
  type: str
  sample: /data/spark/.sky/spark
"""

from collections.abc import Callable, Iterable, Mapping


def secret_file(volumes: Iterable[Mapping[str, str]], name: str) -> str:
    mounts = [volume["mount"] for volume in volumes if volume["name"] == name]
    return f"{mounts[0]}/.sky/{name}" if mounts else f"/var/lib/sky/secrets/{name}"


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"secret_file": secret_file}
