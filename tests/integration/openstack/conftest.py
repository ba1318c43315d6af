# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests on the test cloud end in a project that has nothing more than it had."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.sky.clusters.tests.support import openstack_site
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
