# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clouds that the contract's suite is run on. A new provider adds its bench here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support.bench import Bench, LxcBench, MemoryBench


@pytest.fixture(params=["memory", pytest.param("lxc", marks=pytest.mark.real)])
def cloud_factory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Opens clouds of one provider for any cluster; what the test leaves behind is taken away."""
    bench = MemoryBench(tmp_path / "world") if request.param == "memory" else LxcBench()
    bench.clear()
    yield bench
    bench.clear()
