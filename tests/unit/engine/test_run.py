# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole run: look, plan, lock, plan again, carry out, look again."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, cast

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Denied, Locked, Mark, NodeSpec, Scope
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster
from ansible_collections.sky.clusters.plugins.module_utils._engine import _lock
from ansible_collections.sky.clusters.plugins.module_utils._engine._apply import Tools
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Clock
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import UNTOUCHED, Refused, Run
from ansible_collections.sky.clusters.plugins.module_utils._views._changes import changes
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of, opened, run_of, settled
from ansible_collections.sky.clusters.tests.support.memory_cloud import MemoryCloud, MemoryOptions
from ansible_collections.sky.clusters.tests.support.world import LOCKING, World

ALL = ["demo-worker-0", "demo-worker-1", "demo-worker-2"]


def three(world: World, **more: Any) -> Cluster:
    return cluster_of(world.folder, {"worker": 3}, **more)


def with_clock(run: Run, clock: Clock) -> Run:
    return dataclasses.replace(run, tools=dataclasses.replace(run.tools, clock=clock), wait=90)


def meanwhile(world: World, work: Callable[[], object]) -> Clock:
    """Another run holds the lock, does its work after some seconds, and lets go."""
    other = opened(three(world))["one"]
    lease = other.lock("bob@there (process 2)", 3600)
    done: list[object] = []

    def sleep(seconds: float) -> None:
        world.advance(seconds)
        if world.now() > 10 and not done:
            done.append(None)
            other.unlock(lease)
            work()

    return Clock(now=world.now, sleep=sleep)


# present


def test_what_a_run_says_when_it_is_through(world: World) -> None:
    outcome = run_of(world, three(world)).present(Wishes())
    assert (outcome.faults, outcome.leaving, outcome.kept) == ([], [], [])
    assert sorted(outcome.members) == ALL
    assert {cloud for cloud, _node in outcome.members.values()} == {"one"}
    smaller = run_of(world, cluster_of(world.folder, {"worker": 1})).present(Wishes())
    assert smaller.leaving == ["demo-worker-1", "demo-worker-2"]
    assert sorted(smaller.members) == ["demo-worker-0"]  # who leaves is no member any more, though it is still there
    assert world.names() == ALL


DATA = {"volumes": {"data": 1}}


def kept(volumes: list[Any]) -> list[str]:
    return [volume.name for volume in volumes]


def test_kept_volumes_are_those_after_the_run(world: World) -> None:
    two, one = (cluster_of(world.folder, {"worker": {"count": count, **DATA}}) for count in (2, 1))
    settled(world, two)
    foretold = run_of(world, one, check=True).present(Wishes())
    assert kept(foretold.kept) == ["demo-worker-1-data"]
    shrunk = run_of(world, one).present(Wishes())
    assert (shrunk.leaving, kept(shrunk.kept)) == (["demo-worker-1"], [])  # it is still there
    assert kept(run_of(world, one, check=True).delete(shrunk.leaving).kept) == ["demo-worker-1-data"]
    gone = run_of(world, one).delete(shrunk.leaving)
    assert kept(gone.kept) == ["demo-worker-1-data"]
    assert list(map(str, changes(gone.plan))) == ["demo-worker-1: delete (running) in one; demo-worker-1-data (1 GiB) is kept"]
    assert kept(run_of(world, one).look(Wishes()).kept) == ["demo-worker-1-data"]
    assert run_of(world, two, check=True).present(Wishes()).kept == []  # it is attached again
    assert run_of(world, two).present(Wishes()).kept == []


def test_a_volume_of_a_node_that_could_not_be_deleted_is_not_kept(world: World) -> None:
    settled(world, cluster_of(world.folder, {"worker": {"count": 2, **DATA}}))
    world.fault("delete", "refused", node=1, times=99)
    outcome = run_of(world, cluster_of(world.folder, {"worker": {"count": 0, **DATA}})).delete(["demo-worker-0", "demo-worker-1"])
    assert (len(outcome.faults), kept(outcome.kept)) == (1, ["demo-worker-1-data"])


def test_what_all_nodes_share_is_foretold_and_asked_for_only_before_the_first_node(world: World) -> None:
    foretold = run_of(world, three(world), check=True).present(Wishes())
    assert str(changes(foretold.plan)[0]) == "group demo: create in one"
    assert world.writing_calls() == 0
    made = run_of(world, three(world)).present(Wishes())
    assert list(map(str, changes(made.plan))) == list(map(str, changes(foretold.plan)))
    asked = world.calls("shared_missing")
    assert asked == 2
    larger = run_of(world, cluster_of(world.folder, {"worker": 4})).present(Wishes())
    assert list(map(str, changes(larger.plan))) == ["demo-worker-3: create in one (small, debian-12)"]
    run_of(world, three(world)).present(Wishes())
    assert world.calls("shared_missing") == asked
    going = run_of(world, three(world), check=True).absent()
    assert str(changes(going.plan)[-1]) == "group demo: delete in one"
    gone = run_of(world, three(world)).absent()
    assert list(map(str, changes(gone.plan))) == list(map(str, changes(going.plan)))
    assert not run_of(world, three(world), check=True).absent().plan.changes


def test_what_another_run_did_meanwhile_is_not_done_again(world: World) -> None:
    run = with_clock(run_of(world, three(world)), meanwhile(world, lambda: settled(world, three(world))))
    outcome = run.present(Wishes())
    assert outcome.faults == []
    assert world.names() == ALL
    assert world.calls("create") == 1


def test_what_another_run_broke_meanwhile_is_refused(world: World) -> None:
    run = with_clock(run_of(world, three(world)), meanwhile(world, lambda: settled(world, three(world, owner="bob"))))
    with pytest.raises(Refused, match="belongs to bob"):
        run.present(Wishes())
    assert world.names() == ALL


def test_a_run_that_does_not_end_locks_others_out_with_a_sentence(world: World) -> None:
    opened(three(world))["one"].lock("bob@there (process 2)", 3600)
    with pytest.raises(Locked, match=r"bob@there \(process 2\)"):
        run_of(world, three(world)).present(Wishes())
    assert world.names() == []


def test_what_a_run_holds_for_longer_is_taken_before_its_first_change(world: World) -> None:
    settled(world, three(world))
    held: list[int] = []
    run = dataclasses.replace(run_of(world, three(world)), hold=lambda: held.append(world.calls("create")))
    run.present(Wishes())
    assert held == []  # there was nothing to do
    dataclasses.replace(run, cluster=cluster_of(world.folder, {"worker": 4})).present(Wishes())
    assert held == [1]


def test_shortages_are_all_reported_before_anything_is_made(world: World) -> None:
    pools = {"a": {"count": 1, "flavor": "huge"}, "b": {"count": 1, "image": "windows", "volumes": {"data": {"size": 1, "type": "gold"}}}}
    with pytest.raises(Refused) as caught:
        run_of(world, cluster_of(world.folder, pools)).present(Wishes())
    assert sorted(caught.value.reasons) == [
        "cloud one: no flavor huge here",
        "cloud one: no image windows here",
        "cloud one: volume demo-b-0-data: no type gold here",
        "nothing was changed: fix this and run the same command again",
    ]
    assert world.writing_calls() == 0
    assert world.calls(*LOCKING) == 0


@pytest.mark.parametrize(("change", "sentence"), [({"flavor": "smal"}, "no flavor smal here"), ({"image": "debian-9"}, "no image debian-9 here")])
def test_a_name_that_the_cloud_does_not_know_is_a_fault_of_an_existing_pool_too(world: World, change: dict[str, str], sentence: str) -> None:
    settled(world, three(world))
    wrong = cluster_of(world.folder, {"worker": {"count": 3, **change}})
    seen = run_of(world, wrong).look(Wishes())
    assert seen.plan.refusals == (f"cloud one: {sentence}",)
    assert not seen.plan.changes
    with pytest.raises(Refused, match=sentence):
        run_of(world, wrong).present(Wishes())
    gone = run_of(world, cluster_of(world.folder, {"worker": {"count": 0, **change}})).present(Wishes())
    assert gone.leaving == ALL  # what leaves needs no name
    assert run_of(world, wrong).absent().faults == []


def test_a_look_says_what_a_run_refuses(world: World) -> None:
    settled(world, three(world))
    full = cluster_of(world.folder, {"worker": 5}, clouds={"one": {"quota": 4}})
    with pytest.raises(Refused) as caught:
        run_of(world, full).present(Wishes())
    seen = run_of(world, full).look(Wishes())
    assert [*seen.plan.refusals, UNTOUCHED] == caught.value.reasons
    world.fault("shortages", "denied")
    assert run_of(world, full).look(Wishes()).plan.refusals == ("cloud one: shortages in cloud one: denied, says the cloud",)


@pytest.mark.parametrize("harm", ["failed", "replaced"])
def test_a_cloud_that_is_full_is_no_reason_not_to_make_a_node_again(world: World, harm: str) -> None:
    settled(world, three(world))
    full = cluster_of(world.folder, {"worker": 3}, clouds={"one": {"quota": 3}})
    wishes = Wishes(replace=frozenset({ALL[1]})) if harm == "replaced" else Wishes()
    if harm == "failed":
        world.set_node(ALL[1], state="failed")
    seen = run_of(world, full).look(wishes)
    assert seen.plan.refusals == ()
    assert [spec.name for spec in (*seen.plan.clouds["one"].create, *seen.plan.clouds["one"].replace)] == [ALL[1]]
    more = cluster_of(world.folder, {"worker": 4}, clouds={"one": {"quota": 3}})
    assert run_of(world, more).look(wishes).plan.refusals == ("cloud one: 1 node(s) over the quota of 3",)


def test_two_entries_for_one_cloud_are_reported_before_anything(world: World) -> None:
    clouds = {"here": {"account": "a"}, "there": {"account": "a"}, "other": {"account": "b"}, "silent": {}, "mute": {}}
    same = cluster_of(world.folder, {"worker": {"count": 1, "cloud": "here"}}, clouds=clouds)
    with pytest.raises(FleetError, match=r"^clouds here and there are the same cloud \(account a\): keep one"):
        run_of(world, same).present(Wishes())
    assert world.writing_calls() == 0


def test_a_cloud_that_cannot_be_listed_stops_the_run_before_anything(world: World) -> None:
    cluster = cluster_of(world.folder, {"a": 1, "b": {"count": 1, "cloud": "two"}}, clouds={"one": {}, "two": {}})
    world.fault("listing", "denied", cloud="two", times=0)
    with pytest.raises(FleetError, match="cloud two cannot be listed: listing in cloud two: denied"):
        run_of(world, cluster).present(Wishes())
    assert world.writing_calls() == 0


class Surrounded(MemoryCloud):
    """Makes a network for its nodes, which somebody takes away."""

    lacks: ClassVar[list[str]] = []

    def gaps(self) -> list[str]:
        return list(self.lacks)

    def repair(self) -> None:
        self._call("repair")
        self.lacks.clear()


def test_what_was_made_beside_the_nodes_and_is_gone_is_foretold_and_recreated(world: World) -> None:
    cluster = three(world)
    settled(world, cluster)
    before = world.calls("create")
    clouds = {name: Surrounded(name, cloud.options, cloud.scope) for name, cloud in opened(cluster).items()}
    Surrounded.lacks.append("network demo")
    seen = run_of(world, cluster, clouds, check=True).present(Wishes())
    assert list(map(str, changes(seen.plan))) == ["cloud one: repair network demo"]
    assert world.calls("create") == before
    outcome = run_of(world, cluster, clouds).present(Wishes())
    assert (outcome.faults, sorted(outcome.members), Surrounded.lacks) == ([], ALL, [])
    assert (world.calls("repair"), world.calls("create")) == (1, before)
    assert not run_of(world, cluster, clouds).present(Wishes()).plan.changes


def test_a_place_that_something_else_has_taken_is_a_fault_also_where_nothing_is_to_be_done(world: World) -> None:
    settled(world, three(world))
    world.set_node("demo-worker-1", mark="")
    for _again in range(2):
        assert run_of(world, three(world)).present(Wishes()).faults == ["pools.worker: 2 node(s) where at least 3 are needed"]
    assert world.names() == ["demo-worker-0", "demo-worker-2"]


def test_a_run_that_is_interrupted_says_so_and_looks_no_more(world: World) -> None:
    run = run_of(world, three(world))
    clock = world.clock(stopped=lambda: world.calls("create") > 0)
    outcome = with_clock(run, clock).present(Wishes())
    assert "interrupted; run it again to continue" in outcome.faults
    assert [result.reason for result in outcome.result.failed] == ["not finished: interrupted"] * 3
    assert world.calls("listing") == 2
    assert not world.cloud("one")["locks"]


def test_a_run_that_loses_its_lock_stops(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(_lock, "SECONDS", 0.2)
    real = World(world.folder, real_time=True)
    cluster = three(world)
    clouds = opened(cluster, real_time=True, boot_looks=10**6)

    def probe_and_steal(_cloud: str, _event: object, _seconds: float) -> None:
        with real.tamper() as state:
            state["clouds"]["one"]["locks"]["demo"] |= {"token": "theirs", "holder": "bob"}

    outcome = Run(cluster, clouds, Tools(report=probe_and_steal, poll=0.01, probe=real.probe)).present(Wishes())
    assert outcome.result.stopped
    assert outcome.faults
    assert real.cloud("one")["locks"]["demo"]["holder"] == "bob"


def test_what_is_done_under_the_lock_ends_when_it_is_lost(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(_lock, "held", lambda *_arguments: contextlib.nullcontext(lambda: True))
    told: list[str] = []
    assert dataclasses.replace(run_of(world, three(world)), tell=told.append).present(Wishes()).result.stopped
    assert world.calls("create") == 0
    assert told[-1] == "the lock could not be renewed in time, and another run may hold it: this run stops"


# the clouds in use


CLOUDS: dict[str, Any] = {"one": {}, "two": {}}


def on_two(world: World, burst: int, volumes: int = 0) -> Cluster:
    data = {"volumes": {"data": volumes}} if volumes else {}
    return cluster_of(
        world.folder, {"master": {"count": 1, "roles": ["spark_master"]}, "burst": {"count": burst, "cloud": "two"} | data}, clouds=CLOUDS
    )


def notes(world: World) -> list[list[str]]:
    """What was written beside the birth of nodes."""
    return [value for what, _kind, _name, *more in world.writes("one") if what == "clouds" for value in more]


def test_a_server_names_the_clouds_in_use(world: World) -> None:
    settled(world, on_two(world, 2))
    assert (world.node("demo-master-0")["clouds"], notes(world)) == (["one", "two"], [])  # at birth
    settled(world, on_two(world, 0))
    assert notes(world) == [["one"]]
    settled(world, on_two(world, 1, volumes=1))
    settled(world, on_two(world, 0, volumes=1))
    assert notes(world) == [["one"], ["one", "two"]]  # the kept volume is still there
    writing = world.writing_calls()
    assert not run_of(world, on_two(world, 0)).present(Wishes()).plan.changes
    assert world.writing_calls() == writing


def test_a_cloud_is_named_before_anything_is_made_there_and_for_as_long_as_it_holds_something(world: World) -> None:
    settled(world, on_two(world, 0))
    world.fault("set_clouds", "denied", times=0)
    with pytest.raises(Denied, match="set_clouds in cloud one: denied"):
        run_of(world, on_two(world, 1)).present(Wishes())
    assert world.names(cloud="two") == []
    world.heal()
    settled(world, on_two(world, 1))
    world.set_node("demo-burst-0", "two", state="failed")
    world.fault("delete", "refused", cloud="two")
    run_of(world, on_two(world, 0)).present(Wishes())
    assert world.node("demo-master-0")["clouds"] == ["one", "two"]  # it could not be deleted
    world.fault("set_clouds", "denied")
    faults = run_of(world, on_two(world, 0)).present(Wishes()).faults
    assert faults == ["cloud one: the clouds in use could not be recorded: set_clouds in cloud one: denied, says the cloud"]
    settled(world, on_two(world, 0))
    assert world.node("demo-master-0")["clouds"] == ["one"]


def test_check_mode_foretells_the_note(world: World) -> None:
    settled(world, on_two(world, 0))
    world.set_node("demo-master-0", clouds=[])
    outcome = run_of(world, on_two(world, 0), check=True).present(Wishes())
    assert list(map(str, changes(outcome.plan))) == ["demo-master-0: record that cloud(s) one are in use"]
    assert world.node("demo-master-0")["clouds"] == []


# delete


def test_exactly_the_named_nodes_are_deleted(world: World) -> None:
    settled(world, three(world))
    run = run_of(world, three(world))
    assert run.delete(["demo-worker-1", "demo-worker-9"]).faults == []
    assert world.names() == ["demo-worker-0", "demo-worker-2"]
    writing, locking = world.writing_calls(), world.calls(*LOCKING)
    assert run.delete(["demo-worker-1", "demo-worker-9"]).plan.changes is False
    assert (world.writing_calls(), world.calls(*LOCKING)) == (writing, locking)


def test_a_node_that_cannot_be_deleted_is_a_fault(world: World) -> None:
    settled(world, three(world))
    world.fault("delete", "refused", node=1)
    assert run_of(world, three(world)).delete(["demo-worker-1", "demo-worker-2"]).faults == ["demo-worker-1 could not be deleted: the node is busy"]
    assert world.names() == ["demo-worker-0", "demo-worker-1"]


# absent


def test_destroy_also_takes_what_another_run_made_while_it_waited(world: World) -> None:
    settled(world, cluster_of(world.folder, {"worker": 1}))
    run = with_clock(run_of(world, three(world)), meanwhile(world, lambda: settled(world, three(world))))
    assert run.absent(data=True).faults == []
    assert world.names() == []
    assert opened(three(world))["one"].leftovers() == []


def test_destroy_says_what_is_left(world: World) -> None:
    volumes = {"worker": {"count": 2, "volumes": {"data": 1}}}
    settled(world, cluster_of(world.folder, volumes))
    world.fault("delete_volumes", "refused", node=1)
    run = run_of(world, cluster_of(world.folder, volumes))
    assert run.absent(data=True).faults == ["volume demo-worker-0-data could not be deleted: the volume is busy"]
    world.heal()
    outcome = run.absent(data=False)
    assert outcome.faults == []
    assert [volume.name for volume in outcome.kept] == ["demo-worker-0-data"]
    assert run.absent(data=True).faults == []
    assert run.absent(data=True).faults == []  # and again


class Sticky(MemoryCloud):
    """Leaves something of its own behind."""

    def leftovers(self) -> list[str]:
        return [*super().leftovers(), "bridge sky-demo"]


class Late(MemoryCloud):
    """Shows for 40 s what is gone."""

    lag_seconds: ClassVar[float] = 60.0
    began: ClassVar[float]

    def leftovers(self) -> list[str]:
        return super().leftovers() + (["node demo-worker-0"] if self.world.now() < self.began + 40 else [])


def test_a_destroy_waits_until_lists_that_lag_forget_what_was_deleted(world: World) -> None:
    cluster = cluster_of(world.folder, {"worker": 1})
    settled(world, cluster)
    Late.began = world.now()
    clouds = {name: Late(name, cloud.options, cloud.scope) for name, cloud in opened(cluster).items()}
    assert run_of(world, cluster, clouds).absent().faults == []
    assert 40 <= world.now() - Late.began < 60
    began = world.now()
    Late.began = began + 3600  # it never forgets
    told: list[str] = []
    assert dataclasses.replace(run_of(world, cluster, clouds), tell=told.append).absent().faults == ["cloud one still holds node demo-worker-0"]
    assert 60 <= world.now() - began < 70
    assert told == ["cloud one still lists node demo-worker-0; waiting up to 60 s until its lists are up to date"]


def test_destroy_is_proved_by_what_the_cloud_says_is_left(world: World) -> None:
    cluster = cluster_of(world.folder, {"worker": {"count": 1, "volumes": {"data": 1}}})
    settled(world, cluster)
    clouds = {name: Sticky(name, cloud.options, cloud.scope) for name, cloud in opened(cluster).items()}
    assert run_of(world, cluster, clouds).absent().faults == ["cloud one still holds bridge sky-demo"]  # the kept volume is no fault
    assert sorted(world.volumes()) == ["demo-worker-0-data"]


# ready


def test_what_is_not_there_is_destroyed_without_a_lock(world: World) -> None:
    settled(world, three(world))
    run_of(world, three(world)).absent(data=True)
    locked = world.calls(*LOCKING)
    assert run_of(world, three(world)).absent(data=True).faults == []
    assert world.calls(*LOCKING) == locked


def test_what_another_run_makes_after_a_destroy_is_none_of_its_faults(world: World) -> None:
    """The lock goes with the cluster, before the proof that nothing is left."""
    settled(world, three(world))

    class Quick(MemoryCloud):
        def dismantle(self) -> None:
            super().dismantle()
            other = opened(three(world))["one"]
            with world.tamper() as state:
                state["clouds"]["one"]["locks"].clear()
            other.lock("bob@there (process 2)", 3600)
            list(other.create([NodeSpec(Mark("tester", "demo", "worker", 0), "debian-12", "small")]))

    cluster = three(world)
    options = cast(MemoryOptions, cluster.clouds["one"].options)
    cloud = Quick("one", options, Scope("demo"))
    assert run_of(world, cluster, {"one": cloud}).absent().faults == []
    assert world.names() == ["demo-worker-0"]


def test_the_ready_hash_is_written_where_it_differs(world: World) -> None:
    settled(world, three(world))
    run = run_of(world, three(world))
    assert run.set_ready(dict.fromkeys(ALL[:2], "h1") | {"demo-worker-9": "h1"}) == ALL[:2]
    calls = world.calls("set_ready")
    assert run.set_ready(dict.fromkeys(ALL[:2], "h1")) == []
    assert world.calls("set_ready") == calls
    assert run.set_ready({"demo-worker-0": "h2", "demo-worker-1": "h1", "demo-worker-2": "h2"}) == ["demo-worker-0", "demo-worker-2"]
    assert [world.node(name)["ready"] for name in ALL] == ["h2", "h1", "h2"]
