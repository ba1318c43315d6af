# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes of a role stay, as a template asks for them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.plugins.loader import lookup_loader

GROUPS = {
    "master": ["a", "b"],
    "worker": ["b", "c", "d", "e"],
    "sky_leaving": ["d"],
    "sky_gone": ["e", "a"],
    "sky_former_worker": ["a", "f"],
}


@pytest.mark.parametrize(
    ("groups", "options", "members"),
    [
        (["worker"], {}, ["b", "c"]),
        (["worker"], {"leaving": True}, ["b", "c", "d", "f"]),
        (["worker"], {"leaving": True, "staying": False}, ["d", "f"]),
        (["worker", "master"], {}, ["b", "c"]),
        (["master", "worker"], {"leaving": True}, ["b", "c", "d", "f"]),
        (["nowhere"], {}, []),
    ],
)
def test_members_of_groups(groups: list[str], options: dict[str, Any], members: list[str]) -> None:
    lookup = lookup_loader.get("sky.clusters.members")
    assert lookup.run(groups, {"groups": GROUPS}, **options) == members


def test_an_inventory_of_older_make_has_no_such_groups() -> None:
    assert lookup_loader.get("sky.clusters.members").run(["worker"], {"groups": {"worker": ["c"]}}) == ["c"]
