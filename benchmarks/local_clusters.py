# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spark clusters on this machine: the duration of runs, and the number of host-tasks.

    python benchmarks/local_clusters.py [--forks 5 50] [--workers 2 8]

Prints figures and asserts nothing. Needs root, and a machine prepared by `./quickstart.sh --host`.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.benchmarks.figures import show, timed
from ansible_collections.sky.clusters.tests.support.site import Played, Site

LINE = re.compile(r"^  (\S+)\s+ssh answers\s+([0-9.]+) s", re.MULTILINE)


def content(cluster: str, workers: int, roles: bool) -> dict[str, Any]:
    flavors = {"bench": {"cores": 1, "memory": 1536}}
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": cluster,
        "clouds": {"here": {"provider": "lxc", "zone": "bench", "packages": ["openjdk-17-jre-headless"], "flavors": flavors, "flavor": "bench"}},
        "pools": {
            "master": {"cloud": "here", "count": 1, "roles": ["spark_master"] * roles},
            "worker": {"cloud": "here", "count": workers, "roles": ["spark_worker"] * roles},
        },
    }


def visit(site: Site, *args: str) -> tuple[float, Played]:
    """The seconds of a run, and what it said."""
    return timed(lambda: site.must("cluster", *args, seconds=1800))


def nodes_to_ssh(folder: Path, count: int) -> None:
    """Creates bare nodes, until ssh answers on the last."""
    site = Site(folder, "bare", content("bare", count - 1, roles=False))
    try:
        site.must("destroy")
        _seconds, played = visit(site)
        seconds = [float(value) for _name, value in LINE.findall(played.output)]
        show(f"{count} bare nodes, from start to ssh on the last", f"{max(seconds):6.1f} s")
    finally:
        site.must("destroy")


def spark(folder: Path, workers: int, forks: int) -> None:
    """A Spark cluster: first run, second run, one worker more."""
    site = Site(folder, "bench", content("bench", workers, roles=True), {"ANSIBLE_FORKS": str(forks)})
    label = f"{workers} workers, forks {forks}:"
    try:
        seconds, played = visit(site)
        show(f"{label} first run, proof included", f"{seconds:6.1f} s")
        show(f"{label} host-tasks of a worker at its first deployment", f"{played.tasks['bench-worker-0']:6d}")
        seconds, played = visit(site)
        show(f"{label} second run", f"{seconds:6.1f} s, {sum(played.changed.values())} changed")
        site.content["pools"]["worker"]["count"] = workers + 1
        seconds, played = visit(site)
        show(f"{label} one worker more", f"{seconds:6.1f} s, {sum(played.tasks.values())} host-tasks")
    finally:
        site.must("destroy", *site.with_data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forks", type=int, nargs="+", default=[5, 50])
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--nodes", type=int, default=8)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sky-bench-") as folder:
        nodes_to_ssh(Path(folder), wanted.nodes)
        for workers in wanted.workers:
            for forks in wanted.forks:
                spark(Path(folder), workers, forks)


if __name__ == "__main__":
    main()
