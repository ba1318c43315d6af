# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a NameNode's page says of its nodes, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems import _hdfs_pages
from ansible_collections.sky.clusters.plugins.module_utils._systems._hdfs import HDFS, judge
from ansible_collections.sky.clusters.plugins.module_utils._systems._system import Opinion, Seen, View, view_of
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import disposable
from ansible_collections.sky.clusters.plugins.modules.hdfs_info import view
from ansible_collections.sky.clusters.tests.support.namenode import NameNode, node, serving


def seen_by(namenode: NameNode) -> View:
    with serving(namenode):
        return view_of(view(_hdfs_pages.state(namenode.page)))


def data(address: str = "10.0.0.5", runs: bool = True) -> Seen:
    unit = {"name": "hdfs-datanode", "state": "active" if runs else "failed", "fault": "" if runs else "it failed"}
    return Seen("c-d-0", address, ("hdfs_datanode",), {"reachable": True, "units": [unit]}, ("hdfs",))


def opinion(namenode: NameNode, seen: Seen | None = None) -> Opinion:
    return judge([seen or data()], seen_by(namenode))["c-d-0"]


def test_the_page_in_the_shape_of_all_systems() -> None:
    namenode = NameNode(node("10.0.0.5", blocks=4, used=1, free=3), node("10.0.0.6", "Decommission In Progress", blocks=2))
    namenode.leaving = {"10.0.0.6:9866": 2}
    namenode.dead = {"10.0.0.7:9866": {"xferaddr": "10.0.0.7:9866", "adminState": "In Service"}}
    found = seen_by(namenode)
    assert found.answers
    assert [(member.address, member.state, member.at_work, member.busy, member.detail) for member in found.members] == [
        ("10.0.0.5", "In Service", True, True, "1.0 of 4.0 GiB, 4 blocks"),
        ("10.0.0.6", "Decommission In Progress", False, True, "0.0 of 10.0 GiB, 2 blocks, 2 to copy"),
        ("10.0.0.7", "dead", False, False, "0.0 of 0.0 GiB, 0 blocks"),
    ]
    facts: dict[str, Any] = {"capacity GiB": 14.0, "used GiB": 1.0, "free GiB": 13.0}
    facts |= {"DataNodes live": 2, "DataNodes dead": 1, "DataNodes leaving": 1, "DataNodes full": 0}
    assert found.facts == facts | {"files": 14, "blocks": 12, "under-replicated blocks": 0, "missing blocks": 0, "safe mode": "off"}


def test_where_nothing_answers_nothing_is_known() -> None:
    assert view(_hdfs_pages.state("http://127.0.0.1:9")) == {"answers": False, "members": [], "work": [], "facts": {}}


def test_a_datanode_with_blocks_is_not_idle() -> None:
    assert opinion(NameNode(node("10.0.0.5", blocks=4))) == Opinion(at_work=True)
    assert opinion(NameNode(node("10.0.0.5"))) == Opinion(at_work=True, idle=True)


def test_a_namenode_in_safe_mode_proves_nothing() -> None:
    namenode = NameNode()
    namenode.safe_mode = "Safe mode is ON."
    assert opinion(namenode) == Opinion()


def test_a_dead_datanode_is_lost_and_its_volume_goes_to_a_new_node() -> None:
    namenode = NameNode()
    namenode.dead = {"10.0.0.5:9866": {"xferaddr": "10.0.0.5:9866", "adminState": "In Service"}}
    found = opinion(namenode, data(runs=False))
    assert found.lost
    assert not found.faults
    assert disposable(["hdfs_datanode"], ["hdfs"])
    assert not disposable(["hdfs_datanode"], [])


@pytest.mark.parametrize("state", ["Decommission In Progress", "Decommissioned"])
def test_a_node_whose_draining_was_interrupted_is_put_back_by_a_visit(state: str) -> None:
    found = opinion(NameNode(node("10.0.0.5", state, blocks=4)))
    assert (found.repair, found.lost, found.idle) == (True, False, False)
    assert found.faults == (("decommissioned", f"the NameNode moves its blocks away ({state})"),)


def test_a_datanode_that_the_namenode_does_not_know_is_visited() -> None:
    found = opinion(NameNode())
    assert (found.repair, found.lost) == (True, False)
    assert found.faults == (("not at the NameNode", "its DataNode runs, but the NameNode reports it unknown"),)


def head_opinion(namenode: NameNode) -> Opinion:
    unit = {"name": "hdfs-namenode", "state": "active", "fault": ""}
    head = Seen("c-h-0", "10.0.0.4", ("hdfs_namenode",), {"reachable": True, "units": [unit]}, ("hdfs",))
    return judge([head], seen_by(namenode))["c-h-0"]


def test_a_namenode_that_runs_and_is_not_ready_is_a_fault() -> None:
    namenode = NameNode()
    namenode.safe_mode = "Safe mode is ON."
    assert head_opinion(namenode).faults == (("no answer", "its NameNode runs but is not ready at : Safe mode is ON."),)


def test_missing_blocks_are_a_fault_that_no_visit_mends() -> None:
    namenode = NameNode(node("10.0.0.5", blocks=4))
    assert head_opinion(namenode) == Opinion(at_work=True)
    namenode.values["MissingBlocks"] = 12
    said = "12 block(s) have no copy on any live DataNode: 'hdfs fsck / -list-corruptfileblocks' names their files"
    assert head_opinion(namenode) == Opinion(at_work=True, faults=(("blocks missing", said),))
    namenode.safe_mode = "Safe mode is ON."  # DataNodes have yet to report theirs
    assert [word for word, _sentence in head_opinion(namenode).faults] == ["no answer"]


def test_an_hdfs_in_which_no_datanode_has_room_for_a_block_is_a_fault() -> None:
    full = node("10.0.0.5", used=9, free=0.12)
    said = "no DataNode has room for another block of 128 MiB: add DataNodes, enlarge their volumes, or remove files"
    assert head_opinion(NameNode(full)).faults == (("HDFS full", said),)
    one_of_two = NameNode(full, node("10.0.0.6", used=9, free=0.13))
    assert head_opinion(one_of_two).faults == ()
    assert seen_by(one_of_two).facts["DataNodes full"] == 1
    assert head_opinion(NameNode()).faults == ()  # one without DataNodes lacks more than room


def test_every_role_keeps_its_data_on_a_volume() -> None:
    assert {role.volume for role in HDFS.roles.values()} == {"hdfs"}
