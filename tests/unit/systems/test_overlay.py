# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network's own system says of nodes: which are lost, and which a visit repairs."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._overlay import OVERLAY
from ansible_collections.sky.clusters.plugins.module_utils._systems._system import Member, Opinion, Seen, View


def judged(*members: Member, roles: tuple[str, ...] = (), answers: bool = True) -> Opinion | None:
    node = Seen("demo-box-0", "10.99.0.2", roles, {"reachable": True})
    return OVERLAY.judge([node], View(asked=True, answers=answers, members=members)).get(node.name)


def member(state: str) -> Member:
    return Member("10.99.0.2", state, state != "silent", busy=False, detail="" if state == "whole" else "why")


@pytest.mark.parametrize(("state", "repair"), [("whole", False), ("behind", False), ("cut off", False), ("silent", True), ("faulty", True)])
def test_a_visit_repairs_what_is_wrong_on_the_node_itself(state: str, repair: bool) -> None:
    """A node without a role has no service that is looked at: nothing else would visit it."""
    found = judged(member(state))
    assert found
    assert (found.repair, found.lost, bool(found.faults)) == (repair, state == "silent", state != "whole")


def test_a_node_that_is_not_in_the_list_is_repaired() -> None:
    found = judged()
    assert found
    assert (found.repair, found.faults[0][0]) == (True, "not in the list")


def test_nothing_is_known_where_the_list_is_not_served() -> None:
    assert judged(member("silent"), answers=False) is None


def test_gateways_and_nodes_without_a_role_are_never_idle() -> None:
    ideas = [judged(member("whole"), roles=roles) for roles in ((), ("gateway",), ("spark_worker",))]
    assert [bool(found and found.idle) for found in ideas] == [False, False, True]
