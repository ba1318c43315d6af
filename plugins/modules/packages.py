#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the packages that a node lacks."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packages
short_description: Install the packages that a node lacks
version_added: 0.6.0
description:
  - Installs packages of the node's distribution, without those that they only recommend. Installed packages are not upgraded.
  - Needs C(apt-get) and C(dpkg-query). It does not need python3-apt, which small images lack.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  names:
    description: The packages.
    type: list
    elements: str
    required: true
  unless:
    description: By package, a path that can have wildcards. The package is not installed where the path exists.
    type: dict
    default: {}
  masked:
    description: Units of the packages that are not to run. They are masked before a package is installed, so that it does not start them.
    type: list
    elements: str
    default: []
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Install Java
  sky.clusters.packages:
    names: [openjdk-17-jre-headless]
    unless: {openjdk-17-jre-headless: /usr/lib/jvm/java-17-openjdk-*/bin/java}

- name: Install HAProxy, whose own service has nothing to balance
  sky.clusters.packages:
    names: [haproxy]
    masked: [haproxy.service]
"""

RETURN = r"""
installed:
  description: The packages that were installed; in check mode those that would be.
  returned: always
  type: list
  elements: str
  sample: [haproxy]
masked:
  description: The units that were masked; in check mode those that would be.
  returned: always
  type: list
  elements: str
  sample: [haproxy.service]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._packages import PackageError, install, mask, missing, unmasked
from ansible_collections.sky.clusters.plugins.module_utils._nodes._systemd import SystemdError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "unless": {"type": "dict", "default": {}},
            "masked": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    try:
        wanted = missing(module.params["names"], module.params["unless"])
        unwanted = unmasked(module.params["masked"])
        if not module.check_mode:
            mask(unwanted)
        if wanted and not module.check_mode:
            install(wanted)
    except (PackageError, SystemdError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(wanted or unwanted), installed=wanted, masked=unwanted)


if __name__ == "__main__":
    main()
