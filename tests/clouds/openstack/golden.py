# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud configured, furnished and stopped: a new one starts from what it wrote."""

from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import remove_tree, write

from . import container, furniture, machine, places, ready
from .steps import step


def files() -> list[Path]:
    """What goes into the cloud."""
    return sorted(path for path in (places.HERE / "inside").iterdir() if path.is_file())


def build(work: Path, cloud: Path, node: Path, resolvers: tuple[str, ...]) -> None:
    """Its writes over the root file system of packages, as `work`/upper."""
    passwords = furniture.Passwords.new()
    write(work / "passwords.json", json.dumps(dataclasses.asdict(passwords)), 0o600)
    container.remove()  # what a killed build left
    try:
        machine.prepare()
        container.mount([cloud / "root"], work / "upper")
        container.furnish(files(), passwords.script(resolvers))
        _fill(passwords, node / "node.raw", resolvers)
        with step("stopped and frozen"):
            container.inside("bash", "/root/sky/configure.sh", "freeze")
            container.stop()
            remove_tree(work / "upper.work")
    finally:
        container.remove()


def _fill(passwords: furniture.Passwords, disk: Path, resolvers: tuple[str, ...]) -> None:
    with step("container started"):
        container.start()
    with step("database, queue, keystone"):
        container.inside("bash", "/root/sky/configure.sh", "identity")
    with step("schemas, services, identities, networks, images"), ThreadPoolExecutor(2) as pool:
        services = pool.submit(container.inside, "bash", "/root/sky/configure.sh", "services")
        furniture.identity(passwords.connect(), passwords)
        admin = passwords.connect()  # whose list of services is read once, and only now is there one
        image = pool.submit(furniture.images, passwords.connect(), disk)
        services.result()
        furniture.networks(admin, resolvers)
        furniture.flavors(admin)
        image.result()
    with step("computes known"):
        list(ready.wait([ready.computes(admin)]))
