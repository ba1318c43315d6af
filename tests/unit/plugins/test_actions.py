# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every action does with its arguments."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import listed


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ('["10", "a, b"]', ["10", "a, b"]),
        (" [1]\n", [1]),
        ("a,b", "a,b"),
        ("[not JSON", "[not JSON"),
        (["a, b"], ["a, b"]),
        ("", ""),
    ],
)
def test_a_list_may_be_json_text(value: Any, read: Any) -> None:
    assert listed(value) == read
