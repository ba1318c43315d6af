# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's user: a name and an id that are free, or belong together."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.modules.node_check import conflict, known_groups, known_users

SYSTEM = [("root", 0), ("sky", 1500), ("daemon", 1)]


@pytest.mark.parametrize(
    ("name", "number", "found"),
    [
        ("sky", 1500, ""),
        ("sky", 1501, "user 'sky' with id 1500"),
        ("other", 1500, "user 'sky' with id 1500"),
        ("daemon", 1500, "user 'sky' with id 1500"),
        ("root", 1600, "user 'root' with id 0"),
        ("other", 1600, ""),
    ],
)
def test_a_name_and_an_id_belong_together(name: str, number: int, found: str) -> None:
    known = [item for item in SYSTEM if name == item[0] or number == item[1]]
    assert conflict(name, number, known, []) == found
    assert conflict(name, number, [], known) == found.replace("user", "group")


def test_users_and_groups_are_found_by_name_and_by_id() -> None:
    assert ("root", 0) in known_users("root", 59999)
    assert known_users("no-such-user", 0) == [("root", 0)]
    assert ("root", 0) in known_groups("root", 59999)
    assert known_groups("no-such-group", 59999) == []
