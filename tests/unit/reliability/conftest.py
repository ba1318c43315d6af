# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The situations that runs start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support.situations import Stage


@pytest.fixture(scope="module")
def stage(fast_folder: Path) -> Stage:
    return Stage(fast_folder)
