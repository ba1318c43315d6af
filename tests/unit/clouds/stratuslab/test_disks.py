# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of machines: which place each has, on every bus of an image, and how those that came later are listed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Node, VolumeSpec
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._options import InstanceType
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._pdisk import Disk
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import Site
from ansible_collections.sky.clusters.tests.unit.clouds.stratuslab.conftest import spec

Opened = Callable[..., StratusLabCloud]
ALICE = f"alice:{'a' * 40}"
VOLUMES = tuple(VolumeSpec(f"a-p-0-{name}", 1) for name in ("d", "e", "f"))
DEVICES = {  # by bus and size of the swap disk
    ("ide", 512): ["/dev/vda", "/dev/vdb", "/dev/vdc"],
    ("ide", 0): ["/dev/vda", "/dev/vdb", "/dev/vdc"],
    ("scsi", 512): ["/dev/vda", "/dev/vdb", "/dev/vdc"],
    ("virtio", 512): ["/dev/vdc", "/dev/vdd", "/dev/vde"],
    ("virtio", 0): ["/dev/vdb", "/dev/vdc", "/dev/vdd"],
}


def _running(cloud: StratusLabCloud) -> Node:
    end = time.monotonic() + 20
    while True:
        (node,) = cloud.listing().nodes
        if node.state.value == "running" or node.fault:
            return node
        assert time.monotonic() < end, node
        time.sleep(0.02)


@pytest.mark.parametrize(("bus", "swap"), DEVICES)
def test_a_machine_starts_with_volumes_whatever_the_bus_of_its_image(opened: Opened, bus: str, swap: int) -> None:
    cloud = opened(disks_bus=bus, instance_types={"own": InstanceType(1, 512, swap)})
    list(cloud.create([spec(cloud, flavor="own", volumes=VOLUMES)]))
    node = _running(cloud)
    assert node.fault == ""
    assert [volume.device for volume in sorted(cloud.listing().volumes, key=lambda each: each.name)] == DEVICES[bus, swap]


def test_volumes_that_nodes_got_later_are_looked_up_side_by_side(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud, count, slow = opened(), 12, 0.5
    list(cloud.create([spec(cloud, index) for index in range(count)]))
    while not all(vm.running for vm in site.oned.vms.values() if vm.living):
        time.sleep(0.02)
    list(cloud.create([spec(cloud, index, volumes=(VolumeSpec(f"a-p-{index}-d", 1),)) for index in range(count)]))
    real = cloud.pdisk.mounts

    def mounts(uuid: str) -> dict[str, str]:
        time.sleep(slow)
        return real(uuid)

    monkeypatch.setattr(cloud.pdisk, "mounts", mounts)
    began = time.monotonic()
    listing = cloud.listing()
    assert time.monotonic() - began < count * slow / 2
    assert {volume.name: (volume.attached, volume.device) for volume in listing.volumes} == {
        f"a-p-{index}-d": (f"a-p-{index}", "/dev/vdc") for index in range(count)
    }


def test_a_volume_that_is_deleted_while_it_is_listed_is_attached_to_nobody(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = opened()
    list(cloud.create([spec(cloud)]))
    _running(cloud)
    list(cloud.create([spec(cloud, volumes=VOLUMES[:1])]))
    real = cloud.pdisk.disks

    def disks() -> list[Disk]:
        found = real()
        site.pdisk.disks.clear()
        return found

    monkeypatch.setattr(cloud.pdisk, "disks", disks)
    assert [(volume.name, volume.attached) for volume in cloud.listing().volumes] == [("a-p-0-d", "")]


REFUSED = {
    "two disks": (["hda", "hda"], "target 'hda' duplicated"),
    "the context's": (["hda", "hdb", "hdc", "hdd"], "target 'hdd' duplicated"),
    "a fifth place of IDE": (["hda", "hde"], "no place for target 'hde'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_machine_whose_disks_have_no_place_of_their_own_fails(site: Site, opened: Opened, name: str) -> None:
    targets, reason = REFUSED[name]
    disks = "".join(f'DISK = [ SOURCE = "x", TARGET = "{target}" ]\n' for target in targets)
    site.oned.call("one.vm.allocate", [ALICE, f'NAME = "a-p-0"\nSKY_MARK = "sky/1 alice a p 0"\n{disks}CONTEXT = [ K = "v", TARGET = "hdd" ]'])
    assert reason in _running(opened()).fault
