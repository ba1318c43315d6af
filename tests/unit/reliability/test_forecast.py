# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check 8: a plan names the nodes that the run configures, and no others."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of
from ansible_collections.sky.clusters.tests.support.visits import configure_all, done, foretold
from ansible_collections.sky.clusters.tests.support.world import World

TRIALS = 40
HEAD, BATCH = "demo-master-0", "demo-batch-0"
OVERLAY = {"range": "172.16.0.0/16"}


def cluster(world: World, workers: int, overlay: Any = False, clouds: tuple[str, ...] = ("one", "two")) -> Cluster:
    """Spark and a batch system, whose head keeps what another machine of the same name does not have."""
    pools: dict[str, Any] = {
        "master": {"count": 1, "public_ip": True, "roles": ["spark_master"], "volumes": {"spark": 2}},
        "batch": {"count": 1, "roles": ["torque_server"]},
        "worker": {"count": workers, "roles": ["spark_worker", "torque_node"]},
        "burst": {"count": 2, "roles": ["spark_worker"], "cloud": clouds[-1]},
        "box": {"count": 1},
    }
    timeouts = {"booted": 60, "reachable": 60, "deleted": 60}
    network = {"overlay": overlay, "admin_cidrs": ["192.0.2.0/24"]}
    return cluster_of(world.folder, pools, clouds={name: {} for name in clouds}, timeouts=timeouts, **network)


@pytest.fixture(params=[False, OVERLAY], ids=["addresses of the clouds", "addresses of an overlay"])
def overlay(request: pytest.FixtureRequest) -> Any:
    return request.param


def foretold_and_done(world: World, wanted: Cluster, wishes: Wishes | None = None) -> set[str]:
    wishes = wishes or Wishes(confirm="demo")
    before = world.writing_calls()
    told = foretold(world, wanted, wishes)
    assert world.writing_calls() == before
    assert done(world, wanted, wishes) == told
    return told


def test_a_growth_names_the_heads(world: World, overlay: Any) -> None:
    configure_all(world, cluster(world, 2, overlay))
    assert foretold_and_done(world, cluster(world, 3, overlay)) == {HEAD, BATCH, "demo-worker-2"}


def test_a_shrink_names_the_heads(world: World, overlay: Any) -> None:
    configure_all(world, cluster(world, 3, overlay))
    assert foretold_and_done(world, cluster(world, 2, overlay)) == {HEAD, BATCH}


def test_nothing_to_do_names_nothing(world: World, overlay: Any) -> None:
    configure_all(world, cluster(world, 2, overlay))
    assert foretold_and_done(world, cluster(world, 2, overlay)) == set()


def test_a_head_that_is_created_again_names_the_members_of_its_system(world: World) -> None:
    configure_all(world, cluster(world, 2))
    world.set_node(HEAD, state="failed")
    workers = {f"demo-{pool}-{index}" for pool in ("worker", "burst") for index in (0, 1)}
    assert foretold_and_done(world, cluster(world, 2)) == {HEAD, BATCH, *workers}


def test_another_server_of_the_list_names_all_nodes(world: World) -> None:
    configure_all(world, cluster(world, 2, OVERLAY))
    world.set_node(HEAD, state="failed")
    assert len(foretold_and_done(world, cluster(world, 2, OVERLAY))) == 7


def test_a_node_that_is_replaced_names_the_heads_that_knew_it(world: World, overlay: Any) -> None:
    configure_all(world, cluster(world, 2, overlay))
    wishes = Wishes(replace=frozenset({"demo-burst-1"}), confirm="demo")
    found = foretold_and_done(world, cluster(world, 2, overlay), wishes)
    knew_its_address = set() if overlay else {BATCH}  # in the overlay it has the same one again; the head there serves the list, which has its id
    assert found == {HEAD, "demo-burst-1"} | knew_its_address


def test_a_node_that_is_replaced_while_its_pool_shrinks_is_created_again(world: World, overlay: Any) -> None:
    configure_all(world, cluster(world, 3, overlay))
    found = foretold_and_done(world, cluster(world, 2, overlay), Wishes(replace=frozenset({"demo-worker-0"}), confirm="demo"))
    assert found == {HEAD, BATCH, "demo-worker-0"}
    assert {"demo-worker-0", "demo-worker-1"} < {*world.names()}


def test_a_sick_node_is_one_that_is_created_again(world: World, overlay: Any) -> None:
    configure_all(world, cluster(world, 2, overlay))
    found = foretold_and_done(world, cluster(world, 2, overlay), Wishes(sick={"demo-burst-0": "it is lost"}, confirm="demo"))
    assert found == {HEAD, BATCH, "demo-burst-0"}


def test_a_node_that_still_boots_is_named_and_one_that_was_stopped_changes_no_other(world: World) -> None:
    configure_all(world, cluster(world, 2))
    world.set_node("demo-worker-0", state="stopped")
    assert foretold_and_done(world, cluster(world, 2)) == {"demo-worker-0"}
    world.set_node("demo-worker-1", state="building", ready="")
    assert foretold_and_done(world, cluster(world, 2)) == {"demo-worker-1"}


def hurt(world: World, chance: random.Random) -> None:
    """Trouble that nobody planned."""
    for cloud in ("one", "two"):
        for name in sorted(world.names(cloud=cloud)):
            fate = chance.random()
            if fate < 0.25:
                world.set_node(name, cloud, state=chance.choice(["failed", "stopped"]))
            elif fate < 0.35:
                world.remove_node(name, cloud)
            elif fate < 0.4:
                world.set_node(name, cloud, state="building", ready="")


def test_in_any_situation_a_plan_names_the_nodes_that_the_run_configures(fast_folder: Path, figure: Callable[[str], None]) -> None:
    chance = random.Random(8)
    named = 0
    for trial in range(TRIALS):
        world = World(fast_folder / f"forecast-{trial}")
        overlay = chance.choice([False, OVERLAY])
        configure_all(world, cluster(world, chance.randint(1, 4), overlay))
        hurt(world, chance)
        some = [name for name in sorted(world.names()) if chance.random() < 0.2]
        sick = {name: "it is lost" for name in sorted(world.names()) if chance.random() < 0.1}
        wishes = Wishes(replace=frozenset(some), sick=sick, confirm="demo")
        named += len(foretold_and_done(world, cluster(world, chance.randint(1, 4), overlay), wishes))
        shutil.rmtree(world.folder)
    figure(f"8  plans of {TRIALS} situations: all {named} nodes that they name were created, replaced, started or configured, and no others")
