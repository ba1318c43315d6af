# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HDFS on this machine: write and read by Hadoop's own client against the bare volume, and a DataNode that leaves.

    python benchmarks/storage.py [--mib 512] [--leaving 1024]

Prints figures and asserts nothing. Needs root, and a machine prepared by `./quickstart.sh --host`.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.tests.support.hdfs import healthy, page, put, speeds
from ansible_collections.sky.clusters.tests.support.site import Site

ZONE = "bench"
PART = 64  # MiB of one file


def content(datanodes: int) -> dict[str, Any]:
    flavors = {"bench": {"cores": 1, "memory": 1536}}
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": ZONE,
        "clouds": {"here": {"provider": "lxc", "zone": ZONE, "packages": ["openjdk-17-jre-headless"], "flavors": flavors, "flavor": "bench"}},
        "pools": {
            "head": {"cloud": "here", "count": 1, "roles": ["hdfs_namenode"], "volumes": {"hdfs": 1}},
            "data": {"cloud": "here", "count": datanodes, "roles": ["hdfs_datanode"], "volumes": {"hdfs": 4}},
        },
    }


def show(what: str, value: str) -> None:
    sys.stdout.write(f"{what:<64} {value}\n")
    sys.stdout.flush()


def leaving(site: Site, mib: int) -> float:
    """Seconds in which one of four DataNodes with so much data hands it over."""
    site.content["pools"]["data"]["count"] = 4
    site.must("cluster", seconds=1200)
    for number in range(mib // PART):
        put(site, f"/user/sky/leaving{number}", os.urandom(PART << 20), copies=2)
    healthy(page(site), 600)
    site.content["pools"]["data"]["count"] = 3
    found = re.search(r"handed over its blocks \(\d+\) in (\d+) s", site.must("cluster", seconds=1800).output)
    return float(found[1]) if found else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=512)
    parser.add_argument("--leaving", type=int, default=1024)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sky-bench-") as folder:
        site = Site(Path(folder), ZONE, content(1))
        try:
            site.must("cluster", seconds=1200)
            found = speeds(site, wanted.mib)
            show(f"{wanted.mib} MiB to the bare volume", f"{found.bare:6.0f} MiB/s")
            show(f"{wanted.mib} MiB to HDFS in one copy", f"{found.written:6.0f} MiB/s, {found.written / found.bare:.2f} of the bare volume")
            show(f"{wanted.mib} MiB from HDFS, from the memory of its node", f"{found.read:6.0f} MiB/s")
            if wanted.leaving:
                show(f"1 of 4 DataNodes leaves, {wanted.leaving} MiB in 2 copies on all", f"{leaving(site, wanted.leaving):6.0f} s")
        finally:
            site.must("destroy", *site.with_data)


if __name__ == "__main__":
    main()
