# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HDFS on this machine: write and read against the bare volume, and a DataNode that leaves.

    python benchmarks/storage.py [--mib 512] [--leaving 1024]

Prints figures and asserts nothing. Needs root, and a machine prepared by `./quickstart.sh --host`.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._systems._hdfs_pages import Web
from ansible_collections.sky.clusters.tests.support.hdfs import address, head, healthy, page, put
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


def bare(site: Site, mib: int) -> tuple[float, float]:
    """MiB/s to and from the volume, without HDFS: written with fsync, read after its pages were dropped."""
    command = f"""set -e; cd /data/hdfs
    now() {{ date +%s.%N; }}
    a=$(now); dd if=/dev/urandom of=bare bs=1M count={mib} conv=fsync status=none; b=$(now)
    dd if=bare of=/dev/null bs=1M iflag=nocache count=0 status=none
    c=$(now); dd if=bare of=/dev/null bs=1M iflag=direct status=none; d=$(now); rm bare
    echo "$a $b $c $d" """
    first, second, third, fourth = map(float, site.ssh(f"{ZONE}-data-0", command).split())
    return mib / (second - first), mib / (fourth - third)


def hdfs(site: Site, mib: int) -> tuple[float, float]:
    """The same through a DataNode, in one copy, in files of a part each."""
    parts = max(1, mib // PART)
    block = os.urandom(PART << 20)
    began = time.monotonic()
    for number in range(parts):
        put(site, f"/user/sky/{number}", block, copies=1)
    written = time.monotonic() - began
    site.ssh(f"{ZONE}-data-0", "sync; echo 1 > /proc/sys/vm/drop_caches || true")
    web = Web(f"http://{address(site, f'{ZONE}-data-0')}:9864", "sky", f"{address(site, head(site))}:8020")
    began = time.monotonic()
    for number in range(parts):
        web.call(f"/user/sky/{number}", "OPEN")
    return parts * PART / written, parts * PART / (time.monotonic() - began)


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
            volume = bare(site, wanted.mib)
            stored = hdfs(site, wanted.mib)
            show(f"{wanted.mib} MiB to the bare volume, and from it", f"{volume[0]:6.0f} MiB/s {volume[1]:6.0f} MiB/s")
            show(f"{wanted.mib} MiB to HDFS in one copy, and from it", f"{stored[0]:6.0f} MiB/s {stored[1]:6.0f} MiB/s")
            show("HDFS against the bare volume", f"{stored[0] / volume[0]:6.2f}       {stored[1] / volume[1]:6.2f}")
            if wanted.leaving:
                show(f"1 of 4 DataNodes leaves, {wanted.leaving} MiB in 2 copies on all", f"{leaving(site, wanted.leaving):6.0f} s")
        finally:
            site.must("destroy", *site.with_data)


if __name__ == "__main__":
    main()
