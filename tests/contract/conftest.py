# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clouds that the contract's suite is run on. A new provider adds its bench here."""

from __future__ import annotations

import atexit
import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ansible_collections.sky.clusters.tests.support.bench import Bench, LxcBench, MemoryBench, OpenStackBench

if TYPE_CHECKING:
    from ansible_collections.sky.clusters.tests.support.openstack_site import OpenStackSite


@pytest.fixture(
    params=[
        "memory",
        "stratuslab",
        pytest.param("lxc", marks=pytest.mark.real),
        pytest.param("openstack", marks=(pytest.mark.real, pytest.mark.openstack, pytest.mark.xdist_group("biology"))),
    ]
)
def cloud_factory(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Opens clouds of one provider for any cluster; what the test leaves behind is taken away."""
    bench = _bench(request.param, tmp_path, monkeypatch)
    bench.clear()
    yield bench
    bench.clear()


def _bench(provider: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    if provider == "memory":
        return MemoryBench(folder / "world")
    if provider == "stratuslab":
        return _stratuslab()
    if provider == "lxc":
        return LxcBench()
    for name, value in _campus().environment("dave").items():
        monkeypatch.setenv(name, value)
    return OpenStackBench()


@functools.cache
def _stratuslab() -> Bench:
    """One site for all tests of the process; it ends with it."""
    from ansible_collections.sky.clusters.tests.support.stratuslab_bench import StratusLabBench

    folder = tempfile.TemporaryDirectory(prefix="sky-stratuslab-")
    bench = StratusLabBench(Path(folder.name))
    atexit.register(folder.cleanup)
    atexit.register(bench.close)
    return bench


@functools.cache
def _campus() -> OpenStackSite:
    """The test cloud, started if it does not run; asked for by those tests only that need it."""
    from ansible_collections.sky.clusters.tests.support import openstack_site

    return openstack_site.running()
