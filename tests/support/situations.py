# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Situations from which a run starts, and what must hold when it has ended."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Run
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of, opened, planned, run_of
from ansible_collections.sky.clusters.tests.support.world import World, cloud_of

CLOUDS = ("one", "two")
CONFIRMED = Wishes(confirm="demo")
Pools = Mapping[str, Any]


def pools(master: int = 1, worker: int = 3, burst: int = 2, size: int = 5) -> Pools:
    """Three pools on two clouds."""
    return {
        "master": {"count": master, "roles": ["spark_master"]},
        "worker": {"count": worker, "roles": ["spark_worker"], "volumes": {"data": size}},
        "burst": {"count": burst, "roles": ["spark_worker"], "cloud": "two"},
    }


def wanted(world: World, some: Pools) -> Cluster:
    return cluster_of(world.folder, some, clouds={name: {} for name in CLOUDS}, timeouts={"booted": 60, "reachable": 60, "deleted": 60})


def present(run: Run) -> list[str]:
    """What a playbook's run does to the nodes: make, drain and delete, mark as ready. Its faults."""
    outcome = run.present(CONFIRMED)
    faults = outcome.faults + run.delete(outcome.leaving).faults
    run.set_ready(dict.fromkeys(outcome.members, "hash"))
    return faults


def absent(run: Run, data: bool = True) -> list[str]:
    """What the playbook that takes everything away does. Its faults."""
    return run.absent(data).faults


def whole_run(world: World, some: Pools) -> str:
    """A run on what is there. Its faults, one a line."""
    return "\n".join(present(run_of(world, wanted(world, some))))


def whole_destroy(world: World, some: Pools, data: bool = True) -> str:
    """The same of a run that takes everything away."""
    return "\n".join(absent(run_of(world, wanted(world, some)), data))


def _hurt(world: World) -> None:
    """One of each kind of trouble."""
    world.set_node("demo-worker-0", state="failed", fault="the disk died")
    world.set_node("demo-worker-1", state="stopped")
    world.set_node("demo-worker-2", state="deleting")
    world.remove_volume("demo-worker-3-data")
    world.set_node("demo-burst-0", "two", state="building")
    world.remove_node("demo-burst-1", "two")


@dataclass(frozen=True)
class Situation:
    """What there was before, what happened to it, and what is wanted now."""

    before: Pools | None
    now: Pools
    harm: Callable[[World], None] = lambda _world: None


SITUATIONS = {
    "first": Situation(None, pools()),
    "grow": Situation(pools(worker=1, burst=0), pools(worker=4, size=9)),
    "shrink": Situation(pools(worker=4, burst=3), pools(worker=1, burst=1)),
    "mend": Situation(pools(worker=4), pools(worker=4), _hurt),
    "move": Situation(pools(worker=4, burst=0), pools(worker=3, burst=3, size=6), _hurt),
}


class Stage:
    """Situations made once, and copied for every trial."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copies = 0
        for name, situation in SITUATIONS.items():
            world = World(folder / name)
            neighbours(world)
            if situation.before is not None:
                whole_run(world, situation.before)
            situation.harm(world)

    def world(self, name: str) -> World:
        """A world of its own in this situation."""
        self.copies += 1
        return World(shutil.copytree(self.folder / name, self.folder / f"copy-{self.copies}"))

    def end(self, world: World) -> None:
        shutil.rmtree(world.folder)


def neighbours(world: World) -> None:
    """Clusters whose names are prefixes of ours or the other way round, and machines of somebody's."""
    for cloud in CLOUDS:
        for cluster in ("dem", "demo-x", "demo1"):
            world.add_node(f"{cluster}-worker-0", f"sky/1 tester {cluster} worker 0", cloud)
        world.add_node("demo", "", cloud)
        world.add_node("demo-worker", "not a mark", cloud)


def of_others(world: World) -> list[Any]:
    """All that is not of cluster demo."""
    state = world.state()
    nodes = [(cloud, key, node) for cloud in CLOUDS for key, node in cloud_of(state, cloud)["nodes"].items()]
    return sorted((cloud, key, node["name"], node["mark"], node["state"]) for cloud, key, node in nodes if " demo " not in node["mark"])


def ids(world: World) -> dict[str, str]:
    """The cluster's nodes and volumes: name to id."""
    found: dict[str, str] = {}
    for cloud in CLOUDS:
        held = world.cloud(cloud)
        for key, thing in (*held["nodes"].items(), *held["volumes"].items()):
            if " demo " in thing["mark"]:
                found[thing["name"]] = key
    return found


def missing(world: World, some: Pools) -> list[str]:
    """What is wrong with a cluster that a run without faults has brought to what is wanted; empty if nothing is."""
    cluster = wanted(world, some)
    names = Counter(name for cloud in CLOUDS for name in world.names(cloud=cloud))
    wrong = [f"{name} exists {count} times" for name, count in names.items() if count > 1]
    for pool, spec in cluster.pools.items():
        there = sorted(int(name.rsplit("-", 1)[1]) for name in names if name.startswith(f"demo-{pool}-"))
        wrong += [f"{pool}: {there}, wanted {spec.count}"] if len(there) != spec.count else []
    for cloud in CLOUDS:
        held = world.cloud(cloud)
        wrong += [f"{node['name']} is {node['state']}" for node in held["nodes"].values() if " demo " in node["mark"] and node["state"] != "running"]
        lock = held["locks"].get("demo")
        wrong += [f"locked by {lock['holder']}"] if lock and lock["until"] > world.now() else []
    owners = {volume["name"]: volume["attached"] for volume in world.volumes().values()}
    for name, holder in owners.items():
        node = name.rpartition("-")[0]
        wrong += [f"volume {name} is attached to '{holder}'"] if holder != (node if node in names else "") else []
    wrong += [f"{name} has no volume" for name in names if name.startswith("demo-worker-") and f"{name}-data" not in owners]
    again = planned(cluster, opened(cluster))
    wrong += ["there is something left to do"] if again.changes or again.refusals else []
    return wrong


def limit(world: World, some: Pools) -> int:
    """The most nodes that a run may let there be in all: in each pool those that are there (they leave last), or those that are wanted."""
    there = Counter(name.split("-")[1] for cloud in CLOUDS for name in world.names(cloud=cloud))
    return sum(max(there[pool], spec.count) for pool, spec in wanted(world, some).pools.items())


def forget_most(world: World) -> None:
    """Count from now on."""
    with world.tamper() as state:
        for cloud in state["clouds"].values():
            cloud["most"] = {}


def most(world: World) -> int:
    """An upper bound of the most nodes of the cluster that there were at once."""
    return sum(world.most(cloud=cloud) for cloud in CLOUDS)


class Noted:
    """What a run that keeps the volumes may neither touch, nor lose, nor exceed, as it was before the run."""

    def __init__(self, world: World, some: Pools) -> None:
        self.world = world
        self.others, self.volumes, self.limit = of_others(world), set(world.volumes()), limit(world, some)
        forget_most(world)

    def harm(self) -> list[str]:
        """What was touched, lost or exceeded since; empty if nothing was."""
        harm = [f"volume {name} is lost" for name in sorted(self.volumes - set(self.world.volumes()))]
        harm += ["what is not of the cluster was touched"] if of_others(self.world) != self.others else []
        return harm + ([f"{most(self.world)} nodes at once, at most {self.limit} allowed"] if most(self.world) > self.limit else [])


def left_over(world: World, some: Pools) -> list[str]:
    return [left for cloud in opened(wanted(world, some)).values() for left in cloud.leftovers()]
