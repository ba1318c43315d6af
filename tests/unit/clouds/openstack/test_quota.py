# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of new nodes, by what a real cloud told of its limits."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Mark, Node, NodeSpec, State, Unavailable, VolumeSpec
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import COMPUTE, IMAGE, NETWORK, VOLUME
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import PROJECT, Answer, LittleCloud, record

Opened = Callable[..., OpenStackCloud]
QUOTAS = f"/quotas/{PROJECT}/details"


@pytest.fixture
def limits(project: LittleCloud) -> dict[str, Any]:
    """The recorded limits, which a test may change."""
    found: dict[str, Any] = copy.deepcopy(record("limits"))
    for service, path in ((COMPUTE, "/limits"), (VOLUME, "/limits"), (NETWORK, QUOTAS)):
        project.reacts("GET", service, path, lambda request: Answer(found[request.service]))
    project.holds(VOLUME, "types", {"id": "1", "name": "__DEFAULT__"}, {"id": "2", "name": "fast"})
    project.answers("GET", COMPUTE, "/os-availability-zone", Answer({"availabilityZoneInfo": [{"zoneName": "nova"}]}))
    return found


def specs(count: int, **more: Any) -> list[NodeSpec]:
    known = {"image": "fake-12", "flavor": "small"}
    return [NodeSpec(Mark("skyg", "skyg", "p", place), **(known | more)) for place in range(count)]


def disks(*sizes: int, kind: str = "") -> list[VolumeSpec]:
    return [VolumeSpec(f"skyg-p-{place}-data", size, kind) for place, size in enumerate(sizes)]


def test_with_room_nothing_is_short(limits: dict[str, Any], opened: Opened) -> None:
    assert limits
    assert opened().shortages(specs(8, public_ip=False), disks(1)) == []
    assert opened().shortages(specs(1, public_ip=True), []) == []


def test_nothing_costs_no_call(limits: dict[str, Any], opened: Opened, project: LittleCloud) -> None:
    assert limits
    assert opened().shortages([], []) == []
    assert project.requests == []


@pytest.mark.parametrize(
    ("nodes", "volumes", "sentences"),
    [
        (specs(9), [], ["quota of instances: 9 more needed, 8 of 10 left"]),
        (specs(5, flavor="c4"), [], ["quota of cores: 20 more needed, 18 of 20 left"]),
        (
            specs(7, flavor="c4"),
            [],
            ["quota of cores: 28 more needed, 18 of 20 left", "quota of RAM in MiB: 57344 more needed, 48128 of 51200 left"],
        ),
        (specs(2, public_ip=True), [], ["quota of floating addresses: 2 more needed, 1 of 2 left"]),
        ([], disks(2), ["quota of gigabytes of volumes: 2 more needed, 1 of 3 left"]),
        ([], disks(*[0] * 9), ["quota of volumes: 9 more needed, 8 of 10 left"]),
        ([], disks(1, kind="fats"), ["unknown volume type 'fats'"]),
        (specs(1, flavor="smal"), [], ["unknown flavor 'smal'"]),
        (specs(1, image="fake"), [], ["unknown image 'fake'"]),
    ],
)
def test_what_is_short_is_reported(
    limits: dict[str, Any], opened: Opened, nodes: Sequence[NodeSpec], volumes: Sequence[VolumeSpec], sentences: Sequence[str]
) -> None:
    assert limits
    found = opened().shortages(nodes, volumes)
    assert len(found) == len(sentences)
    assert all(told.startswith(sentence) for told, sentence in zip(found, sentences, strict=True)), found


def test_what_goes_first_leaves_its_place_to_what_is_made(limits: dict[str, Any], opened: Opened, project: LittleCloud) -> None:
    """A full project can still replace a node: the cloud counts a failed one until it is deleted."""
    absolute = limits[COMPUTE]["limits"]["absolute"]
    absolute |= {"totalInstancesUsed": absolute["maxTotalInstances"], "totalCoresUsed": absolute["maxTotalCores"] - 1, "totalRAMUsed": 51200 - 100}
    for quota in ("port", "floatingip"):
        limits[NETWORK]["quota"][quota] |= {"limit": 3, "used": 3}
    limits[VOLUME]["limits"]["absolute"]["totalVolumesUsed"] = limits[VOLUME]["limits"]["absolute"]["maxTotalVolumes"]
    addresses = (Address("10.0.0.7", 4), Address("192.0.2.7", 4, public=True))
    mark = Mark("skyg", "skyg", "p", 0)
    dead = Node("skyg-p-0", "7", mark, State.FAILED, addresses, cores=1, memory=1536)
    cloud = opened(boot_volume=3)
    assert cloud.shortages(specs(1, public_ip=True), [], [dead]) == []
    assert len(cloud.shortages(specs(1, public_ip=True), [])) == 6
    assert [told.split(":")[0] for told in cloud.shortages(specs(1, flavor="c4"), [], [dead])] == ["quota of cores", "quota of RAM in MiB"]
    assert cloud.shortages(specs(2), [], [dead])[0].startswith("quota of instances: 1 more needed")
    project.holds(NETWORK, "networks", {"id": "n", "name": "lab", "subnets": ["s"]})
    pool = {"start": "10.0.0.2", "end": "10.0.0.2"}
    project.holds(NETWORK, "subnets", {"id": "s", "network_id": "n", "ip_version": 4, "allocation_pools": [pool]})
    project.holds(NETWORK, "ports", {"id": "1", "network_id": "n"})
    assert opened(network="lab").shortages(specs(1), [], [dead]) == []


def test_all_is_reported_at_once(limits: dict[str, Any], opened: Opened) -> None:
    limits[COMPUTE]["limits"]["absolute"]["maxTotalInstances"] = 1  # less than are there
    limits[NETWORK]["quota"]["port"]["limit"] = 4
    cloud = opened(external_network="", availability_zone="nowhere", boot_volume=2)
    assert cloud.shortages([*specs(1, public_ip=True), *specs(1, flavor="huge")], disks(5)) == [
        "unknown flavor 'huge'; known: c4, small, tiny",
        "quota of instances: 2 more needed, 0 of 1 left",
        "public_ip: floating addresses need external_network, which the cloud's options do not set",
        "quota of ports: 2 more needed, 0 of 4 left",
        "quota of gigabytes of volumes: 9 more needed, 1 of 3 left",
        "unknown availability zone 'nowhere'; known: nova",
    ]


def test_no_limit_is_no_shortage(limits: dict[str, Any], opened: Opened) -> None:
    for values in (limits[COMPUTE]["limits"]["absolute"], limits[VOLUME]["limits"]["absolute"]):
        values |= {key: -1 for key in values if key.startswith("max")}
    limits[NETWORK]["quota"]["port"]["limit"] = -1
    assert opened().shortages(specs(500), disks(*[100] * 50)) == []


def test_what_does_not_fit_is_reported(limits: dict[str, Any], opened: Opened, project: LittleCloud) -> None:
    project.stored[IMAGE, "images"][0] |= {"min_ram": 2048, "min_disk": 5, "size": 6 * 1024**3 + 1}
    assert limits
    assert opened().shortages(specs(2), []) == [
        "image 'fake-12' needs 2048 MiB of memory and flavor 'small' has 1536",
        "image 'fake-12' needs a disk of 7 GiB and flavor 'small' has 3",
    ]
    assert opened(boot_volume=1).shortages(specs(1, flavor="c4"), []) == ["image 'fake-12' needs a disk of 7 GiB and boot_volume has 1"]


def test_a_flavor_without_a_disk_needs_a_volume_to_boot_from(limits: dict[str, Any], opened: Opened) -> None:
    assert limits
    assert opened().shortages(specs(2, flavor="tiny"), []) == ["flavor 'tiny' has no disk: set boot_volume, so that its nodes boot from volumes"]
    assert opened(boot_volume=1).shortages(specs(1, flavor="tiny"), []) == []


@pytest.mark.parametrize(
    ("service", "limit", "left"), [(COMPUTE, "maxTotalInstances", "quota of volumes"), (VOLUME, "maxTotalVolumes", "quota of instances")]
)
def test_a_limit_that_the_cloud_does_not_tell_of_is_none(limits: dict[str, Any], opened: Opened, service: str, limit: str, left: str) -> None:
    del limits[service]["limits"]["absolute"][limit]
    assert opened().shortages(specs(9), disks(*[0] * 9)) == [f"{left}: 9 more needed, 8 of 10 left"]


@pytest.mark.parametrize("service", [COMPUTE, VOLUME])
def test_an_answer_without_limits_is_none(limits: dict[str, Any], opened: Opened, service: str) -> None:
    limits[service] = {"limits": {"rate": []}}
    with pytest.raises(Unavailable, match=rf"^{service} GET /limits: the answer has no absolute limits$"):
        opened().shortages(specs(1), disks(1))


@pytest.mark.parametrize(("taken", "room"), [(0, 3), (2, 1), (5, 0)])
def test_the_room_of_a_network_that_is_there(limits: dict[str, Any], opened: Opened, project: LittleCloud, taken: int, room: int) -> None:
    assert limits
    project.holds(NETWORK, "networks", {"id": "n", "name": "lab", "subnets": ["s"]})
    pools = [{"start": "10.0.0.2", "end": "10.0.0.3"}, {"start": "10.0.0.9", "end": "10.0.0.9"}]
    project.holds(NETWORK, "subnets", {"id": "s", "network_id": "n", "ip_version": 4, "allocation_pools": pools})
    project.holds(NETWORK, "ports", *({"id": str(place), "network_id": "n"} for place in range(taken)))
    assert opened(network="lab").shortages(specs(4), []) == [f"network 'lab' has room for {room} more node(s), 4 needed"]


def test_a_network_without_a_subnet_is_reported(limits: dict[str, Any], opened: Opened, project: LittleCloud) -> None:
    assert limits
    project.holds(NETWORK, "networks", {"id": "n", "name": "bare", "subnets": []}, {"id": "six", "name": "six", "subnets": ["s"]})
    project.holds(NETWORK, "subnets", {"id": "s", "network_id": "six", "ip_version": 6})
    assert opened(network="bare").shortages(specs(1), []) == ["network 'bare' has no subnet"]
    assert opened(network="six").shortages(specs(1), []) == []
    assert opened(network="nowhere").shortages(specs(1), [])[0].startswith("unknown network 'nowhere'")
