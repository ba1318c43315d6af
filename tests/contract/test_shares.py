# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every cloud must say of a share that it does not have, whatever the provider."""

from __future__ import annotations

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Invalid, Share
from ansible_collections.sky.clusters.tests.support.bench import Bench

ABSENT = Share("absent", "5b1c9d3e-0000-4000-8000-000000000000", "nfs", "192.0.2.1:/absent")


def test_a_share_that_is_not_there_is_named(cloud_factory: Bench) -> None:
    with pytest.raises(Invalid, match="share 'absent'"):
        cloud_factory("a").share(ABSENT.name, ABSENT.protocol)


def test_no_access_is_given_to_a_share_that_is_not_there(cloud_factory: Bench) -> None:
    with pytest.raises(Invalid):
        cloud_factory("a").share_access(ABSENT)
