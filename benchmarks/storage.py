# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HDFS on this machine: write and read by Hadoop's own client against the bare volume, and a DataNode that leaves.

    python benchmarks/storage.py [--mib 512] [--leaving 1024]

`--leaving` is how many MiB of blocks the DataNode holds that leaves, one of four; with 10240, 40 GiB are written in all.

Prints figures and asserts nothing. Needs root, and a machine prepared by `./quickstart.sh --host`.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.benchmarks.figures import show
from ansible_collections.sky.clusters.tests.support.hdfs import address, eventually, healthy, page, put, speeds
from ansible_collections.sky.clusters.tests.support.site import Site

ZONE = "bench"
PART = 64  # MiB of one file
MANY, FEW, COPIES = 4, 3, 2  # DataNodes before and after one has left


def content(datanodes: int, leaving: int) -> dict[str, Any]:
    """A cluster file, with volumes that hold the blocks of all on few DataNodes, and a tenth of free space."""
    volume = 2 + leaving * MANY * 11 // (FEW * 10 * 1024)
    flavors = {"bench": {"cores": 1, "memory": 1536}}
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": ZONE,
        "clouds": {"here": {"provider": "lxc", "zone": ZONE, "packages": ["openjdk-17-jre-headless"], "flavors": flavors, "flavor": "bench"}},
        "pools": {
            "head": {"cloud": "here", "count": 1, "roles": ["hdfs_namenode"], "volumes": {"hdfs": 1}},
            "data": {"cloud": "here", "count": datanodes, "roles": ["hdfs_datanode"], "volumes": {"hdfs": volume}},
        },
    }


def leaving(site: Site, mib: int) -> tuple[float, float]:
    """One of four DataNodes hands over so many MiB: how many GiB it held, and the seconds that it took."""
    site.content["pools"]["data"]["count"] = MANY
    site.must("cluster", seconds=1200)
    for number in range(mib * MANY // (COPIES * PART)):
        put(site, f"/user/sky/leaving{number}", os.urandom(PART << 20), copies=COPIES)
    healthy(page(site), 600)
    last = f"{ZONE}-data-{FEW}"
    held = eventually("it has reported", page(site), lambda seen: seen.of(address(site, last))).of(address(site, last))
    site.content["pools"]["data"]["count"] = FEW
    found = re.search(r"handed over its blocks \(\d+\) in (\d+) s", site.must("cluster", seconds=3600).output)
    healthy(page(site))
    return (held.used / 2**30 if held else 0.0), (float(found[1]) if found else 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=512)
    parser.add_argument("--leaving", type=int, default=1024)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sky-bench-") as folder:
        site = Site(Path(folder), ZONE, content(1, wanted.leaving))
        try:
            site.must("cluster", seconds=1200)
            found = speeds(site, wanted.mib)
            show(f"{wanted.mib} MiB to the bare volume", f"{found.bare:6.0f} MiB/s")
            show(f"{wanted.mib} MiB to HDFS in one copy", f"{found.written:6.0f} MiB/s, {found.written / found.bare:.2f} of the bare volume")
            show(f"{wanted.mib} MiB from HDFS, from the memory of its node", f"{found.read:6.0f} MiB/s")
            if wanted.leaving:
                held, took = leaving(site, wanted.leaving)
                show(f"1 of {MANY} DataNodes leaves, with {held:.2f} GiB", f"{took:6.0f} s")
        finally:
            site.must("destroy", *site.with_data)


if __name__ == "__main__":
    main()
