# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every cloud must do, whatever the provider."""

from __future__ import annotations

import dataclasses
import os
import re
import socket
import subprocess

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Locked, Mark, Stage, State, VolumeSpec
from ansible_collections.sky.clusters.tests.support.bench import Bench, events_by_name


def test_constructing_makes_no_call(cloud_factory: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise AssertionError("a call was made")

    with monkeypatch.context() as patch:
        for module, name in ((subprocess, "Popen"), (socket, "socket"), (os, "mkdir"), (os, "open")):
            patch.setattr(module, name, refuse)
        patch.setattr("builtins.open", refuse)
        cloud = cloud_factory("a")
    assert (cloud.name, cloud.scope.cluster) == ("contract", "a")


def test_identity_fits_a_mark(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    assert re.fullmatch(r"[A-Za-z0-9._@-]{1,64}", cloud.identity())
    assert cloud.owner == cloud.identity()
    assert cloud_factory("a", "someone-else").owner == "someone-else"


def test_a_cluster_that_was_never_made_is_empty(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    listing = cloud.listing()
    assert (listing.nodes, listing.volumes, listing.strays) == ((), (), ())
    assert cloud.leftovers() == []


def test_nodes_are_made_with_marks_and_run(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    specs = [cloud_factory.spec(cloud, 0), cloud_factory.spec(cloud, 1)]
    outcomes = events_by_name(list(cloud.create(specs)))
    assert {name: event.stage for name, event in outcomes.items()} == {"a-p-0": Stage.MADE, "a-p-1": Stage.MADE}
    first = {node.name: node for node in cloud.listing().nodes}
    assert {node.mark for node in first.values()} == {Mark(cloud.owner, "a", "p", 0), Mark(cloud.owner, "a", "p", 1)}
    assert all(node.state in (State.BUILDING, State.RUNNING) for node in first.values())
    # somebody else, with nothing but the credentials, sees the same
    settled = {node.name: node for node in cloud_factory.settled(cloud_factory("a")).nodes}
    assert {name: node.id for name, node in settled.items()} == {name: node.id for name, node in first.items()}
    for node in settled.values():
        assert node.state is State.RUNNING
        assert node.address() or node.address(public=True)
        assert node.flavor == specs[0].flavor
        assert node.image == specs[0].image
        assert node.ready == ""
        assert all(re.match(r"(ssh|ecdsa)-\S+ \S+", key) for key in node.host_keys)
    assert len({node.address() for node in settled.values()}) == 2
    assert isinstance(cloud.console(settled["a-p-0"], 3), str)
    assert len(cloud.console(settled["a-p-0"], 3).splitlines()) <= 3


def test_asking_twice_makes_no_double(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    specs = [cloud_factory.spec(cloud, 0, [VolumeSpec("a-p-0-data", 1)])]
    (before,) = cloud_factory.made(cloud, *specs)
    outcomes = events_by_name(list(cloud_factory("a").create(specs)))
    assert outcomes["a-p-0"].stage is Stage.MADE
    listing = cloud.listing()
    assert [node.id for node in listing.nodes] == [before.id]
    assert [volume.name for volume in listing.volumes] == ["a-p-0-data"]
    assert cloud.gaps() == []  # a listing does not show doubles


def test_a_stopped_node_is_started_not_recreated(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    spec = cloud_factory.spec(cloud, 0)
    cloud_factory.made(cloud, spec)
    (before,) = cloud_factory.settled(cloud).nodes
    cloud.set_ready([before], "hash")  # it was in use: one that stops before is a failed one
    cloud_factory.stop(before)
    assert cloud.listing().nodes[0].state is State.STOPPED
    assert events_by_name(list(cloud.create([spec])))["a-p-0"].stage is Stage.MADE
    (after,) = cloud_factory.listed(cloud, lambda node: node.state is State.RUNNING).nodes
    assert after.id == before.id


def test_one_that_cannot_be_made_does_not_stop_the_others(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    bad = cloud_factory.spec(cloud, 0, [VolumeSpec("a-p-0-data", 1)], flavor="no-such-flavor")
    outcomes = events_by_name(list(cloud.create([bad, cloud_factory.spec(cloud, 1)])))
    assert outcomes["a-p-0"].stage is Stage.FAILED
    assert outcomes["a-p-0"].final
    assert "no-such-flavor" in outcomes["a-p-0"].detail
    assert outcomes["a-p-1"].stage is Stage.MADE
    listing = cloud.listing()
    assert [node.name for node in listing.nodes] == ["a-p-1"]
    assert listing.volumes == ()  # what the failed node had is cleaned


def test_a_node_is_what_its_specification_means_and_another_one_differs(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    spec = cloud_factory.spec(cloud, 0)
    cloud_factory.made(cloud, spec)
    (node,) = cloud_factory.settled(cloud).nodes
    other = dataclasses.replace(spec, image="no-such-image", flavor="no-such-flavor")
    meant, unknown = cloud_factory("a").definitions([spec, other])
    assert meant.unknown == ()
    assert {name: node.made.get(name) for name in meant.parts} == meant.parts  # every part is known of a node that this version made
    assert all(meant.parts.values())
    assert len(unknown.unknown) == 2
    assert "no-such-image" in " ".join(unknown.unknown)
    assert "no-such-flavor" in " ".join(unknown.unknown)
    (changed,) = cloud.definitions([dataclasses.replace(spec, public_ip=not spec.public_ip)])
    assert changed.parts != meant.parts


def test_a_place_is_the_same_for_everybody_who_opens_it(cloud_factory: Bench) -> None:
    assert cloud_factory("a").place() == cloud_factory("b", "somebody").place()


def test_repair_makes_no_node_and_leaves_no_gap(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    cloud_factory.made(cloud, cloud_factory.spec(cloud, 0))
    before = {node.id for node in cloud_factory.settled(cloud).nodes}
    cloud.repair()
    assert cloud.gaps() == []
    assert {node.id for node in cloud.listing().nodes} == before


def test_what_all_nodes_share_is_named_before_it_is_made_and_before_it_is_removed(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    spec = cloud_factory.spec(cloud, 0)
    assert cloud.shared_existing() == []
    missing = cloud.shared_missing([spec])
    (node,) = cloud_factory.made(cloud, spec)
    assert cloud.shared_missing([spec]) == []
    assert sorted(cloud.shared_existing()) == sorted(part for part in missing if part.startswith(cloud.shared_kinds))
    cloud_factory.deleted(cloud, [node])
    cloud.dismantle()
    assert cloud.shared_existing() == []
    assert cloud.shared_missing([spec]) == missing


def test_addresses_that_are_known_before_a_node_is_made_are_those_that_it_gets(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    spec = cloud_factory.spec(cloud, 0)
    told = cloud.addresses_of([spec])
    assert cloud.listing().nodes == ()
    cloud_factory.made(cloud, spec)
    (node,) = cloud_factory.settled(cloud).nodes
    known = {node.name: node.addresses} if told else {}  # a cloud knows them, or it does not
    assert told == known
    assert cloud.addresses_of([spec], [node]) == known  # when it is created again


def test_shortages_names_all_that_is_wrong_at_once_and_makes_nothing(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    good = cloud_factory.spec(cloud, 0)
    assert cloud.shortages([good], []) == []
    bad = cloud_factory.spec(cloud, 1, image="no-such-image", flavor="no-such-flavor")
    found = cloud.shortages([good, bad], [])
    assert any("no-such-image" in sentence for sentence in found)
    assert any("no-such-flavor" in sentence for sentence in found)
    assert cloud.listing().nodes == ()
    assert cloud.leftovers() == []


def test_clusters_whose_names_are_prefixes_do_not_touch_each_other(cloud_factory: Bench) -> None:
    clouds = {name: cloud_factory(name) for name in ("a", "a1", "a-b")}
    for name, cloud in clouds.items():
        cloud_factory.made(cloud, cloud_factory.spec(cloud, 0, [VolumeSpec(f"{name}-p-0-data", 1)]))
    for name, cloud in clouds.items():
        listing = cloud.listing()
        assert [node.name for node in listing.nodes] == [f"{name}-p-0"]
        assert [volume.name for volume in listing.volumes] == [f"{name}-p-0-data"]
        assert listing.strays == ()
        assert all(f"{name}-p-0" in left for left in cloud.leftovers() if left.startswith(("node", "volume")))
    a = clouds["a"]
    cloud_factory.deleted(a, a.listing().nodes)
    list(a.delete_volumes(a.listing().volumes))
    a.dismantle()
    assert a.leftovers() == []
    for name in ("a1", "a-b"):
        listing = cloud_factory.settled(clouds[name])
        assert [(node.name, node.state) for node in listing.nodes] == [(f"{name}-p-0", State.RUNNING)]
        assert [(volume.name, volume.attached) for volume in listing.volumes] == [(f"{name}-p-0-data", f"{name}-p-0")]


def test_what_is_not_ours_is_not_deleted(cloud_factory: Bench) -> None:
    a, other = cloud_factory("a"), cloud_factory("a1")
    (foreign,) = cloud_factory.made(other, cloud_factory.spec(other, 0, [VolumeSpec("a1-p-0-data", 1)]))
    (mine,) = cloud_factory.made(a, cloud_factory.spec(a, 0))
    wrong_mark = dataclasses.replace(mine, mark=dataclasses.replace(mine.mark, index=7))
    for node in (foreign, wrong_mark):
        (event,) = events_by_name(list(a.delete([node]))).values()
        assert event.stage is Stage.FAILED
    (event,) = events_by_name(list(a.delete_volumes(other.listing().volumes))).values()
    assert event.stage is Stage.FAILED
    assert [node.id for node in a.listing().nodes] == [mine.id]
    assert [node.id for node in other.listing().nodes] == [foreign.id]
    assert [volume.name for volume in other.listing().volumes] == ["a1-p-0-data"]


def test_another_owner_of_the_same_name_is_seen_and_left_alone(cloud_factory: Bench) -> None:
    theirs, ours = cloud_factory("a", "someone-else"), cloud_factory("a")
    (node,) = cloud_factory.made(theirs, cloud_factory.spec(theirs, 0, [VolumeSpec("a-p-0-data", 1)]))
    seen = ours.listing()
    assert [n.mark.owner for n in seen.nodes] == ["someone-else"]
    assert [v.mark.owner for v in seen.volumes] == ["someone-else"]
    (event,) = events_by_name(list(ours.delete(seen.nodes))).values()
    assert event.stage is Stage.FAILED
    (event,) = events_by_name(list(ours.create([cloud_factory.spec(ours, 0)]))).values()
    assert event.stage is Stage.FAILED  # the name is taken
    assert [n.id for n in theirs.listing().nodes] == [node.id]


def test_deleting_what_is_gone_is_no_fault(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    spec = cloud_factory.spec(cloud, 0, [VolumeSpec("a-p-0-data", 1)])
    (node,) = cloud_factory.made(cloud, spec)
    for _time in range(2):
        assert cloud_factory.deleted(cloud, [node]).nodes == ()
    (volume,) = cloud.listing().volumes
    for _time in range(2):
        (event,) = events_by_name(list(cloud.delete_volumes([volume]))).values()
        assert (event.name, event.stage) == ("a-p-0-data", Stage.DELETED)
    assert cloud.listing().volumes == ()


def test_a_recreated_node_is_another_one(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    spec = cloud_factory.spec(cloud, 0)
    cloud_factory.made(cloud, spec)
    (old,) = cloud_factory.settled(cloud).nodes
    cloud.set_ready([old], "hash")
    cloud_factory.deleted(cloud, [old])
    (new,) = cloud_factory.made(cloud, spec)
    assert new.id != old.id
    assert new.ready == ""
    (event,) = events_by_name(list(cloud.delete([old]))).values()  # a late deletion of the old one
    assert event.stage is Stage.DELETED
    assert [node.id for node in cloud.listing().nodes] == [new.id]


def test_volumes_outlive_their_node_and_come_back(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    spec = cloud_factory.spec(cloud, 0, [VolumeSpec("a-p-0-data", 1), VolumeSpec("a-p-0-logs", 2)])
    (node,) = cloud_factory.made(cloud, spec)
    volumes = {volume.name: volume for volume in cloud.listing().volumes}
    assert {name: (v.size, v.attached, v.mark) for name, v in volumes.items()} == {
        "a-p-0-data": (1, "a-p-0", node.mark),
        "a-p-0-logs": (2, "a-p-0", node.mark),
    }
    assert len({volume.device for volume in volumes.values()}) == 2
    (event,) = events_by_name(list(cloud.delete_volumes([volumes["a-p-0-data"]]))).values()
    assert event.stage is Stage.FAILED  # it is attached
    cloud_factory.deleted(cloud, [node])
    kept = {volume.name: volume for volume in cloud.listing().volumes}
    assert {name: (v.id, v.attached) for name, v in kept.items()} == {name: (v.id, "") for name, v in volumes.items()}
    cloud_factory.made(cloud, spec)
    back = {volume.name: volume for volume in cloud.listing().volumes}
    assert {name: (v.id, v.attached) for name, v in back.items()} == {name: (v.id, "a-p-0") for name, v in volumes.items()}


def test_a_node_is_given_the_volumes_that_it_lacks(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    (before,) = cloud_factory.made(cloud, cloud_factory.spec(cloud, 0))
    cloud_factory.settled(cloud)
    (after,) = cloud_factory.made(cloud, cloud_factory.spec(cloud, 0, [VolumeSpec("a-p-0-data", 1)]))
    assert after.id == before.id
    assert [(v.name, v.attached) for v in cloud.listing().volumes] == [("a-p-0-data", "a-p-0")]


def test_a_volume_is_attached_to_one_node_only(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    volume = VolumeSpec("a-p-0-data", 1)
    cloud_factory.made(cloud, cloud_factory.spec(cloud, 0, [volume]))
    (event,) = events_by_name(list(cloud.create([cloud_factory.spec(cloud, 1, [volume])]))).values()
    assert event.stage is Stage.FAILED
    listing = cloud.listing()
    assert [(v.name, v.attached) for v in listing.volumes] == [("a-p-0-data", "a-p-0")]
    assert [node.name for node in listing.nodes] == ["a-p-0"]


def test_volumes_grow_and_never_shrink(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    cloud_factory.made(cloud, cloud_factory.spec(cloud, 0, [VolumeSpec("a-p-0-data", 2)]))
    grown = ((3, Stage.MADE, 3), (3, Stage.MADE, 3), (1, Stage.FAILED, 3))
    for size, stage, after in grown if cloud_factory.extends_volumes else ((3, Stage.FAILED, 2), (1, Stage.FAILED, 2)):
        (event,) = events_by_name(list(cloud.resize_volumes([VolumeSpec("a-p-0-data", size)]))).values()
        assert (event.name, event.stage) == ("a-p-0-data", stage)
        assert [volume.size for volume in cloud.listing().volumes] == [after]
    (event,) = events_by_name(list(cloud.resize_volumes([VolumeSpec("a-p-9-data", 2)]))).values()
    assert event.stage is Stage.FAILED


def test_the_ready_value_is_kept_in_the_cloud(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    cloud_factory.made(cloud, cloud_factory.spec(cloud, 0), cloud_factory.spec(cloud, 1))
    cloud_factory.settled(cloud)
    for value in ("0123456789abcdef", "fedcba9876543210"):
        nodes = [node for node in cloud.listing().nodes if node.name == "a-p-0"]
        cloud.set_ready(nodes, value)
        assert {node.name: node.ready for node in cloud_factory("a").listing().nodes} == {"a-p-0": value, "a-p-1": ""}


def test_the_clouds_in_use_are_kept_in_the_cloud(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    cloud_factory.made(cloud, cloud_factory.spec(cloud, 0, clouds=("contract", "far")), cloud_factory.spec(cloud, 1))

    def named() -> dict[str, tuple[str, ...]]:
        return {node.name: node.clouds for node in cloud_factory("a").listing().nodes}

    assert named() == {"a-p-0": ("contract", "far"), "a-p-1": ()}  # from its birth on
    nodes = cloud_factory.settled(cloud).nodes
    cloud.set_ready(nodes[:1], "hash")
    many = tuple(sorted(f"cloudofninteenchars{number}" for number in range(8)))
    for clouds in (many, ("contract",)):
        cloud.set_clouds([node for node in nodes if node.name == "a-p-0"], clouds)
        assert named() == {"a-p-0": clouds, "a-p-1": ()}
    cloud.set_clouds(nodes, ("contract", "near"))
    assert set(named().values()) == {("contract", "near")}
    assert [node.ready for node in cloud.listing().nodes if node.name == nodes[0].name] == ["hash"]


def test_the_number_of_a_node_is_kept_in_the_cloud_from_its_birth_on(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    cloud_factory.made(cloud, cloud_factory.spec(cloud, 0, number=513), cloud_factory.spec(cloud, 1))
    cloud_factory.made(cloud, cloud_factory.spec(cloud, 0))  # asked for again without one
    assert {node.name: node.number for node in cloud_factory("a").listing().nodes} == {"a-p-0": 513, "a-p-1": 0}


def test_an_existing_node_keeps_what_it_names_when_it_is_asked_for_again(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    cloud_factory.made(cloud, cloud_factory.spec(cloud, 0, clouds=("contract", "far")))
    cloud_factory.settled(cloud)
    (node,) = cloud_factory.made(cloud, cloud_factory.spec(cloud, 0, [VolumeSpec("a-p-0-data", 1)], clouds=("contract",)))
    assert node.clouds == ("contract", "far")


def test_the_lock_keeps_others_out_and_says_who_has_it(cloud_factory: Bench) -> None:
    first, second = cloud_factory("a"), cloud_factory("a")
    assert first.locked_by() is None
    lease = first.lock("ada@here (process 1)", 60)
    told = second.locked_by()
    assert told is not None
    assert (told.holder, bool(told.since)) == ("ada@here (process 1)", True)
    assert cloud_factory("a1").locked_by() is None
    assert (lease.holder, lease.broken) == ("ada@here (process 1)", "")
    with pytest.raises(Locked, match=re.escape("ada@here (process 1)")):
        second.lock("bob@there (process 2)", 60)
    first.renew(lease, 60)
    other = cloud_factory("a1").lock("bob@there (process 2)", 60)  # another cluster is another lock
    cloud_factory("a1").unlock(other)
    first.unlock(lease)
    lease = second.lock("bob@there (process 2)", 60)
    assert lease.broken == ""
    second.unlock(lease)
    second.unlock(lease)  # nothing, as it is no longer ours
    assert first.locked_by() is None


def test_who_holds_the_lock_may_take_it_again(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    cloud.lock("ada@here (process 1)", 60)  # its answer is lost
    lease = cloud.lock("ada@here (process 1)", 60)
    assert lease.broken == ""
    cloud.renew(lease, 60)
    cloud.unlock(lease)
    cloud.unlock(cloud.lock("bob@there (process 2)", 60))


def test_a_stale_lock_is_broken_and_named_and_its_holder_is_reported(cloud_factory: Bench) -> None:
    first, second = cloud_factory("a"), cloud_factory("a")
    old = first.lock("ada@here (process 1)", 1)
    cloud_factory.pass_time(1.5)
    assert second.locked_by() is None
    new = second.lock("bob@there (process 2)", 60)
    assert "ada@here (process 1)" in new.broken
    with pytest.raises(Locked):
        first.renew(old, 60)
    first.unlock(old)  # must not release what is bob's now
    with pytest.raises(Locked, match="bob@there"):
        cloud_factory("a").lock("carl@elsewhere (process 3)", 60)
    second.renew(new, 60)
    second.unlock(new)


def test_a_renewed_lock_does_not_go_stale(cloud_factory: Bench) -> None:
    first, second = cloud_factory("a"), cloud_factory("a")
    lease = first.lock("ada@here (process 1)", 1)
    first.renew(lease, 60)
    cloud_factory.pass_time(1.5)
    with pytest.raises(Locked, match="ada@here"):
        second.lock("bob@there (process 2)", 60)
    first.unlock(lease)


def test_a_node_whose_mark_was_taken_off_is_a_stray(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    bare, other = cloud_factory.made(cloud, cloud_factory.spec(cloud, 0), cloud_factory.spec(cloud, 1))
    cloud_factory.settled(cloud)
    cloud_factory.strip_mark(bare)
    try:
        listing = cloud.listing()
        assert [node.id for node in listing.nodes] == [other.id]
        assert [(stray.kind, stray.name) for stray in listing.strays] == [("node", "a-p-0")]
        assert listing.strays[0].reason
        (event,) = events_by_name(list(cloud.create([cloud_factory.spec(cloud, 0)]))).values()
        assert event.stage is Stage.FAILED  # not doubled
        (event,) = events_by_name(list(cloud.delete([bare]))).values()
        assert event.stage is Stage.FAILED  # not deleted
        assert [stray.name for stray in cloud.listing().strays] == ["a-p-0"]
    finally:
        cloud_factory.discard(bare.name)


def test_nothing_is_left_in_the_end(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    (node,) = cloud_factory.made(cloud, cloud_factory.spec(cloud, 0, [VolumeSpec("a-p-0-data", 1)]))
    assert {"node a-p-0", "volume a-p-0-data"} <= set(cloud.leftovers())
    cloud_factory.deleted(cloud, [node])
    cloud.dismantle()
    assert cloud.leftovers() == ["volume a-p-0-data"]  # kept, and told
    list(cloud.delete_volumes(cloud.listing().volumes))
    cloud.dismantle()
    cloud.dismantle()
    assert cloud.leftovers() == []
