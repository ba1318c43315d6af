# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark cluster inside one local cloud, and the same over two that are isolated from each other: a worker more, and a job that shuffles.

    python benchmarks/spark_over_clouds.py [--rounds 3]

Prints figures and asserts nothing. Needs root, and a machine prepared by `./quickstart.sh --host`. The engine of the overlay is Debian's wireguard-go
where the kernel has no WireGuard; a kernel that has it is several times as fast.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.benchmarks.figures import show, timed
from ansible_collections.sky.clusters.tests.support.site import Site
from ansible_collections.sky.clusters.tests.support.spark import SHUFFLE, spark

NEAR, FAR = "bspa", "bspb"
PACKAGES = ["wireguard-tools", "wireguard-go", "nftables"]
ONE, TWO = "one cloud", "two clouds"


def content(clouds: str) -> dict[str, Any]:
    """The file of a cluster with a worker beside its master, and another one that is in the other cloud if there is one."""
    file = spark(NEAR, 1, {"public_ip": True})
    here = file["clouds"]["here"]
    here["packages"] = [*here["packages"], *PACKAGES]
    if clouds == TWO:
        file["clouds"]["there"] = here | {"zone": FAR}
    file["pools"]["other"] = file["pools"]["worker"] | {"cloud": "there" if clouds == TWO else "here"}
    return file


def visit(site: Site) -> float:
    """The seconds of a run."""
    return timed(lambda: site.must("spark_cluster", seconds=1800))[0]


def shuffled(site: Site, rounds: int) -> float:
    """Seconds of the best of some jobs that exchange 400,000 rows between two workers."""
    (site.folder / "shuffle.py").write_text(SHUFFLE, encoding="utf-8")
    said = [site.must("spark_submit", "-e", "sky_application=shuffle.py").output for _round in range(rounds)]
    return min(float(each) for text in said for each in re.findall(r"rows 400000 seconds ([0-9.]+)", text))


def measured(folder: Path, clouds: str, rounds: int) -> tuple[float, float]:
    """Seconds to add a worker, the least of some rounds, and those of the job."""
    site = Site(folder, NEAR, content(clouds))
    added = []
    try:
        show(f"{clouds}: from nothing to the proof", f"{visit(site):6.1f} s")
        took = shuffled(site, rounds)
        for _round in range(rounds):
            site.content["pools"]["other"]["count"] = 2
            added.append(visit(site))
            site.content["pools"]["other"]["count"] = 1
            visit(site)
    finally:
        site.must("destroy", *site.with_data)
    show(f"{clouds}: a shuffle of 400,000 rows between two workers", f"{took:6.1f} s")
    show(f"{clouds}: a worker more, proof included", f"{min(added):6.1f} s (of {', '.join(f'{each:.1f}' for each in added)})")
    return min(added), took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="sky-bench-") as folder:
        one, two = (measured(Path(folder), clouds, rounds) for clouds in (ONE, TWO))
    show("a worker more: two clouds against one", f"{two[0] - one[0]:+6.1f} s, {two[0] / one[0]:.2f} times")
    show("the shuffle: two clouds against one", f"{two[1] - one[1]:+6.1f} s, {two[1] / one[1]:.2f} times")


if __name__ == "__main__":
    main()
