# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark of the engine reads what the engine reads: a cluster file that became wrong stops it, and only a run shows that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ansible_collections.sky.clusters.tests.support.tree import ROOT


def test_the_benchmark_of_the_engine_measures_all_its_nodes(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks/thousand_nodes.py"), "--nodes", "20"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "planning with 20 nodes there" in done.stdout and "20 kept" in done.stdout, done.stdout
    assert "variables of a host" in done.stdout, done.stdout
