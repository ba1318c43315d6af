# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The StratusLab test site with real machines, for the tests of several folders."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from typing import Any, TextIO

import pytest

from ansible_collections.sky.clusters.tests.clouds.stratuslab import main as site_of
from ansible_collections.sky.clusters.tests.support.tree import ROOT

FOLDER = ROOT / "tests/clouds/stratuslab"


@pytest.fixture(scope="session")
def lal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What is noted of the site that runs. Processes that test side by side share it; the last one takes it away, unless it ran before."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    # both files stay, so that a process that comes later locks the same ones
    with (shared / "site").open("a+") as held, (shared / "start").open("a") as starting:
        fcntl.flock(held, fcntl.LOCK_SH)
        fcntl.flock(starting, fcntl.LOCK_EX)  # another lock: with one for both, who comes second would wait until the first no longer uses the site
        if not site_of.noted():
            subprocess.run([str(FOLDER / "up")], check=True, timeout=400, stdout=subprocess.DEVNULL)
            held.write("started here")
            held.flush()
        fcntl.flock(starting, fcntl.LOCK_UN)
        yield site_of.noted()
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another process uses it
        if _started_here(held):
            held.truncate(0)
            subprocess.run([str(FOLDER / "down")], check=True, timeout=120)
            assert not site_of.STATE.exists()


def _started_here(held: TextIO) -> bool:
    """Whether the site was started for these tests."""
    held.seek(0)
    return bool(held.read())


def entry(lal: dict[str, Any], user: str, **options: Any) -> dict[str, Any]:
    """The site in the cluster file of one of its users."""
    known = {
        "provider": "stratuslab",
        "user_file": str(site_of.STATE / f"{user}.cfg"),
        "ca_file": lal["ca_file"],
        "image": lal["images"]["stratus-12"],
    }
    return known | options
