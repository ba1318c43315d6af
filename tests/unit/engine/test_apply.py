# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying a plan out: stages, deadlines, replacement, retries, and a result for every node."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Cloud, Event, Listing, Node, Stage, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster
from ansible_collections.sky.clusters.plugins.module_utils._engine._apply import Result, Tools, apply
from ansible_collections.sky.clusters.plugins.module_utils._engine._host_keys import KEYS
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Plan, Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Backoff, Clock
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Refused
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of, opened, planned, run_of, settled, tools_of
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud
from ansible_collections.sky.clusters.tests.support.world import World

SHORT = {"booted": 30, "reachable": 40, "deleted": 20}  # s; short, as time is faked in steps


class Try:
    """One plan carried out in a world, and what was told meanwhile."""

    def __init__(self, world: World, pools: Mapping[str, Any] | None = None, confirm: str = "", **more: Any) -> None:
        self.world = world
        self.cluster: Cluster = cluster_of(world.folder, pools or {"worker": 3}, **({"timeouts": SHORT} | more))
        self.clouds: dict[str, MemoryCloud] = opened(self.cluster)
        self.wishes = Wishes(confirm=confirm)
        self.told: list[tuple[str, Event, float]] = []
        self.result = Result()

    def tools(self, **more: Any) -> Tools:
        return tools_of(self.world, report=lambda cloud, event, seconds: self.told.append((cloud, event, seconds)), **more)

    def go(self, **more: Any) -> Result:
        made: Plan = planned(self.cluster, self.clouds, self.wishes)
        assert made.refusals == ()
        began = self.world.now()
        self.result = apply(made, self.cluster, self.clouds, self.tools(**more))
        self.took = self.world.now() - began
        for cloud in self.clouds.values():
            cloud.released.set()
        return self.result

    def stages(self, name: str) -> list[str]:
        return [event.stage.value for _cloud, event, _seconds in self.told if event.name == name]

    def reasons(self) -> dict[str, str]:
        return {result.name: result.reason for result in self.result.failed}

    def converges(self) -> None:
        """Nothing is left to do, nothing is there twice."""
        self.world.heal()
        again = planned(self.cluster, opened(self.cluster))
        assert again.refusals == ()
        assert not again.changes


ALL = ["demo-worker-0", "demo-worker-1", "demo-worker-2"]
FIRST_USE = "the cloud does not show its host key: trusted on first use"


class ShyCloud(MemoryCloud):
    """Shows the host keys of its nodes late, never, or says that it cannot."""

    shown_after: float = 0.0  # s since the first look at a node that answers
    cannot: bool = False
    silent: int = 0  # looks that are not answered
    looks: int = 0

    def learn_host_keys(self, nodes: Sequence[Node]) -> Mapping[str, tuple[str, ...]]:
        self.looks += bool(nodes)
        if self.silent and nodes:
            self.silent -= 1
            raise Unavailable("consoles: 503 Service Unavailable", 7.0)
        if self.cannot:
            return {node.name: () for node in nodes}
        self.first = getattr(self, "first", {})
        since = {node.name: self.first.setdefault(node.name, self.world.now()) for node in nodes}
        return {node.name: node.host_keys for node in nodes if self.world.now() - since[node.name] >= self.shown_after}


def shy(world: World, pools: Mapping[str, Any] | None = None, **more: Any) -> tuple[Try, ShyCloud]:
    """A plan for a cloud of that kind."""
    work = Try(world, pools)
    known = work.clouds["one"]
    cloud = ShyCloud("one", known.options, known.scope)
    for name, value in more.items():
        setattr(cloud, name, value)
    work.clouds = {"one": cloud}
    return work, cloud


def greeted(work: Try) -> dict[str, str]:
    return {event.name: event.detail for _cloud, event, _seconds in work.told if event.stage is Stage.REACHABLE}


# without faults


def test_nodes_are_made_and_followed_until_ssh_answers(world: World) -> None:
    work = Try(world, {"worker": {"count": 3, "volumes": {"data": 5}}})
    result = work.go()
    assert (result.failed, result.faults, result.stopped) == ([], [], False)
    assert world.names() == ALL
    for name in ALL:
        assert work.stages(name) == ["made", "booted", "reachable"]
        node = result.nodes[name]
        assert (node.action, node.stage, node.launches, node.cloud) == ("create", Stage.REACHABLE, 1, "one")
        assert node.node is not None
        assert node.node.address()
        assert list(node.seconds) == ["made", "booted", "reachable"]
    assert world.calls("create") == 1
    assert sorted(world.volumes()) == [f"{name}-data" for name in ALL]
    work.converges()


def test_what_is_kept_is_in_the_result_and_costs_no_call(world: World) -> None:
    Try(world).go()
    calls = world.calls()
    work = Try(world)
    result = work.go()
    assert {name: node.action for name, node in result.nodes.items()} == dict.fromkeys(ALL, "keep")
    assert all(node.ok for node in result.nodes.values())
    assert world.calls() - calls == 2  # the test's own list and identity
    assert work.told == []


def test_nodes_leave_and_their_volumes_stay(world: World) -> None:
    settled(world, cluster_of(world.folder, {"worker": {"count": 3, "volumes": {"data": 5}}}))
    settled(world, cluster_of(world.folder, {"worker": {"count": 1, "volumes": {"data": 5}}}))
    assert world.names() == ["demo-worker-0"]
    assert sorted(world.volumes()) == [f"{name}-data" for name in ALL]
    assert [v["attached"] for v in world.volumes().values()] == ["demo-worker-0", "", ""]


def test_a_failed_node_of_the_past_is_replaced(world: World) -> None:
    Try(world).go()
    world.set_node("demo-worker-1", state="failed")
    old = {node["name"]: key for key, node in world.cloud("one")["nodes"].items()}
    work = Try(world)
    result = work.go()
    assert result.failed == []
    assert work.stages("demo-worker-1") == ["deleted", "made", "booted", "reachable"]
    new = {node["name"]: key for key, node in world.cloud("one")["nodes"].items()}
    assert new["demo-worker-1"] != old["demo-worker-1"]
    assert (new["demo-worker-0"], new["demo-worker-2"]) == (old["demo-worker-0"], old["demo-worker-2"])
    assert world.most() == 3


def test_two_clouds_side_by_side_and_one_that_fails_does_not_stop_the_other(world: World) -> None:
    pools = {"worker": {"cloud": "one", "count": 2}, "burst": {"cloud": "two", "count": 2}}
    work = Try(world, pools, clouds={"one": {}, "two": {}})
    world.fault("create", "denied", cloud="one")
    result = work.go()
    assert sorted(work.reasons()) == ["demo-worker-0", "demo-worker-1"]
    assert world.names(cloud="two") == ["demo-burst-0", "demo-burst-1"]
    assert {name: node.cloud for name, node in result.nodes.items()} == {
        "demo-worker-0": "one", "demo-worker-1": "one", "demo-burst-0": "two", "demo-burst-1": "two"
    }  # fmt: skip


# nodes that fail


@pytest.mark.parametrize(
    ("kind", "seconds", "reason"),
    [
        ("fails", 60, "the hypervisor gave up"),
        ("stops", 60, "it stopped while booting"),
        ("stuck", 200, "its operating system did not start within 30 s (state building)"),
        ("deaf", 200, "ssh did not answer within 40 s (no route to host)"),
    ],
)
def test_a_node_that_never_comes_up_is_replaced_twice_and_then_reported(world: World, kind: str, seconds: float, reason: str) -> None:
    world.fault("create", kind, times=1, node=2)
    world.fault("create", kind, call=2, times=0, node=1)  # the second and third time it is alone
    work = Try(world)
    result = work.go()
    assert work.reasons() == {"demo-worker-1": reason}
    failed = result.nodes["demo-worker-1"]
    assert failed.launches == 3
    assert failed.log.splitlines()[-1] == "line 99 of demo-worker-1"
    assert world.names() == ["demo-worker-0", "demo-worker-2"]  # what it left is gone
    assert world.calls("create") == 3
    assert world.most() == 3
    assert [event.detail for _c, event, _s in work.told if event.stage is Stage.ASKED] == ["again, attempt 2 of 3", "again, attempt 3 of 3"]
    assert work.took < seconds


@pytest.mark.parametrize("kind", ["stuck", "deaf"])
def test_every_wait_for_a_node_has_an_end(world: World, kind: str) -> None:
    """Asserted while it waits: who looks afterwards waits with it."""
    world.fault("create", kind, times=0)

    def sleep(seconds: float) -> None:
        assert world.now() < 600, "it waits and waits"
        world.advance(seconds)

    work = Try(world, {"worker": 1})
    assert work.go(clock=Clock(now=world.now, sleep=sleep)).nodes["demo-worker-0"].launches == 3


@pytest.mark.parametrize("kind", ["fails", "stops", "stuck", "deaf", "broken"])
def test_a_node_that_fails_once_is_replaced(world: World, kind: str) -> None:
    world.fault("create", kind, node=2)
    work = Try(world)
    result = work.go()
    assert result.failed == []
    assert result.nodes["demo-worker-1"].launches == 2
    assert world.names() == ALL
    work.converges()


def test_what_the_cloud_took_on_beyond_the_quota_is_taken_away_and_not_tried_again(world: World) -> None:
    world.fault("create", "short", node=2)
    work = Try(world)
    result = work.go()
    assert work.reasons() == {"demo-worker-1": "the quota was exceeded meanwhile"}
    assert (result.nodes["demo-worker-1"].launches, result.nodes["demo-worker-1"].final) == (1, True)
    assert world.names() == ["demo-worker-0", "demo-worker-2"]
    assert world.calls("create") == 1


def test_deadlines_are_those_of_the_pool(world: World) -> None:
    world.fault("create", "stuck", times=0)
    work = Try(world, {"worker": {"count": 1, "timeouts": {"booted": 10}}})
    work.go()
    assert work.reasons() == {"demo-worker-0": "its operating system did not start within 10 s (state building)"}
    assert work.took < 60


def test_a_node_that_was_on_its_way_already_counts_as_launched(world: World) -> None:
    world.fault("create", "stuck", times=0)
    cloud = opened(cluster_of(world.folder, {"worker": 1}))["one"]
    spec = planned(cluster_of(world.folder, {"worker": 1}), {"one": cloud}).clouds["one"].create
    list(cloud.create(spec))
    calls = world.calls("create")
    work = Try(world, {"worker": 1})
    result = work.go()
    assert result.nodes["demo-worker-0"].launches == 3
    assert world.calls("create") - calls == 2  # replaced at most twice
    assert world.names() == []


def test_no_room_at_the_kth_node_keeps_the_others_and_is_not_tried_again(world: World) -> None:
    pools = {"worker": {"count": 4, "volumes": {"data": 5}}}
    work = Try(world, pools, clouds={"one": {"quota": 2}})
    result = work.go()
    assert work.reasons() == dict.fromkeys(("demo-worker-2", "demo-worker-3"), "quota of 2 nodes exceeded")
    assert all(node.final and node.launches == 1 for node in result.failed)
    assert world.calls("create") == 1
    assert world.names() == ["demo-worker-0", "demo-worker-1"]
    assert sorted(world.volumes()) == ["demo-worker-0-data", "demo-worker-1-data"]  # nothing of the failed ones
    more = Try(world, pools, clouds={"one": {"quota": 4}})
    assert more.go().failed == []
    assert len(world.names()) == 4


def test_a_run_says_which_pools_have_too_few_nodes(world: World) -> None:
    clouds = {"one": {"quota": 3}}
    few = cluster_of(world.folder, {"a": {"count": 2}, "b": {"count": 2}}, clouds=clouds)
    with pytest.raises(Refused, match=r"cloud one: 1 node\(s\) over the quota of 3"):
        run_of(world, few).present(Wishes())
    assert world.names() == []
    world.fault("create", "refused", node=1)
    least = {"a": {"count": 2, "min_count": 1}, "b": {"count": 2, "min_count": 2}}
    outcome = run_of(world, cluster_of(world.folder, least)).present(Wishes())
    assert outcome.faults == []  # one of a is missing, and that is allowed
    assert sorted(outcome.members) == ["demo-a-1", "demo-b-0", "demo-b-1"]
    world.remove_node("demo-b-0")
    world.fault("create", "refused", times=0)
    outcome = run_of(world, cluster_of(world.folder, least)).present(Wishes())
    assert outcome.faults == ["pools.b: 1 node(s) where at least 2 are needed"]


# the cloud's answers


@pytest.mark.parametrize("node", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("method", "kind"),
    [("create", "lost"), ("create", "unavailable"), ("delete", "lost"), ("delete", "unavailable"), ("delete", "hang"), ("delete", "lost_hang")],
)
def test_an_answer_that_does_not_come_makes_no_doubles(world: World, method: str, kind: str, node: int) -> None:
    if method == "delete":
        Try(world).go()
        for name in ALL:
            world.set_node(name, state="failed")
    world.fault(method, kind, node=node)
    work = Try(world, confirm="demo")
    result = work.go()
    assert result.failed == []
    assert world.names() == ALL
    assert world.calls(method) == 2
    assert world.most() == 3
    assert all(found.launches == 1 for found in result.nodes.values())
    work.converges()


@pytest.mark.parametrize("node", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", ["hang", "lost_hang"])
def test_a_creation_that_hangs_is_not_asked_for_again_beside_itself(world: World, kind: str, node: int) -> None:
    """What it made is found by its mark; what it has not made is told, and made by the next run."""
    world.fault("create", kind, node=node)
    work = Try(world)
    work.go()
    made = {"hang": max(0, node - 1), "lost_hang": node or 3}[kind]
    assert world.calls("create") == 1
    assert world.names() == ALL[:made]
    assert work.reasons() == dict.fromkeys(ALL[made:], "cloud one: create: no answer within 900 s")
    assert work.took < 1200
    again = Try(world)
    assert again.go().failed == []
    assert world.names() == ALL
    assert world.most() == 3


def test_a_cloud_that_cannot_answer_is_asked_six_times(world: World) -> None:
    world.fault("create", "unavailable", times=0)
    work = Try(world)
    result = work.go()
    assert world.calls("create") == 6
    assert work.reasons() == dict.fromkeys(ALL, "create in cloud one: 503 Service Unavailable")
    assert all(node.final for node in result.failed)
    work.world.heal()
    assert Try(world).go().failed == []


@pytest.mark.parametrize("method", ["create", "listing", "delete", "resize_volumes"])
def test_the_pause_that_a_cloud_asks_for_is_kept(world: World, method: str) -> None:
    pools = {"worker": {"count": 2, "volumes": {"data": 1}}}
    Try(world, pools).go()
    world.set_node("demo-worker-0", state="failed")
    work = Try(world, {"worker": {"count": 2, "volumes": {"data": 2}}}, timeouts={})
    made = planned(work.cluster, work.clouds)
    world.fault(method, "unavailable", retry_after=77.0)
    began, calls = world.now(), world.calls(method)
    result = apply(made, work.cluster, work.clouds, work.tools())
    assert (result.failed, result.faults) == ([], [])
    assert world.now() - began >= 77
    if method != "listing":
        assert world.calls(method) - calls == 2
    work.converges()


@pytest.mark.parametrize(("kind", "word"), [("denied", "denied"), ("shortage", "shortage"), ("invalid", "invalid")])
def test_what_is_final_is_asked_once_and_reported(world: World, kind: str, word: str) -> None:
    world.fault("create", kind, node=2)
    work = Try(world)
    result = work.go()
    assert world.calls("create") == 1
    assert {name: word in reason for name, reason in work.reasons().items()} == {"demo-worker-1": True, "demo-worker-2": True}
    assert all(node.final for node in result.failed)
    assert world.names() == ["demo-worker-0"]


def test_a_deletion_that_hangs_for_ever_is_asked_for_twice(world: World) -> None:
    Try(world).go()
    world.set_node("demo-worker-1", state="failed")
    world.fault("delete", "hang", times=0)
    work = Try(world)
    work.go()
    assert world.calls("delete") == 2
    assert work.reasons() == {"demo-worker-1": "cloud one: delete: no answer within 120 s"}
    assert world.names() == ALL  # not made again under a name that is not free


def test_a_list_that_hangs_for_ever_ends_the_run(world: World) -> None:
    work = Try(world)
    made = planned(work.cluster, work.clouds)
    world.fault("listing", "hang", times=0)
    result = apply(made, work.cluster, work.clouds, work.tools())
    for cloud in work.clouds.values():
        cloud.released.set()
    assert result.faults == ["cloud one: list: no answer within 120 s"]
    assert [node.reason for node in result.failed] == ["not finished: list: no answer within 120 s"] * 3
    assert world.names() == ALL
    work.converges()


@pytest.mark.parametrize("kind", ["hang", "denied", "unavailable"])
def test_a_console_that_cannot_be_had_does_not_hide_why_a_node_failed(world: World, kind: str) -> None:
    world.fault("create", "fails", times=0)
    world.fault("console", kind, times=0)
    work = Try(world, {"worker": 1})
    work.go()
    assert work.reasons() == {"demo-worker-0": "the hypervisor gave up"}
    assert work.result.nodes["demo-worker-0"].log.startswith("(no console: ")


def test_one_list_call_a_look_however_many_nodes(world: World) -> None:
    calls = []
    for count in (2, 40):
        before = world.calls("listing")
        Try(world, {"worker": count}).go()
        calls.append(world.calls("listing") - before)
    assert calls[0] == calls[1]


# lists that lag


def test_new_nodes_that_the_list_does_not_show_yet_are_waited_for(world: World) -> None:
    world.fault("create", "hidden", looks=8)
    work = Try(world)
    result = work.go()
    assert result.failed == []
    assert world.calls("create") == 1
    assert world.names() == ALL


def test_nodes_that_the_list_never_shows_are_not_doubled(world: World) -> None:
    world.fault("create", "hidden", looks=10**6)
    work = Try(world)
    work.go()
    assert work.reasons() == dict.fromkeys(ALL, "the cloud does not list it 30 s after it was created")
    assert world.names() == ALL
    assert world.most() == 3


@pytest.mark.parametrize(("looks", "works"), [(8, True), (10**6, False)])
def test_a_deleted_node_that_the_list_still_shows_is_waited_for(world: World, looks: int, works: bool) -> None:
    Try(world).go()
    world.set_node("demo-worker-1", state="failed")
    world.fault("delete", "hidden", looks=looks)
    work = Try(world)
    result = work.go()
    if works:
        assert result.failed == []
        assert world.names() == ALL
    else:
        left = result.nodes["demo-worker-1"].node
        assert left is not None
        assert work.reasons() == {"demo-worker-1": f"still there 20 s after it was deleted (id {left.id})"}
        assert world.names() == ["demo-worker-0", "demo-worker-2"]  # no second one under the name of the first
    assert work.took < 60


def test_a_node_that_hangs_in_deletion_is_reported_and_its_name_not_used(world: World) -> None:
    Try(world).go()
    world.set_node("demo-worker-1", state="failed")
    world.fault("delete", "stuck")
    work = Try(world)
    work.go()
    assert list(work.reasons()) == ["demo-worker-1"]
    assert "still there 20 s after it was deleted" in work.reasons()["demo-worker-1"]
    assert world.names() == ALL


@pytest.mark.parametrize("kind", ["refused", "denied"])
def test_a_failed_node_that_cannot_be_cleaned_is_not_recreated(world: World, kind: str) -> None:
    world.fault("create", "fails", node=1)
    world.fault("delete", kind)
    work = Try(world)
    work.go()
    (reason,) = work.reasons().values()
    assert reason.startswith("the hypervisor gave up; cleaning up failed: ")
    assert world.calls("create") == 1
    assert world.names() == ALL


def test_a_stopped_node_is_not_deleted_because_its_cloud_cannot_answer(world: World) -> None:
    Try(world).go()
    world.set_node("demo-worker-1", state="stopped")
    old = {node["name"]: key for key, node in world.cloud("one")["nodes"].items()}
    world.fault("create", "unavailable", times=0)
    work = Try(world)
    work.go()
    assert list(work.reasons()) == ["demo-worker-1"]
    assert world.node("demo-worker-1")["state"] == "stopped"
    world.heal()
    assert Try(world).go().failed == []
    assert world.node("demo-worker-1")["state"] == "running"
    assert {node["name"]: key for key, node in world.cloud("one")["nodes"].items()} == old


@pytest.mark.parametrize(("ready", "stays"), [("hash", True), ("", False)])
def test_a_node_that_was_in_service_is_not_recreated_when_it_does_not_come_back(world: World, ready: str, stays: bool) -> None:
    Try(world).go()
    world.set_node("demo-worker-1", state="stopped", ready=ready)
    old = {node["name"]: key for key, node in world.cloud("one")["nodes"].items()}
    world.mute("demo-worker-1")
    work = Try(world)
    work.go()
    now = {node["name"]: key for key, node in world.cloud("one")["nodes"].items()}
    assert (now == old) == stays
    assert sorted(now) == ALL
    assert sorted(work.reasons()) == (["demo-worker-1"] if stays else [])


# volumes


def test_volumes_are_extended_and_what_cannot_be_is_a_fault_of_the_run(world: World) -> None:
    Try(world, {"worker": {"count": 2, "volumes": {"data": 1}}}).go()
    world.fault("resize_volumes", "refused", node=2)
    work = Try(world, {"worker": {"count": 2, "volumes": {"data": 3}}})
    result = work.go()
    assert result.faults == ["volume demo-worker-1-data: no space for so much"]
    assert {name: volume["size"] for name, volume in world.volumes().items()} == {"demo-worker-0-data": 3, "demo-worker-1-data": 1}


def test_growth_goes_on_where_volumes_cannot_be_extended(world: World) -> None:
    Try(world, {"worker": {"count": 1, "volumes": {"data": 1}}}).go()
    world.fault("resize_volumes", "unavailable", times=0)
    work = Try(world, {"worker": {"count": 2, "volumes": {"data": 3}}})
    result = work.go()
    assert world.calls("resize_volumes") == 6
    assert result.faults == ["volume demo-worker-0-data: resize_volumes in cloud one: 503 Service Unavailable"]
    assert world.names() == ["demo-worker-0", "demo-worker-1"]


# a run that is told to end


def stopping(world: World, true: Callable[[], bool]) -> Any:
    return world.clock(stopped=true)


@pytest.mark.parametrize("listings", [1, 2])
def test_a_run_that_is_interrupted_makes_no_further_call_and_says_what_is_unfinished(world: World, listings: int) -> None:
    work = Try(world, clouds={"one": {"boot_looks": 5}})
    made = planned(work.cluster, work.clouds)
    before = world.calls("listing")
    clock = stopping(world, lambda: world.calls("listing") - before >= listings)
    result = apply(made, work.cluster, work.clouds, work.tools(clock=clock))
    assert result.stopped
    assert world.calls("listing") - before == listings
    assert {node.name: node.reason for node in result.failed} == dict.fromkeys(ALL, "not finished: interrupted")
    assert world.names() == ALL  # nothing is taken back
    work.converges()


def test_a_run_that_was_interrupted_before_it_began_touches_nothing(world: World) -> None:
    Try(world, {"worker": 1}).go()
    world.set_node("demo-worker-0", state="failed")
    work = Try(world)
    made = planned(work.cluster, work.clouds)
    calls = world.calls()
    result = apply(made, work.cluster, work.clouds, work.tools(clock=stopping(world, lambda: True)))
    assert result.stopped
    assert world.calls() == calls
    assert sorted(node.name for node in result.failed) == ALL  # each has an outcome


def test_a_run_is_interrupted_while_a_call_hangs(world: World) -> None:
    world.fault("create", "hang", seconds=0.0)
    told = threading.Event()
    threading.Timer(0.3, told.set).start()
    work = Try(world)
    made = planned(work.cluster, work.clouds)
    result = apply(made, work.cluster, work.clouds, work.tools(clock=stopping(world, told.is_set)))
    work.clouds["one"].released.set()
    assert result.stopped
    assert world.calls("create") == 1


# odd providers


class Chatty(MemoryCloud):
    """Tells of more than nodes, and forgets one."""

    def create(self, specs: Any) -> Iterator[Event]:
        yield Event("image debian-12", Stage.ASKED, "building it")
        for event in super().create(specs):
            yield Event(event.name, Stage.ASKED, "copying its image")
            if event.name != "demo-worker-1":
                yield event


def test_progress_of_other_things_and_a_forgotten_answer(world: World) -> None:
    work = Try(world)
    work.clouds = {"one": Chatty("one", work.clouds["one"].options, work.clouds["one"].scope)}
    result = work.go()
    assert result.failed == []
    assert work.stages("image debian-12") == ["asked"]
    assert work.stages("demo-worker-0") == ["asked", "made", "booted", "reachable"]
    assert work.stages("demo-worker-1") == ["asked", "booted", "reachable"]


def test_the_pace_of_looking_is_the_cloud_s_own(world: World) -> None:
    slow = Try(world, clouds={"one": {"boot_looks": 4}})
    slow.go()
    assert slow.took == pytest.approx(4 * MemoryCloud.poll_seconds)


class Busy(MemoryCloud):
    """Takes 8 s for each list."""

    def listing(self) -> Listing:
        self.world.advance(8)
        return super().listing()


def test_a_cloud_that_takes_long_to_look_is_given_as_long_between_two_looks(world: World) -> None:
    work = Try(world, clouds={"one": {"boot_seconds": 96}}, timeouts={"booted": 300})
    work.clouds = {"one": Busy("one", work.clouds["one"].options, work.clouds["one"].scope)}
    assert work.go().failed == []
    assert world.calls("listing") <= 96 / (8 + 8) + 2  # else one every ten seconds


def test_tools_have_sound_defaults() -> None:
    assert Tools().backoff == Backoff()
    assert issubclass(MemoryCloud, Cloud)


def test_a_plan_without_changes_makes_no_thread_and_no_call(world: World, tmp_path: Path) -> None:
    work = Try(world, {"worker": 0})
    assert work.go().nodes == {}
    assert not (tmp_path / "elsewhere").exists()


# host keys


def test_a_node_is_reachable_once_its_host_key_is_learnt(world: World) -> None:
    work, _cloud = shy(world, shown_after=33.0)
    result = work.go()
    assert result.failed == []
    for name in ALL:
        node = result.nodes[name].node
        assert node is not None and node.host_keys
        assert work.stages(name) == ["made", "booted", "reachable"]
        assert result.nodes[name].seconds["reachable"] - result.nodes[name].seconds["booted"] == pytest.approx(33, abs=2)
        assert greeted(work)[name] == node.address()


def test_keys_that_are_never_shown_are_waited_for_so_long_and_that_is_said(world: World) -> None:
    """Though a pool's deadline for ssh is shorter: ssh does answer."""
    work, _cloud = shy(world, {"worker": 2}, shown_after=10**6)
    result = work.go()
    assert (result.failed, SHORT["reachable"] < KEYS) == ([], True)
    for name in ALL[:2]:
        node = result.nodes[name].node
        assert node is not None and node.host_keys == ()
        assert greeted(work)[name] == f"{node.address()}; {FIRST_USE}"
        assert result.nodes[name].launches == 1
        assert KEYS < result.nodes[name].seconds["reachable"] - result.nodes[name].seconds["booted"] <= KEYS + 2 * MemoryCloud.poll_seconds


def test_keys_that_a_cloud_cannot_show_are_not_waited_for(world: World) -> None:
    work, cloud = shy(world, cannot=True)
    assert work.go().failed == []
    assert [detail.endswith(FIRST_USE) for detail in greeted(work).values()] == [True] * 3
    assert (cloud.looks, work.took < 10) == (1, True)


def test_a_cloud_that_does_not_answer_for_keys_is_asked_again(world: World) -> None:
    work, cloud = shy(world, silent=2)
    assert work.go().failed == []
    assert cloud.looks == 3
    assert not any(FIRST_USE in detail for detail in greeted(work).values())


def test_nobody_is_asked_for_keys_while_no_node_answers(world: World) -> None:
    world.fault("create", "deaf", times=0)
    work, cloud = shy(world, {"worker": 1})
    work.go()
    assert list(work.reasons()) == ["demo-worker-0"]
    assert cloud.looks == 0


@pytest.mark.parametrize("end", ["removed", "deaf"])
def test_one_that_answers_no_more_before_its_keys_are_known_is_not_waited_for_for_ever(world: World, end: str) -> None:
    work, _cloud = shy(world, {"worker": 1}, shown_after=10**6)
    gone = False

    def probe(nodes: Sequence[Node], *_gateway: Any) -> Mapping[str, str]:
        return dict.fromkeys((node.name for node in nodes), "no route to host" if gone and end == "deaf" else "")

    def sleep(seconds: float) -> None:
        nonlocal gone
        assert world.now() < 1200, "it waits and waits"
        world.advance(seconds)
        if world.now() > 20 and not gone:
            gone = True
            if end == "removed":
                world.remove_node("demo-worker-0")

    result = work.go(clock=Clock(now=world.now, sleep=sleep), probe=probe)
    assert result.nodes["demo-worker-0"].launches == {"deaf": 3, "removed": 2}[end]
    assert work.reasons() == ({"demo-worker-0": "ssh did not answer within 40 s (no route to host)"} if end == "deaf" else {})
