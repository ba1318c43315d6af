# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test site with real machines, started for these tests and taken away after them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support.stratuslab_site import lal

__all__ = ["lal"]

HERE = Path(__file__).parent
# Of files that are given out one by one to whoever is free, the longest come first: begun last, one would go on alone for minutes.
LONGEST = ("test_spark", "test_batch_and_hdfs", "test_two_clouds")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(LONGEST)) if item.path.parent == HERE else 0)
