# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster of each file of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.sky.clusters.tests.integration.storage.store import store
from ansible_collections.sky.clusters.tests.support.site import Site


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """In the zone that the file names."""
    with store(tmp_path_factory.mktemp("store"), request.module.ZONE) as made:
        yield made
