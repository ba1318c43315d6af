#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have units of systemd run with the settings that are on the disk."""

from __future__ import annotations

DOCUMENTATION = r"""
module: unit
short_description: Run units with the settings that are on the disk
version_added: 0.5.0
description:
  - Has units enabled, and running with the settings that are on the disk. One that was started with others is restarted, also if an earlier run
    that changed them ended before it came to that.
  - Each unit writes a digest of the settings that it was started with, by a line such as
    C(ExecStartPre=/bin/sh -c 'cat /etc/systemd/system/%n /etc/acme.conf | sha256sum > %t/%N/settings'), with C(RuntimeDirectory=%N).
author:
  - The sky.clusters authors (@sky-clusters)
options:
  units:
    description: The units, in the order in which they are started.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Its name, without C(.service).
        type: str
        required: true
      settings:
        description: The files that it depends on beside its own, in the order in which its line reads them.
        type: list
        elements: path
        default: []
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Start the server with its present settings
  sky.clusters.unit:
    units:
      - {name: slurmctld, settings: [/etc/slurm/slurm.conf]}
"""

RETURN = r"""
actions:
  description: What was done, in this order; in check mode what would be.
  returned: always
  type: list
  elements: str
  sample: [enable slurmctld, start slurmctld]
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._folders import FolderError
from ansible_collections.sky.clusters.plugins.module_utils._nodes._systemd import SystemdError
from ansible_collections.sky.clusters.plugins.module_utils._nodes._unit import Unit, UnitError


def main() -> None:
    of_unit = {"name": {"type": "str", "required": True}, "settings": {"type": "list", "elements": "path", "default": []}}
    module = AnsibleModule(
        argument_spec={"units": {"type": "list", "elements": "dict", "required": True, "options": of_unit}},
        supports_check_mode=True,
    )
    actions = []
    try:
        for each in module.params["units"]:
            unit = Unit(each["name"], tuple(map(Path, each["settings"])))
            actions += [f"{action} {unit.name}" for action in unit.start(module.check_mode, pending=False)]
    except (UnitError, SystemdError, FolderError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(actions), actions=actions)


if __name__ == "__main__":
    main()
