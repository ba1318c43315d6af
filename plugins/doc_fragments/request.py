# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that plan what a run does."""

from __future__ import annotations


class ModuleDocFragment:
    """What a run asks for beside the cluster file.

    Return values cannot be shared in this way: ansible-core 2.18 and 2.19 have no fragments for them.
    """

    DOCUMENTATION = r"""
options:
  counts:
    description: "Numbers of nodes by pool that override those of the file in this run, such as C({worker: 4})."
    type: dict
    default: {}
  remove:
    description: Nodes to remove first if a pool shrinks.
    type: list
    elements: str
    default: []
  confirm:
    description:
      - The name of the cluster, to allow what is refused otherwise. This is deleting the nodes of a pool that the file no longer has, replacing many
        failed nodes at once, and forgetting a cloud that the file no longer has.
    type: str
    default: ""
  identity_file:
    description:
      - The private key file that Ansible is configured to use. Its public key is authorised on the nodes too, or must be among C(ssh_keys) of the
        file.
    type: str
    default: ""
"""
