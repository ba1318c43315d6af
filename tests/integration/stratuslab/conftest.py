# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test site with real machines, started for these tests and taken away after them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.clouds.stratuslab import main as site_of
from ansible_collections.sky.clusters.tests.support.tree import ROOT

FOLDER = ROOT / "tests/clouds/stratuslab"


@pytest.fixture(scope="session")
def lal() -> Iterator[dict[str, Any]]:
    """What is noted of the site that runs."""
    ran = bool(site_of.noted())
    subprocess.run([str(FOLDER / "up")], check=True, timeout=400, stdout=subprocess.DEVNULL)
    yield site_of.noted()
    if not ran:
        subprocess.run([str(FOLDER / "down")], check=True, timeout=120)
        assert not site_of.STATE.exists()


def entry(lal: dict[str, Any], user: str, **options: Any) -> dict[str, Any]:
    """The site in the cluster file of one of its users."""
    known = {
        "provider": "stratuslab",
        "user_file": str(site_of.STATE / f"{user}.cfg"),
        "ca_file": lal["ca_file"],
        "image": lal["images"]["stratus-12"],
    }
    return known | options
