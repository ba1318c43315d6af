# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of this name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: inventory_check
short_description: Fail where the cluster file was refused
version_added: 0.1.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Ansible goes on with an empty inventory where an inventory plugin refuses its file, and ends with success. As the first task of a playbook this
    module fails instead, with the sentences of the inventory plugin P(sky.clusters.clouds#inventory).
  - It also fails where an extra variable of the playbooks holds what it cannot, or is misspelt, and where a role of another collection is not
    installed, before anything is done. So it does for variables of the collection's roles, wherever they are set (extra variables, C(group_vars),
    C(host_vars), the inventory).
extends_documentation_fragment: [sky.clusters.attributes]
options:
  system:
    description: A system, such as V(spark), that the cluster file must name; none if empty.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Check that the cluster file was accepted
  sky.clusters.inventory_check:

- name: Check that it names a Spark cluster
  sky.clusters.inventory_check:
    system: spark
"""

RETURN = r"""
ansible_facts:
  description:
    - C(sky_began) is when the run began, in seconds since 1970, for M(sky.clusters.report).
    - C(sky_given) holds the values of the extra variables, by their names without C(sky_); an empty one has its default. Those that describe a job
      are left out, since they may be secret. C(identity_file) is the private key file that Ansible is configured to use.
  returned: always
  type: dict
  sample: {sky_began: 1795248000.5, sky_given: {counts: {worker: 4}, look: true, identity_file: ""}}
"""
