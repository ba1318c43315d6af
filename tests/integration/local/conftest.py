# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of clusters on this machine end on a machine that has nothing more than it had."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support.bare import bare
from ansible_collections.sky.clusters.tests.support.site import Site, machine_state

HERE = Path(__file__).parent


# Of files that are given out one by one to whoever is free, the longest come first: begun last, one would go on alone for minutes.
LONGEST = ("test_two_runs", "test_survival", "test_nodes", "test_ownership", "test_settings")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(LONGEST)) if item.path.parent == HERE else 0)


@pytest.fixture(scope="module")
def zone(request: pytest.FixtureRequest) -> str:
    """The zone that a test file has for its own."""
    return str(request.module.ZONE)


@pytest.fixture
def clean(zone: str) -> Iterator[None]:
    """What stood on the machine before stands after, and nothing else."""
    before = machine_state(zone)
    yield
    assert machine_state(zone) == before


@pytest.fixture(scope="module")
def lasting(zone: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cluster of bare nodes, not made yet, that the tests of a file share: each begins by making it what it wants."""
    before = machine_state(zone)
    made = Site(tmp_path_factory.mktemp(zone), "ta", bare(zone, "ta", 2))
    yield made
    made.must("destroy", *made.with_data)
    assert machine_state(zone) == before


@pytest.fixture
def site(clean: None, zone: str, tmp_path: Path) -> Iterator[Site]:  # noqa: ARG001  # a mark asks for no fixture of a fixture
    """Two bare nodes, not made yet."""
    made = Site(tmp_path, "ta", bare(zone, "ta", 2))
    yield made
    made.must("destroy", *made.with_data)
