# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test of the local cloud begins and ends on a machine that has nothing of its zones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.integration.lxc.local_cloud import Keys, Local, traces


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def local(keys: Keys) -> Iterator[Callable[..., Local]]:
    """Opens clusters; what a test made is taken away after it, and then nothing may be left on the machine."""
    assert traces() == [], "an earlier test, or somebody else, left this"
    opened: list[Local] = []

    def open_cluster(*words: Any, **options: Any) -> Local:
        opened.append(Local(keys, *words, **options))
        return opened[-1]

    yield open_cluster
    for cluster in opened:
        cluster.destroy()
    assert traces() == []
