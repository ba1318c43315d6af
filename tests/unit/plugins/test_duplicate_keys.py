# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Duplicate keys in a cluster file."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._duplicate_keys import duplicate_keys


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pools:\n  worker: {count: 4}\n  worker: {count: 1}\n", ["pools: 'worker' is a duplicate key (lines 2 and 3)"]),
        ("a: {b: 1, b: 2}\na: 3\n", ["a: 'b' is a duplicate key (line 1)", "'a' is a duplicate key (lines 1 and 2)"]),
        ("l: [{x: !vault 1, 'x': 2}]\n", ["l[0]: 'x' is a duplicate key (line 1)"]),
        ("x: &x {a: 1, a: 2}\ny: *x\nz: {<<: *x, <<: *x, a: 3}\n", ["x: 'a' is a duplicate key (line 1)"]),
        ("1: a\n'1': b\n", []),
        ("a: [\n", []),
        ("", []),
    ],
)
def test_each_duplicate_is_reported_with_its_place(text: str, found: list[str]) -> None:
    assert duplicate_keys(text) == found
