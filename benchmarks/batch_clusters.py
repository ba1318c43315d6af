# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batch clusters on this machine: how long runs take, how many jobs they get through, and what a node's death costs.

    python benchmarks/batch_clusters.py [--nodes 2 8] [--jobs 500]

Jobs are submitted with qsub, and then with the sbatch of Slurm on the same nodes. Prints figures and asserts nothing. Needs root, and a machine
prepared by `./quickstart.sh --host`.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from ansible_collections.sky.clusters.benchmarks.figures import show, timed
from ansible_collections.sky.clusters.tests.support.bare import nodes_folder
from ansible_collections.sky.clusters.tests.support.batch import Cluster, batch
from ansible_collections.sky.clusters.tests.support.site import Played, Site

ZONE = "bbatch"
QSUB = "echo true | qsub -N short -j oe -o /dev/null"
SBATCH = "printf '#!/bin/bash\\ntrue\\n' | sbatch -J short -o /dev/null"
ENDED = "while [ $(squeue -h -n short | wc -l) != 0 ]; do sleep 0.2; done"


def visit(site: Site) -> tuple[float, Played]:
    """The seconds of a run, and what it said."""
    return timed(lambda: site.must("torque_cluster", seconds=1800))


def image(folder: Path) -> None:
    """Make the image of the nodes, which later runs find."""
    site = Site(folder, ZONE, batch(ZONE, 1))
    site.must("provision", seconds=1800)
    site.must("destroy", *site.with_data)


def runs(folder: Path, nodes: int, jobs: int) -> None:
    """From nothing to a finished MPI job, a second run, short jobs, a node more, the death of one."""
    site = Site(folder, ZONE, batch(ZONE, nodes))
    cluster = Cluster(site)
    label = f"{nodes} nodes:"
    try:
        seconds, played = visit(site)
        show(f"{label} from nothing to a finished MPI job", f"{seconds:6.1f} s")
        show(f"{label} host-tasks of a node at its first deployment", f"{played.tasks[f'{ZONE}-node-0']:6d}")
        seconds, played = visit(site)
        show(f"{label} second run", f"{seconds:6.1f} s, {sum(played.changed.values())} changed")
        throughput(cluster, label, jobs)
        site.content["pools"]["node"]["count"] = nodes + 1
        seconds, played = visit(site)
        show(f"{label} one node more, proof included", f"{seconds:6.1f} s, {sum(played.tasks.values())} host-tasks")
        show(f"{label} from a node's death until its job runs on another", f"{requeued(cluster):6.1f} s")
        seconds, played = visit(site)
        show(f"{label} the dead node brought back, proof included", f"{seconds:6.1f} s")
    finally:
        site.must("destroy", *site.with_data)


def throughput(cluster: Cluster, label: str, jobs: int) -> None:
    """Short jobs by qsub, and as many by sbatch."""
    qsub, sbatch = (passed(cluster, command, jobs) for command in (QSUB, SBATCH))
    show(f"{label} {jobs} short jobs, and to submit them", f"{qsub[1]:6.1f} s {qsub[0]:6.1f} s")
    show(f"{label} the same with sbatch", f"{sbatch[1]:6.1f} s {sbatch[0]:6.1f} s")
    show(f"{label} qsub against sbatch", f"{qsub[1] / sbatch[1]:6.2f}   {qsub[0] / sbatch[0]:6.2f}")


def passed(cluster: Cluster, command: str, jobs: int) -> tuple[float, float]:
    """Seconds until all are submitted, and until the last has ended."""
    began = time.monotonic()
    cluster.at(cluster.server, f"for i in $(seq {jobs}); do {command} > /dev/null || exit 1; done", seconds=1800)
    submitted = time.monotonic() - began
    cluster.at(cluster.server, ENDED, seconds=1800)
    return submitted, time.monotonic() - began


def requeued(cluster: Cluster) -> float:
    """Seconds from the death of a job's node until the job runs again."""
    job = cluster.qsub("sleep 600", "-j", "oe", "-o", "/dev/null")
    cluster.wait([job], "R")
    where = f"squeue -h -j {job} -t R -o %N"
    victim = cluster.at(cluster.server, where).strip()
    began = time.monotonic()
    subprocess.run(["lxc-stop", "-P", str(nodes_folder(ZONE)), "-n", victim, "-k"], check=True, capture_output=True)
    cluster.at(cluster.server, f"for _ in $(seq 600); do case $({where}) in '' | {victim}) sleep 0.2 ;; *) exit 0 ;; esac; done; squeue; exit 1")
    seconds = time.monotonic() - began
    cluster.at(cluster.server, f"qdel {job}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--jobs", type=int, default=500)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sky-bench-") as folder:
        image(Path(folder))
        for nodes in wanted.nodes:
            runs(Path(folder), nodes, wanted.jobs)


if __name__ == "__main__":
    main()
