# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs at once on bare nodes: none fails with anything but the sentence that says who is at work. Check 5 of docs/reliability.md."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.sky.clusters.tests.support.site import Site
from ansible_collections.sky.clusters.tests.support.two_runs import trials

pytestmark = pytest.mark.real

ZONE = "ttwo"
SEED, TRIALS = 10, 27  # 3 more on a Spark cluster are in the part spark


def test_two_runs_on_bare_nodes(site: Site, figure: Callable[[str], None]) -> None:
    figure(f"5  two runs on bare nodes, {trials(site, 'box', TRIALS, 6, SEED)}")
