#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_config
short_description: Write the OpenSSH configuration of a cluster
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Writes a configuration with which C(ssh), C(scp), C(rsync) and editors reach every node by its name, through a gateway where one is needed, with
    its host key verified and with the keys that the collection itself uses.
  - The file describes the nodes as they are; it is written anew by every run.
  - In check mode no file is written or removed.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  nodes:
    description: Names of the nodes.
    type: list
    elements: str
    required: true
  user:
    description: User that logs in, unless ssh is given another name.
    type: str
    required: true
  file:
    description: Path of the file, in which C(~) is the user's home. By default it is in C(~/.ansible/sky), with the cluster's name.
    type: str
    default: ""
  state:
    description: Whether the file is written or removed.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Write the ssh configuration
  sky.clusters.ssh_config:
    cluster: demo
    nodes: [demo-master-0, demo-worker-0]
    user: sky
    file: demo.ssh
"""

RETURN = r"""
file:
  description: Path of the file. It is empty if this user has no folder of the user's own; then the commands are complete without it.
  returned: if the file is written
  type: str
  sample: /home/ada/.ansible/sky/demo.conf
logins:
  description: What logs in at each node, as the command with its options and the node for it.
  returned: if the file is written
  type: dict
  sample: {demo-master-0: {ssh: ssh -F /home/ada/.ansible/sky/demo.conf, node: demo-master-0}}
"""
