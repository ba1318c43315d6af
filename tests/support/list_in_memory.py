# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-inventory, run as a script, for clusters on clouds in memory."""

from __future__ import annotations

from ansible.cli.inventory import main
from ansible.plugins.loader import init_plugin_loader

init_plugin_loader()  # before anything of the collection is imported, or Ansible does not know it as one

from ansible_collections.sky.clusters.plugins.module_utils._clouds._providers import Provider  # noqa: E402
from ansible_collections.sky.clusters.plugins.module_utils._engine import _fleet  # noqa: E402
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions  # noqa: E402

if __name__ == "__main__":
    vars(_fleet)["PROVIDERS"] = {"memory": Provider(MemoryOptions, MemoryCloud)}
    main()
