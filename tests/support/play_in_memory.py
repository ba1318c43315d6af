# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook, run as a script, for clusters on clouds in memory: their nodes have addresses of this machine, on which nobody answers by ssh."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from ansible.cli.playbook import main
from ansible.plugins.loader import init_plugin_loader

init_plugin_loader()  # before anything of the collection is imported, or Ansible does not know it as one

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Scope  # noqa: E402
from ansible_collections.sky.clusters.plugins.module_utils._clouds._providers import Provider  # noqa: E402
from ansible_collections.sky.clusters.plugins.module_utils._engine import _fleet, _lock, _probe  # noqa: E402
from ansible_collections.sky.clusters.tests.support import memory_cloud  # noqa: E402
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions  # noqa: E402


class TimedCloud(MemoryCloud):
    """One whose time is that of its runs, and who is quick."""

    poll_seconds: ClassVar[float] = 0.1

    def __init__(self, name: str, options: MemoryOptions, scope: Scope) -> None:
        super().__init__(name, replace(options, real_time=True), scope)


def loopback(address: str, *more: Any) -> Address:
    """One that leads nowhere but here."""
    return Address(address.replace("10.", "127.", 1), *more)


if __name__ == "__main__":
    vars(_fleet)["PROVIDERS"] = {"memory": Provider(MemoryOptions, TimedCloud)}
    vars(_lock).update(GRACE=0.5, LOOK=0.1)
    vars(_probe)["_look"] = lambda _node: ""
    vars(memory_cloud)["Address"] = loopback
    main()
