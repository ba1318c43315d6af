# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook, run as a script, on the cloud in memory: its nodes have addresses of this machine, on which nobody answers by ssh."""

from __future__ import annotations

from typing import Any

from ansible.cli.playbook import main
from ansible.plugins.loader import init_plugin_loader

init_plugin_loader()  # before anything of the collection is imported, or Ansible does not know it as one

from ansible_collections.sky.clusters.plugins.module_utils import _fleet, _probe  # noqa: E402
from ansible_collections.sky.clusters.plugins.module_utils._cloud import Address  # noqa: E402
from ansible_collections.sky.clusters.plugins.module_utils._clouds import Provider  # noqa: E402
from ansible_collections.sky.clusters.tests.support import memory_cloud  # noqa: E402


def loopback(address: str, *more: Any) -> Address:
    """One that leads nowhere but here."""
    return Address(address.replace("10.", "127.", 1), *more)


if __name__ == "__main__":
    vars(_fleet)["PROVIDERS"] = {"memory": Provider(memory_cloud.MemoryOptions, memory_cloud.MemoryCloud)}
    vars(_probe)["_look"] = lambda _node: ""
    vars(memory_cloud)["Address"] = loopback
    main()
