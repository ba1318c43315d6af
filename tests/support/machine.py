# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever may happen to a cluster, in any order; what must hold after every step."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._network import BLOCK
from ansible_collections.sky.clusters.plugins.module_utils._engine._apply import Result
from ansible_collections.sky.clusters.plugins.module_utils._engine._candidates import BATCH
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import DRIFT, Plan, Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Outcome, Refused
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of, opened, planned, run_of
from ansible_collections.sky.clusters.tests.support.situations import CLOUDS, forget_most, most, neighbours, of_others
from ansible_collections.sky.clusters.tests.support.world import World

POOLS = {"master": ("one", 1), "worker": ("one", 4), "burst": ("two", 3)}  # cloud, largest count
ROLES = {"master": "spark_master", "worker": "spark_worker", "burst": "spark_worker"}
NAMES = st.sampled_from([f"demo-{pool}-{index}" for pool, (_cloud, largest) in POOLS.items() for index in range(largest)])
CALLS = ("listing", "create", "delete", "resize_volumes", "set_clouds", "lock", "identity", "shortages")
FAULTS = st.sampled_from(
    [(method, kind) for method in CALLS for kind in ("unavailable", "lost", "denied")]
    + [("listing", "cut"), ("listing", "empty"), ("listing", "bare"), ("create", "shortage"), ("unlock", "lost"), ("console", "error")]
    + [("create", kind) for kind in ("refused", "broken", "fails", "stuck", "stops", "deaf", "hidden")]
    + [("delete", kind) for kind in ("refused", "stuck", "hidden")]
)  # fmt: skip


class ClusterMachine(RuleBasedStateMachine):
    """A cluster on two clouds, with neighbours, in the hands of users, faults and tamperers."""

    steps: ClassVar[Counter[str]] = Counter()  # how often each rule was at work, over all examples

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sky-machine-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.world = World(self.folder)
        self.counts = {"master": 1, "worker": 2, "burst": 0}
        self.size = 1
        self.disk = 10  # GiB of a node's root disk, as the flavor of the cloud is now
        self.renewed = self.disk  # what it was when a run last replaced nodes
        self.sick: dict[str, str] = {}
        neighbours(self.world)
        self.before = of_others(self.world)
        self.volumes: set[str] = set()  # ids of all that were ever seen and that nobody took away from outside

    def cluster(self) -> Cluster:
        pools = {name: {"cloud": cloud, "count": self.counts[name], "roles": [ROLES[name]]} for name, (cloud, _largest) in POOLS.items()}
        pools["worker"]["volumes"] = {"data": self.size}
        return cluster_of(self.folder, pools, clouds={cloud: {"disk": self.disk} for cloud in CLOUDS})

    def limit(self) -> int:
        """The most nodes that a run may let there be: of each pool those that are there (they leave last), or those that are wanted."""
        there = Counter(name.split("-")[1] for cloud in CLOUDS for name in self.world.names(cloud=cloud))
        return sum(max(there[pool], wanted) for pool, wanted in self.counts.items())

    def wishes(self, confirm: str = "") -> Wishes:
        """Those of the next run; the one after it looks at its nodes anew."""
        sick, self.sick = self.sick, {}
        return Wishes(confirm=confirm, sick=sick)

    def run_once(self, wishes: Wishes) -> tuple[Outcome, Result]:
        """A whole run, leaving nodes deleted."""
        limit = self.limit()
        forget_most(self.world)
        run = run_of(self.world, self.cluster())
        try:
            outcome = run.present(wishes)
            result = run.delete(outcome.leaving).result
        finally:
            assert most(self.world) <= limit
        return outcome, result

    # what users do

    @rule(pool=st.sampled_from(sorted(POOLS)), data=st.data())
    def resize(self, pool: str, data: st.DataObject) -> None:
        self.steps["resize"] += 1
        self.counts[pool] = data.draw(st.integers(0, POOLS[pool][1]))

    @rule()
    def extend(self) -> None:
        self.steps["extend"] += 1
        self.size += 1

    @rule()
    def run(self) -> None:
        """A run that may meet faults: it may fail, with a sentence."""
        self.steps["run"] += 1
        try:
            self.run_once(self.wishes())
        except (Refused, FleetError, CloudError) as error:
            assert str(error)
        self.note_volumes()

    @rule()
    def settle(self) -> None:
        """A run without faults: it does what was foretold, and then nothing is left to do."""
        self.steps["settle"] += 1
        self.calm_down()
        cluster = self.cluster()
        clouds = opened(cluster)
        wishes = self.wishes(confirm="demo")
        foretold = run_of(self.world, cluster).look(wishes).plan
        assert foretold.refusals == ()
        assert foretold == run_of(self.world, cluster, check=True).present(wishes).plan
        written = {cloud: len(self.world.writes(cloud)) for cloud in CLOUDS}
        outcome, deleted = self.run_once(wishes)
        assert outcome.result.faults + [r.reason for r in (*outcome.result.failed, *deleted.failed)] == []
        assert self.told(foretold) == self.done(written)
        after = planned(cluster, clouds, Wishes())
        assert after.refusals == ()
        assert not after.changes
        assert not any(part.wait for part in after.clouds.values())
        self.check_names()
        self.check_numbers()
        self.check_clouds()
        self.note_volumes()

    def calm_down(self) -> None:
        """No more faults, and all that is on its way has arrived."""
        self.world.heal()
        self.world.advance(3600)  # locks of runs whose answer was lost are stale
        for _look in range(4):  # lists that lagged have caught up
            for lagging in opened(self.cluster()).values():
                lagging.listing()
        for cloud in CLOUDS:
            self.world.mute(cloud=cloud)
            with self.world.tamper() as state:
                for node in state["clouds"][cloud]["nodes"].values():
                    node.update(doom="", stuck=False)

    @rule()
    def redefine(self) -> None:
        """The cloud's flavor is another one from now on."""
        self.steps["redefine"] += 1
        self.disk += 1

    @precondition(lambda self: hasattr(self, "world") and self.disk > self.renewed)
    @rule()
    def renew(self) -> None:
        """A run that replaces a few of the nodes that differ from the file, as it was foretold: they are made as the file says, and no others."""
        self.steps["renew"] += 1
        self.renewed = self.disk
        self.settle()
        wishes = Wishes(replace=frozenset({DRIFT}))
        before = self.world.names() + self.world.names(cloud="two")
        foretold = run_of(self.world, self.cluster()).look(wishes).plan
        leaving = run_of(self.world, self.cluster()).replacements(wishes).leaving
        assert leaving == sorted(spec.name for part in foretold.clouds.values() for spec in part.replace)
        assert all(sum(name.startswith(f"demo-{pool}-") for name in leaving) <= max(1, count // BATCH) for pool, count in self.counts.items())
        assert run_of(self.world, self.cluster()).delete(leaving).faults == []
        outcome = run_of(self.world, self.cluster()).present(dataclasses.replace(wishes, replaced=frozenset(leaving)))
        assert outcome.result.faults == []
        assert sorted(self.world.names() + self.world.names(cloud="two")) == sorted(before)
        left = {drift.name for drift in outcome.plan.drift}
        assert left == {drift.name for drift in foretold.drift} - set(leaving)
        assert leaving or left <= {"demo-master-0"}  # which is not disposable, and has no data volume

    # what faults and tamperers do

    @rule(fault=FAULTS, call=st.integers(1, 2), node=st.integers(0, 2), times=st.integers(1, 2))
    def fault(self, fault: tuple[str, str], call: int, node: int, times: int) -> None:
        self.steps[f"fault {fault[0]} {fault[1]}"] += 1
        whole = fault[0] in ("listing", "lock", "unlock", "identity", "shortages", "console")
        self.world.fault(fault[0], fault[1], call=call, node=0 if whole else node, times=times)

    @rule(name=NAMES, state=st.sampled_from(["failed", "stopped", "building"]))
    def harm(self, name: str, state: str) -> None:
        self.steps[f"harm {state}"] += 1
        self.world.set_node(name, self.cloud_of(name), state=state)
        self.before = of_others(self.world)

    @rule(name=NAMES)
    def call_sick(self, name: str) -> None:
        """A look finds that a node does not do its work, whatever its state is, if it is there at all."""
        self.steps["call sick"] += 1
        self.sick[name] = "its disk is full"

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        self.steps["remove"] += 1
        self.world.remove_node(name, self.cloud_of(name))
        self.before = of_others(self.world)

    @rule(name=NAMES)
    def strip(self, name: str) -> None:
        """Take the mark off a node; it is somebody's from now on."""
        self.steps["strip"] += 1
        self.world.set_node(name, self.cloud_of(name), mark="")
        self.before = of_others(self.world)

    @rule(name=NAMES)
    def adopt(self, name: str) -> None:
        """Put the mark back on again, where it is not somebody else's by now."""
        self.steps["adopt"] += 1
        cloud = self.cloud_of(name)
        cluster, pool, index = name.rsplit("-", 2)
        if [node["name"] for node in self.world.cloud(cloud)["nodes"].values()].count(name) == 1:
            self.world.set_node(name, cloud, mark=f"sky/1 tester {cluster} {pool} {index}")
            self.before = of_others(self.world)

    @rule(index=st.integers(0, 3))
    def lose_volume(self, index: int) -> None:
        self.steps["lose volume"] += 1
        name = f"demo-worker-{index}-data"
        self.volumes -= {key for key, volume in self.world.cloud("one")["volumes"].items() if volume["name"] == name}
        self.world.remove_volume(name)

    @rule(seconds=st.sampled_from([1, 60, 86400, -86400]))
    def pass_time(self, seconds: int) -> None:
        """Also backwards: somebody sets the clock."""
        self.steps["pass time"] += 1
        self.world.advance(seconds)

    # what must hold

    @invariant()
    @precondition(lambda self: hasattr(self, "world"))
    def nothing_of_others_was_touched(self) -> None:
        assert of_others(self.world) == self.before

    @invariant()
    @precondition(lambda self: hasattr(self, "world"))
    def no_volume_was_lost(self) -> None:
        assert self.volumes <= set(self.world.cloud("one")["volumes"])

    @invariant()
    @precondition(lambda self: hasattr(self, "world"))
    def nothing_is_there_twice(self) -> None:
        names = [name for cloud in CLOUDS for name in self.world.names(cloud=cloud)]
        assert len(names) == len(set(names))
        for volume in self.world.volumes().values():
            assert volume["attached"] in ("", volume["name"].rpartition("-")[0])

    def check_names(self) -> None:
        strays = {key[2] for key in self.before if key[3] == ""}
        for pool, (cloud, _most) in POOLS.items():
            there = [name for name in self.world.names(cloud=cloud) if name.startswith(f"demo-{pool}-")]
            beside = [name for name in strays if name.startswith(f"demo-{pool}-")]
            assert len(there) <= self.counts[pool] <= len(there) + len(beside)

    def check_numbers(self) -> None:
        """No two nodes of the cluster have one number, and no two clouds a block, unless a node was away for a while without its mark."""
        if self.steps["adopt"]:
            return
        found = [(cloud, node) for cloud in CLOUDS for node in self.world.cloud(cloud)["nodes"].values()]
        own = [(cloud, node.get("number", 0)) for cloud, node in found if " demo " in node["mark"] and not node["gone"]]
        numbers = [number for _cloud, number in own if number]
        assert len(numbers) == len(set(numbers))
        blocks = {(number // BLOCK, cloud) for cloud, number in own if number}
        assert len(blocks) == len({block for block, _cloud in blocks})

    def check_clouds(self) -> None:
        """The server node names the clouds that hold something, and no others."""
        held = [cloud for cloud in CLOUDS if self.world.names(cloud=cloud) or self.world.volumes(cloud=cloud)]
        nodes = [node for node in self.world.cloud("one")["nodes"].values() if node["mark"].startswith("sky/1 tester demo master ")]
        assert [node["clouds"] for node in nodes] == [held] * len(nodes)

    def note_volumes(self) -> None:
        self.volumes |= set(self.world.cloud("one")["volumes"])

    def cloud_of(self, name: str) -> str:
        return POOLS[name.split("-")[1]][0]

    def told(self, foretold: Plan) -> set[tuple[Any, ...]]:
        """What the plan says will be written."""
        parts = foretold.clouds.values()
        found: set[tuple[Any, ...]] = {("delete", node.name) for part in parts for node in (*part.delete, *part.leave)}
        found |= {("create", spec.name) for part in parts for spec in part.create}
        return found | {("resize", volume.name, volume.size) for part in parts for volume in part.resize}

    def done(self, written: dict[str, int]) -> set[tuple[Any, ...]]:
        """What was written since, in the words of a plan."""
        found: set[tuple[Any, ...]] = set()
        for cloud, place in written.items():
            for what, kind, name, *more in self.world.writes(cloud)[place:]:
                if what == "resize":
                    found.add((what, name, *more))
                elif what == "attach":
                    found.add(("create", name.rpartition("-")[0]))
                elif kind == "node" and what != "clouds":  # a note beside these
                    found.add(("create" if what == "start" else what, name))
        return found

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)
