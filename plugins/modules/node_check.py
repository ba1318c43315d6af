#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fail if a task for a node runs on another machine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_check
short_description: Fail if a task for a node runs on another machine
version_added: 0.4.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Variables of a run, such as C(ansible_connection), take precedence over those of the inventory, and can redirect the tasks for a node to another
    machine, such as the controller. As the first task for a node, this module fails in that case, before anything is changed.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  address:
    description: An address that the node has, such as C(sky_address).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Check that the tasks run on the node
  sky.clusters.node_check:
    address: "{{ sky_address }}"
"""

RETURN = r"""
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._here import elsewhere


def main() -> None:
    module = AnsibleModule(argument_spec={"address": {"type": "str", "required": True}}, supports_check_mode=True)
    fault = elsewhere(module.params["address"])
    if fault:
        module.fail_json(msg=fault)
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
