# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that exist already, and are used as nodes: never deleted, and of one cluster only."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Invalid, MarkError, NodeSpec, Stage, VolumeSpec
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._names import Extra
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._notes import Note
from ansible_collections.sky.clusters.tests.clouds.stratuslab.pdisk import LIVE, Disk
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import Site

from .conftest import spec

Opened = Callable[..., StratusLabCloud]
CARD = 'NIC = [ network_uname = oneadmin, network = "public" ]'


def machine(
    site: Site,
    template: str = f'NAME = "mine"\nDISK = [ source = "https://example.org/x", target = "vda" ]\n{CARD}',
    user: str = "alice",
) -> int:
    """One that a user created with the old client, and that runs."""
    (_ok, number, _code) = site.oned.call("one.vm.allocate", [f"{user}:{'a' * 40}", template])
    while not site.oned.vms[int(number)].running:
        time.sleep(0.01)
    return int(number)


def taken(cloud: StratusLabCloud, machine_id: int, **more: Any) -> NodeSpec:
    return spec(cloud, extra={"machines": [machine_id]}, **more)


def test_a_machine_that_exists_is_used_as_a_node_and_kept_in_the_end(site: Site, opened: Opened) -> None:
    number, cloud = machine(site), opened()
    wanted = taken(cloud, number, number=513, clouds=("lal", "here"), volumes=(VolumeSpec("a-p-0-data", 1),))
    assert cloud.shortages([wanted], wanted.volumes) == []
    assert [event.stage for event in cloud.create([wanted])] == [Stage.MADE]
    (node,) = cloud.listing().nodes
    assert (node.id, node.name, node.mark, node.number, node.clouds) == (str(number), "a-p-0", wanted.mark, 513, ("lal", "here"))
    assert node.address(public=True)
    (volume,) = cloud.listing().volumes
    assert (volume.attached, volume.device) == ("a-p-0", "/dev/vdb")
    cloud.set_ready([node], "hash")
    assert [event.stage for event in cloud.create([wanted])] == [Stage.MADE]  # again
    assert [(each.number, each.ready) for each in cloud.listing().nodes] == [(513, "hash")]
    assert (opened("b").listing().nodes, cloud.gaps()) == ((), [])

    assert [event.stage for event in cloud.delete(cloud.listing().nodes)] == [Stage.DELETED]
    assert cloud.listing().nodes == ()
    assert [volume.attached for volume in cloud.listing().volumes] == [""]
    assert site.oned.vms[number].running
    list(cloud.delete_volumes(cloud.listing().volumes))
    cloud.dismantle()
    assert (cloud.leftovers(), site.oned.documents) == ([], {})


def test_a_bootable_disk_starts_one_node(site: Site, opened: Opened) -> None:
    uuid = "0a1b2c3d-1111-2222-3333-444455556666"
    site.pdisk.disks[uuid] = disk = Disk(uuid, "boot", "alice", 1, LIVE)
    cloud = opened(image=uuid)
    first, second = spec(cloud), spec(cloud, 1)
    assert cloud.shortages([first], []) == []
    assert cloud.shortages([first, second], []) == [f"image '{uuid}': a bootable disk starts one node, not a-p-0, a-p-1"]
    disk.mounts["4711"] = "static"
    assert cloud.shortages([first], []) == [f"node a-p-0: image '{uuid}' is in use: machine 4711 has this disk"]
    disk.mounts.clear()
    (event,) = cloud.create([first])
    while not site.oned.vms[int(event.detail)].running:
        time.sleep(0.01)
    nodes = cloud.listing().nodes
    assert cloud.shortages([first], []) == cloud.shortages([second], [], nodes) == []  # its own, and that of one that is going
    assert cloud.shortages([second], []) == [f"node a-p-1: image '{uuid}' is in use: machine {event.detail} has this disk"]
    (refused,) = cloud.create([second])  # somebody was quicker
    assert refused.detail == f"disk {uuid} (image) is attached to machine {event.detail}"
    list(cloud.delete(nodes))


def test_only_the_nodes_that_are_named_use_machines_that_exist(site: Site, opened: Opened) -> None:
    number, cloud = machine(site), opened()
    specs = [spec(cloud, index, extra={"machines": [number]}) for index in range(2)]
    assert {event.stage for event in cloud.create(specs)} == {Stage.MADE}
    first, second = sorted(cloud.listing().nodes, key=lambda node: node.name)
    assert (first.id == str(number), second.id == str(number)) == (True, False)
    list(cloud.delete([first, second]))
    assert [vm.id for vm in site.oned.vms.values() if vm.living] == [number]


def test_a_machine_that_cannot_be_used_is_refused_before_anything_is_changed(site: Site, opened: Opened) -> None:
    cloud, other = opened(), opened("b")
    number, foreign, inside = (
        machine(site),
        machine(site, user="bob"),
        machine(site, 'NAME = "in"\nNIC = [ NETWORK_UNAME = "oneadmin", network = "local" ]'),
    )
    list(other.create([taken(other, number)]))
    list(other.create([spec(other, 1)]))
    made = next(int(node.id) for node in other.listing().nodes if node.id != str(number))
    halted = machine(site)
    site.nodes.halted.add(halted)
    while site.oned.vms[halted].running:
        time.sleep(0.01)
    before = dict(site.oned.documents)
    reasons = {
        number: "its mark is 'sky/1 alice b p 0'",
        made: "its mark is 'sky/1 alice b p 1'",
        foreign: f"the account has no machine {foreign}",
        halted: "it is stopped, not running",
        inside: "it has no address of the network 'public' (public_ip)",
    }
    for each, reason in reasons.items():
        wanted = taken(cloud, each, public_ip=True)
        (lack,) = cloud.shortages([wanted], [])
        assert lack.startswith("node a-p-0: extra.machines: ")
        assert lack.endswith(reason)
        (event,) = cloud.create([wanted])
        assert (event.stage, event.final, event.detail) == (Stage.FAILED, True, lack)
    assert site.oned.documents == before
    twice = [taken(cloud, inside), spec(cloud, 1, extra={"machines": [made, inside]})]
    assert cloud.shortages(twice, []) == [f"extra.machines: machine {inside} is named for more than one node"]
    list(other.delete(other.listing().nodes))


def test_of_two_clusters_that_take_a_machine_at_once_none_keeps_what_the_other_has(site: Site, opened: Opened, monkeypatch: Any) -> None:
    number, cloud, other = machine(site), opened(), opened("b")
    write = cloud._notes.write

    def late(changes: Any) -> None:
        list(other.create([taken(other, number)]))
        write(changes)

    monkeypatch.setattr(cloud._notes, "write", late)
    (event,) = cloud.create([taken(cloud, number)])
    assert event.detail.endswith("its mark is 'sky/1 alice b p 0'")
    assert cloud.listing().nodes == ()
    assert [node.id for node in other.listing().nodes] == [str(number)]
    list(other.delete(other.listing().nodes))


def test_damaged_notes_of_another_cluster_matter_to_those_only_who_use_machines_that_exist(site: Site, opened: Opened) -> None:
    number, cloud = machine(site), opened()
    site.oned.call("one.template.allocate", [f"alice:{'a' * 40}", 'NAME = "skynotes.b.0123"\nBODY = "?"'])
    assert [event.stage for event in cloud.create([spec(cloud)])] == [Stage.MADE]
    list(cloud.delete(cloud.listing().nodes))
    with pytest.raises(MarkError, match=r"skynotes\.b\.0123.* is damaged"):
        list(cloud.create([taken(cloud, number)]))


def test_a_machine_that_was_deleted_by_its_owner_is_missed_and_reported(site: Site, opened: Opened) -> None:
    number, cloud = machine(site), opened()
    list(cloud.create([taken(cloud, number)]))
    cloud.one.act("finalize", number)
    while site.oned.vms[number].living:
        time.sleep(0.01)
    assert cloud.listing().nodes == ()
    (event,) = cloud.create([taken(cloud, number)])
    assert event.detail == f"node a-p-0: extra.machines: the account has no machine {number}"
    assert not site.oned.documents  # what was noted of it is of no use any more


@pytest.mark.parametrize("machines", [25, ["25"], [True], [-1], [3, 3]])
def test_wrong_identifiers_are_refused(machines: Any) -> None:
    with pytest.raises(Invalid, match=r"^extra\.machines: must be a list of different identifiers"):
        Extra.of({"machines": machines})
    assert Extra.known({"machines": machines}).machine(0) is None


def test_numbers_of_ansible_are_numbers() -> None:
    """They belong to a class of their own."""

    class Tagged(int):
        pass

    assert Extra.of({"machines": [Tagged(0), Tagged(7)]}).machine(1) == 7
    assert not isinstance(Extra.of({"machines": [Tagged(7)]}).machine(0), Tagged)


def test_notes_of_nodes_that_were_created_have_no_mark() -> None:
    for note in (Note("hash", None, ("ssh-ed25519 AAAA",)), Note("", ("lal",))):
        assert len(note.data()) == 3
        assert Note.of(note.data()) == note
    lent = Note(mark="sky/1 alice a p 0", number=513)
    assert Note.of(lent.data()) == lent
