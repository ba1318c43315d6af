# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines and templates as the server lists them: recorded answers, many machines, states, and the notes about nodes."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Address, Mark, MarkError, Node, State, Stray
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, _vms
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._notes import Note, Notes
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._pdisk import Disk
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._template import LONGEST
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._volumes import Tagged, hot_device, tagged
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import Site

Opened = Callable[..., StratusLabCloud]
ALICE = f"alice:{'a' * 40}"


def test_recorded_machines_are_nodes(record: Callable[[str], str]) -> None:
    vms = [_vms.read(element) for element in ElementTree.fromstring(record("vmpool_info_custom_attributes.xml"))]
    first, second = (_vms.node_or_stray(vm, "c1", {277: Note(ready="abc")}) for vm in vms)
    assert isinstance(first, Node)
    assert isinstance(second, Node)
    assert (first.name, first.id, first.mark, first.state) == ("c1-w-0", "277", Mark("owner", "c1", "w", 0), State.RUNNING)
    assert first.addresses == (Address("10.0.0.209", 4, "public"), Address("10.0.0.209", 4, "public", public=True))
    assert (first.ready, first.memory, first.cores, first.created[:4]) == ("abc", 512, 1, "2026")
    assert (second.name, second.state, second.ready) == ("c1-w-1", State.BUILDING, "")
    assert vms[0].pdisks == ["0a1b2c3d-1111-2222-3333-444455556666"]
    assert _vms.node_or_stray(vms[0], "c", {}) is None  # of a cluster whose name is a prefix


def test_a_recorded_machine_that_failed_says_why(record: Callable[[str], str]) -> None:
    vm = _vms.read(ElementTree.fromstring(record("vm_info_failed.xml")))
    assert (vm.contract_state, vm.fault, vm.host) == (
        State.FAILED,
        "Error deploying virtual machine: injected deploy failure on dummyhost1",
        "dummyhost1",
    )


def test_disks_of_earlier_releases_are_understood(record: Callable[[str], str]) -> None:
    vm = _vms.read(ElementTree.fromstring(record("vm_info_running_or_done.xml")))
    assert vm.has("0a1b2c3d-1111-2222-3333-444455556666")
    assert vm.contract_state is State.DELETING  # it is done


@pytest.mark.parametrize(
    ("state", "lcm", "expected"),
    [
        *((number, 0, State.BUILDING) for number in (1, 2)),
        *((3, lcm, State.BUILDING) for lcm in (0, 1, 2, 9)),
        *((3, lcm, State.RUNNING) for lcm in (3, 4, 7, 8)),
        *((3, lcm, State.DELETING) for lcm in (11, 12, 13, 15)),
        *((3, lcm, State.STOPPED) for lcm in (5, 6, 10, 16, 99)),
        *((number, 0, State.STOPPED) for number in (4, 5)),
        (3, 14, State.FAILED),
        (7, 0, State.FAILED),
    ],
)
def test_states(state: int, lcm: int, expected: State) -> None:
    assert _vms.Vm(1, "x", state, lcm, {}).contract_state is expected


def test_a_machine_that_was_halted_says_what_its_state_means() -> None:
    vm = _vms.Vm(1, "c1-w-0", 3, 16, {"SKY_MARK": "sky/1 owner c1 w 0"})
    node = _vms.node_or_stray(vm, "c1", {})
    assert isinstance(node, Node)
    assert (node.state, node.fault, node.hopeless) == (State.STOPPED, "its state is UNKNOWN: it was halted, or its host does not answer", False)


def test_a_mark_that_is_damaged_or_newer_stops_only_its_own_cluster() -> None:
    for text in ("sky/1 owner c1 w", "sky/9 owner c1 w 0"):
        vm = _vms.Vm(1, "x", 3, 3, {"SKY_MARK": text})
        with pytest.raises(MarkError, match=r"the mark of machine x \(1\) cannot be understood"):
            _vms.node_or_stray(vm, "c1", {})
        assert _vms.node_or_stray(vm, "c2", {}) is None


def test_tags_of_disks() -> None:
    found = tagged(Disk("u", "sky/1 owner c1 w 0 data"), "c1")
    assert isinstance(found, Tagged)
    assert (found.name, found.mark) == ("c1-w-0-data", Mark("owner", "c1", "w", 0))
    assert tagged(Disk("u", "sky/1 owner c1 w 0 data"), "c") is None
    assert isinstance(tagged(Disk("u", "c1-w-0-data"), "c1"), Stray)
    assert tagged(Disk("u", "test-disk"), "c1") is None
    for tag in ("sky/1 owner c1 w 0", "sky/9 owner c1 w 0 data"):
        with pytest.raises(MarkError, match="the tag of disk u cannot be understood"):
            tagged(Disk("u", tag), "c1")


LATER = {"vda vdb vdc": ["vdd", "vde"], "hda hdb": ["vda", "vdb"], "sda sdb sdc": ["vda", "vdb"], "hda vda": ["vdb", "vdc"], "": ["vdb", "vdc"]}


@pytest.mark.parametrize("names", LATER)
def test_disks_that_are_attached_later_have_the_next_letters_of_virtio(names: str) -> None:
    vm = _vms.Vm(1, "x", 3, 3, {}, disks=[{"TARGET": name} for name in names.split()])
    assert [hot_device(vm, target) for target in ("vdz", "vdy")] == [f"/dev/{name}" for name in LATER[names]]


def test_a_cluster_among_a_thousand_machines_costs_three_calls(site: Site, opened: Opened) -> None:
    for number in range(1000):
        mark = f'SKY_MARK = "sky/1 alice a p {number}"' if number < 100 else ""
        name = f"a-p-{number}" if number < 100 else f"other-{number}"
        site.oned.call("one.vm.allocate", [ALICE, f'NAME = "{name}"\n{mark}\n'])
    cloud = opened()
    assert len(cloud.listing().nodes) == 100
    assert sum(cloud.one.http.calls.values()) + sum(cloud.pdisk.http.calls.values()) == 3


def test_notes_of_many_nodes_are_spread_over_templates_that_the_database_can_hold(site: Site, opened: Opened) -> None:
    cloud = opened()
    notes: Notes = cloud._notes
    keys = {number: f"ssh-ed25519 {base64.b64encode(random.Random(number).randbytes(51)).decode()}" for number in range(600)}
    notes.write({number: {"host_keys": (key,)} for number, key in keys.items()})
    notes.write({number: {"ready": f"hash{number}"} for number in range(0, 600, 2)})
    found = notes.of(cloud.one.documents())
    assert {number: note.host_keys for number, note in found.items()} == {number: (key,) for number, key in keys.items()}
    assert {number: note.ready for number, note in found.items()} == {number: f"hash{number}" if number % 2 == 0 else "" for number in range(600)}
    sizes = [len(document.template.xml()) for document in site.oned.documents.values()]
    assert len(sizes) > 1
    assert max(sizes) < LONGEST
    notes.forget(set(range(10, 600)))
    assert sorted(notes.of(cloud.one.documents())) == list(range(10))
    notes.forget(set(range(10)))
    assert cloud.one.documents() == []


def test_notes_that_grow_past_what_a_template_can_hold_are_split(site: Site, opened: Opened) -> None:
    cloud = opened()
    notes: Notes = cloud._notes
    notes.write({number: {"ready": "hash"} for number in range(300)})
    (first,) = site.oned.documents.values()
    keys = {number: (base64.b64encode(random.Random(number).randbytes(300)).decode(),) for number in range(300)}
    notes.write({number: {"host_keys": key} for number, key in keys.items()})
    found = notes.of(cloud.one.documents())
    assert {number: (note.ready, note.host_keys) for number, note in found.items()} == {number: ("hash", key) for number, key in keys.items()}
    assert first.id in site.oned.documents
    assert max(len(document.template.xml()) for document in site.oned.documents.values()) < LONGEST


def test_notes_that_are_damaged_stop_the_run_and_say_what_to_do(site: Site, opened: Opened) -> None:
    cloud = opened()
    cloud._notes.write({7: {"ready": "hash"}})
    (document,) = site.oned.documents.values()
    document.template.set("BODY", base64.b64encode(b"{}").decode())
    with pytest.raises(MarkError, match=rf"^template {document.id} \(skynotes\.a\.[0-9a-f]+\), .* is damaged \(its checksum is wrong\): delete it"):
        cloud.listing()
