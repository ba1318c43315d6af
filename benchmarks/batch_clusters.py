# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batch clusters on this machine: how long a run takes, and how many jobs they get through.

    python benchmarks/batch_clusters.py [--nodes 2 8] [--jobs 500]

Prints figures; judges nothing. Needs root, and a machine prepared by `./quickstart.sh --host`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.sky.clusters.tests.support.batch import Cluster, batch
from ansible_collections.sky.clusters.tests.support.site import Played, Site

ZONE = "bbatch"


def timed(site: Site) -> tuple[float, Played]:
    began = time.monotonic()
    played = site.must("torque_cluster", seconds=1800)
    return time.monotonic() - began, played


def show(what: str, value: str) -> None:
    sys.stdout.write(f"{what:<64} {value}\n")
    sys.stdout.flush()


def runs(folder: Path, nodes: int, jobs: int) -> None:
    """From nothing to a finished MPI job, a second run, short jobs, one node more."""
    site = Site(folder, ZONE, batch(ZONE, nodes))
    label = f"{nodes} nodes:"
    try:
        site.must("destroy", *site.with_data)
        seconds, played = timed(site)
        show(f"{label} from nothing to a finished MPI job", f"{seconds:6.1f} s")
        show(f"{label} host-tasks of a node at its first deployment", f"{played.tasks[f'{ZONE}-node-0']:6d}")
        seconds, played = timed(site)
        show(f"{label} second run", f"{seconds:6.1f} s, {sum(played.changed.values())} changed")
        show(f"{label} {jobs} short jobs", f"{throughput(Cluster(site), jobs):6.1f} s")
        site.content["pools"]["node"]["count"] = nodes + 1
        seconds, played = timed(site)
        show(f"{label} one node more, proof included", f"{seconds:6.1f} s, {sum(played.tasks.values())} host-tasks")
    finally:
        site.must("destroy", *site.with_data)


def throughput(cluster: Cluster, jobs: int) -> float:
    """Seconds from the first submission to the end of the last job."""
    began = time.monotonic()
    cluster.at(cluster.server, f"for i in $(seq {jobs}); do echo true | qsub -N short -j oe -o /dev/null > /dev/null; done", seconds=1800)
    cluster.at(cluster.server, "while [ $(squeue -h -n short | wc -l) != 0 ]; do sleep 0.2; done", seconds=1800)
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--jobs", type=int, default=500)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sky-bench-") as folder:
        for nodes in wanted.nodes:
            runs(Path(folder), nodes, wanted.jobs)


if __name__ == "__main__":
    main()
