# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a data volume is mounted."""

from __future__ import annotations

DOCUMENTATION = r"""
name: volume_mount
short_description: Find the mount point of a data volume
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Returns where the volume of a name is mounted on a node, or a folder for nodes without such a volume.
positional: name, folder
options:
  _input:
    description: The volumes of the node, C(sky_volumes) of the inventory.
    type: list
    elements: dict
    required: true
  name:
    description: Name of the volume.
    type: str
    required: true
  folder:
    description: What to return if the node has no such volume.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Choose the folder of the data
  ansible.builtin.debug:
    msg: "{{ sky_volumes | default([]) | sky.clusters.volume_mount('spark', '/var/lib/spark') }}"
"""

RETURN = r"""
_value:
  description: The mount point, or the folder.
  type: str
  sample: /data/spark
"""

from collections.abc import Callable, Iterable, Mapping


def volume_mount(volumes: Iterable[Mapping[str, str]], name: str, folder: str) -> str:
    return next((volume["mount"] for volume in volumes if volume["name"] == name), folder)


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"volume_mount": volume_mount}
