# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests on the test cloud end in a project that has nothing more than it had."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support import campus_clusters, fault_proxy, openstack_site
from ansible_collections.sky.clusters.tests.support.fault_proxy import FaultProxy
from ansible_collections.sky.clusters.tests.support.openstack_site import OpenStackSite


@pytest.fixture(scope="session")
def campus() -> OpenStackSite:
    """The test cloud, started if it does not run."""
    return openstack_site.running()


@pytest.fixture(scope="module")
def clean(campus: OpenStackSite) -> Iterator[None]:
    """What stood in the project before stands after, and nothing else."""
    before = campus.objects("physics")
    yield
    assert campus.objects("physics") == before


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest) -> str:
    """Where the clusters of the test file are: tests of one project take turns."""
    (group,) = [mark.args[0] for mark in request.module.pytestmark if mark.name == "xdist_group"]
    return str(group)


@pytest.fixture(scope="module")
def proxy(campus: OpenStackSite, project: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    """The cloud's APIs with a place for faults, to which clouds.yaml leads; the clusters of the test file leave nothing in the cloud."""
    with fault_proxy.running(campus) as found, pytest.MonkeyPatch.context() as changed:
        for name in [name for name in os.environ if name.startswith("OS_")]:
            changed.delenv(name)
        file = tmp_path_factory.mktemp("clouds") / "clouds.yaml"
        found.write(file)
        changed.setenv("OS_CLIENT_CONFIG_FILE", str(file))
        yield found
    assert campus_clusters.left(campus, project) == []


@pytest.fixture
def wanted(proxy: FaultProxy) -> Iterator[campus_clusters.Wanted]:
    """Makes cluster files, as `campus_clusters.content` does; whatever a test does with them, they are taken away after it, and volumes with them."""
    files: list[dict[str, Any]] = []

    def make(*args: Any, **more: Any) -> dict[str, Any]:
        files.append(campus_clusters.content(*args, **more))
        return files[-1]

    yield make
    proxy.heal()
    assert [campus_clusters.said(file, "absent") for file in files] == [""] * len(files)
