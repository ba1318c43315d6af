# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook, run as a script, for servers that exist in an API only: nodes that have an address are taken to answer by ssh."""

from __future__ import annotations

from ansible.cli.playbook import main
from ansible.plugins.loader import init_plugin_loader

init_plugin_loader()  # before anything of the collection is imported, or Ansible does not know it as one

from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud  # noqa: E402
from ansible_collections.sky.clusters.plugins.module_utils._engine import _probe  # noqa: E402
from ansible_collections.sky.clusters.tests.support.campus_clusters import Campus  # noqa: E402

if __name__ == "__main__":
    vars(_probe)["_look"] = lambda _node: ""
    setattr(OpenStackCloud, "learn_host_keys", Campus.learn_host_keys)  # noqa: B010  # as no type would let it
    main()
