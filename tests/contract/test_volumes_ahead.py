# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every cloud must do with volumes that are made ahead of their nodes, whatever the provider."""

from __future__ import annotations

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Invalid, Mark, Stage, VolumeSpec
from ansible_collections.sky.clusters.tests.support.bench import Bench, events_by_name


def test_a_volume_made_ahead_is_its_nodes(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    wanted = [VolumeSpec("a-p-0-data", 1), VolumeSpec("a-p-1-data", 2)]
    assert cloud.shortages([], wanted) == []
    outcomes = events_by_name(list(cloud.create_volumes(wanted)))
    assert {name: event.stage for name, event in outcomes.items()} == {"a-p-0-data": Stage.MADE, "a-p-1-data": Stage.MADE}
    ahead = {volume.name: volume for volume in cloud_factory("a").listing().volumes}
    assert {name: (v.mark, v.size, v.attached) for name, v in ahead.items()} == {
        "a-p-0-data": (Mark(cloud.owner, "a", "p", 0), 1, ""),
        "a-p-1-data": (Mark(cloud.owner, "a", "p", 1), 2, ""),
    }
    cloud_factory.made(cloud, cloud_factory.spec(cloud, 0, wanted[:1]))
    after = {volume.name: (volume.id, volume.attached) for volume in cloud.listing().volumes}
    assert after == {"a-p-0-data": (ahead["a-p-0-data"].id, "a-p-0"), "a-p-1-data": (ahead["a-p-1-data"].id, "")}


def test_a_volume_that_is_asked_for_twice_is_made_once_and_left_as_it_is(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    list(cloud.create_volumes([VolumeSpec("a-p-0-data", 1)]))
    (before,) = cloud.listing().volumes
    for size in (1, 2):
        (event,) = events_by_name(list(cloud.create_volumes([VolumeSpec("a-p-0-data", size)]))).values()
        assert (event.name, event.stage) == ("a-p-0-data", Stage.MADE)
        assert cloud.listing().volumes == (before,)


def test_a_volume_of_no_node_of_the_cluster_is_refused(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    names = ["a1-p-0-data", "a-p-data", "a-p-0", "a-p-00-data", "data"]
    outcomes = events_by_name(list(cloud.create_volumes([VolumeSpec(name, 1) for name in [*names, "a-p-0-data"]])))
    assert {name: (outcomes[name].stage, outcomes[name].final, outcomes[name].error) for name in names} == dict.fromkeys(
        names, (Stage.FAILED, True, Invalid)
    )
    assert outcomes["a-p-0-data"].stage is Stage.MADE  # the others go on
    assert [volume.name for volume in cloud.listing().volumes] == ["a-p-0-data"]


def test_a_volume_of_another_owner_is_left_alone(cloud_factory: Bench) -> None:
    theirs, ours = cloud_factory("a", "someone-else"), cloud_factory("a")
    list(theirs.create_volumes([VolumeSpec("a-p-0-data", 1)]))
    (event,) = events_by_name(list(ours.create_volumes([VolumeSpec("a-p-0-data", 2)]))).values()
    assert event.stage is Stage.FAILED
    assert [(volume.mark.owner, volume.size) for volume in ours.listing().volumes] == [("someone-else", 1)]


def test_a_volume_without_a_node_is_extended_and_deleted(cloud_factory: Bench) -> None:
    cloud = cloud_factory("a")
    list(cloud.create_volumes([VolumeSpec("a-p-0-data", 1), VolumeSpec("a-p-1-data", 1)]))
    (event,) = events_by_name(list(cloud.resize_volumes([VolumeSpec("a-p-0-data", 2)]))).values()
    stage, size = (Stage.MADE, 2) if cloud_factory.extends_volumes else (Stage.FAILED, 1)
    assert event.stage is stage
    sizes = {volume.name: volume.size for volume in cloud.listing().volumes}
    assert sizes == {"a-p-0-data": size, "a-p-1-data": 1}
    gone = [volume for volume in cloud.listing().volumes if volume.name == "a-p-0-data"]
    (event,) = events_by_name(list(cloud.delete_volumes(gone))).values()
    assert event.stage is Stage.DELETED
    assert [volume.name for volume in cloud.listing().volumes] == ["a-p-1-data"]
