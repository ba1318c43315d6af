# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""1,000 nodes on a cloud in memory: the cost of the collection itself, without the response time of a cloud.

    python benchmarks/thousand_nodes.py [--nodes 1000]

Prints figures; judges nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader

init_plugin_loader()  # before anything of the collection is imported; otherwise Ansible does not recognise it

from ansible_collections.sky.clusters.benchmarks.figures import show, timed  # noqa: E402
from ansible_collections.sky.clusters.plugins.module_utils._clouds._providers import Provider  # noqa: E402
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import parse  # noqa: E402
from ansible_collections.sky.clusters.plugins.module_utils._engine import _fleet  # noqa: E402
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan import plan  # noqa: E402
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes  # noqa: E402
from ansible_collections.sky.clusters.tests.support.clusters import opened, run_of  # noqa: E402
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions  # noqa: E402
from ansible_collections.sky.clusters.tests.support.world import World  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1000)
    count = parser.parse_args().nodes
    vars(_fleet)["PROVIDERS"] = {"memory": Provider(MemoryOptions, MemoryCloud)}  # in place of the static list
    with tempfile.TemporaryDirectory(prefix="sky-bench-") as folder:
        world = World(Path(folder) / "world")
        content: dict[str, Any] = {
            "plugin": "sky.clusters.clouds",
            "cluster": "big",
            "clouds": {"one": {"provider": "memory", "path": str(Path(folder) / "world")}},
            "pools": {
                "master": {"cloud": "one", "count": 1, "roles": ["spark_master"]},
                "worker": {"cloud": "one", "count": count - 1, "roles": ["spark_worker"]},
            },
        }
        measure(world, content, Path(folder) / "big.sky.yml", count)


def measure(world: World, content: dict[str, Any], path: Path, count: int) -> None:
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    seconds, cluster = timed(lambda: parse(content, {"memory": MemoryOptions}))
    show("reading the cluster file", f"{seconds:8.4f} s")
    seconds, _outcome = timed(lambda: run_of(world, cluster).present(Wishes()))
    show(f"making {count} nodes (plan, carry out, wait, the memory's own time)", f"{seconds:8.2f} s")
    clouds = opened(cluster)
    listing_seconds, listing = timed(clouds["one"].listing)
    show("one list call of the memory", f"{listing_seconds:8.4f} s")
    owners = {"one": clouds["one"].owner}
    seconds, made = timed(lambda: plan(cluster, owners, {"one": listing}))
    show(f"planning with {count} nodes there, nothing to do", f"{seconds:8.4f} s, {len(made.clouds['one'].keep)} kept")
    seconds, inventory = timed(lambda: InventoryManager(loader=DataLoader(), sources=[str(path)]))
    show("inventory, the list call included", f"{seconds:8.2f} s")
    hosts = inventory.get_hosts("pool_worker")
    own = [json.dumps(host.vars, default=str) for host in hosts]
    show("variables of a host", f"{sum(map(len, own)) / len(own):8.0f} bytes")


if __name__ == "__main__":
    main()
