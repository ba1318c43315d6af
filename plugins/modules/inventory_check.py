# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: inventory_check
short_description: Fail if the cluster file or a variable is invalid
version_added: 0.1.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - If an inventory plugin rejects its file, Ansible continues with an empty inventory and reports success. As the first task of a playbook, this
    module fails instead, with the messages of the inventory plugin P(sky.clusters.clouds#inventory).
  - It also fails if an extra variable of the playbooks is invalid or misspelt, and if a role of another collection is not installed. The same holds
    for variables of the roles of this collection, wherever they are set (extra variables, C(group_vars), C(host_vars), the inventory).
  - It also fails if a host that is not a node of the cluster is in the group of a role.
extends_documentation_fragment: [sky.clusters.attributes]
options:
  system:
    description: A system, such as V(spark), of which the cluster file must have a role. By default any cluster is accepted.
    type: str
    default: ""
  configures:
    description: Whether the nodes are configured, so that the variables without which roles can do nothing must be set.
    type: bool
    default: false
    version_added: 0.6.0
"""

EXAMPLES = r"""
- name: Check the cluster file
  sky.clusters.inventory_check:
  register: sky_given

- name: Check that it describes a Spark cluster
  sky.clusters.inventory_check:
    system: spark
"""

RETURN = r"""
began:
  description: When the run began, in seconds since 1970, for M(sky.clusters.report).
  returned: always
  type: float
  sample: 1795248000.5
identity_file:
  description: The private key file that Ansible is configured to use.
  returned: always
  type: str
  sample: ""
look:
  description:
    - An example of the values of the extra variables, which are returned by their names without C(sky_). Playbooks register them as C(sky_given).
      An empty variable has its default. Variables that describe a job are left out, since they may be secret.
  returned: always
  type: bool
  sample: true
"""
