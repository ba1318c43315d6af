# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters on clouds in memory, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Scope
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, parse
from ansible_collections.sky.clusters.plugins.module_utils._engine._apply import Tools
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan import plan
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Plan, Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Backoff
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Run
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions
from ansible_collections.sky.clusters.tests.support.world import World

PROVIDERS = {"memory": MemoryOptions}


def cluster_of(path: Path | str, pools: Mapping[str, Any], name: str = "demo", clouds: Mapping[str, Any] | None = None, **more: Any) -> Cluster:
    """A cluster in a world. A pool may be a count; a cloud is what differs from the default; pools are on cloud ``one`` unless they say.

    What a system needs (a head) is not checked: planner and run do not rely on it.
    """
    entries = {cloud: {"provider": "memory", "path": str(path)} | dict(entry) for cloud, entry in (clouds or {"one": {}}).items()}
    filled: dict[str, dict[str, Any]] = {
        pool: {"cloud": "one", **({"count": spec} if isinstance(spec, int) else spec)} for pool, spec in pools.items()
    }
    roles = {pool: tuple(spec.pop("roles", ())) for pool, spec in filled.items()}
    made = parse({"cluster": name, "clouds": entries, "pools": filled, "overlay": False, **more}, PROVIDERS)
    return replace(made, pools={pool: replace(spec, roles=roles[pool]) for pool, spec in made.pools.items()})


def opened(cluster: Cluster, **options: Any) -> dict[str, MemoryCloud]:
    """Its clouds, with other options where given."""
    scope = Scope(cluster.name, cluster.settings.owner)
    known = {name: cast(MemoryOptions, entry.options) for name, entry in cluster.clouds.items()}
    return {name: MemoryCloud(name, replace(own, **options), scope) for name, own in known.items()}


def tools_of(world: World, **more: Any) -> Tools:
    """Tools whose time and ssh are the world's, and whose chance is none."""
    tools: dict[str, Any] = {"clock": world.clock(), "backoff": Backoff(spread=lambda: 0.5), "probe": world.probe}
    return Tools(**(tools | more))


def run_of(world: World, cluster: Cluster, clouds: Mapping[str, MemoryCloud] | None = None, **more: Any) -> Run:
    """A run as the action makes it."""
    return Run(cluster, clouds or opened(cluster), tools_of(world), **more)


def planned(cluster: Cluster, clouds: Mapping[str, MemoryCloud], wishes: Wishes | None = None) -> Plan:
    """The plan for what the clouds hold now."""
    return plan(cluster, {name: cloud.owner for name, cloud in clouds.items()}, {name: cloud.listing() for name, cloud in clouds.items()}, wishes)


def settled(world: World, cluster: Cluster, wishes: Wishes | None = None) -> Run:
    """Bring the cluster to what its file says, leaving nodes deleted at once; the run that did it."""
    run = run_of(world, cluster)
    outcome = run.present(wishes or Wishes())
    run.delete(outcome.leaving)
    return run
