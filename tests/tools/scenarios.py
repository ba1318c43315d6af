# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All scenarios of extensions/molecule, two at a time, each a molecule of its own: one with workers creates no nodes.

Run as ``python tests/tools/scenarios.py [NAME...]`` in the root of the repository. The whole output of each is shown when it has ended.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

SCENARIOS = Path("extensions/molecule")
AT_ONCE = 2
SLOWEST = ("stores", "spark", "yarn", "batch", "hdfs")  # first: begun last, one would go on alone for minutes


@dataclass(frozen=True)
class Tested:
    """How a scenario ended."""

    name: str
    code: int
    seconds: float
    output: str

    def __str__(self) -> str:
        ended = f"FAILED with {self.code}" if self.code else "ok"
        return f"{self.output.rstrip()}\n=== scenario {self.name}: {ended} after {self.seconds:.0f} s"


def scenarios() -> list[str]:
    """Their names, in the order in which they begin."""
    found = sorted(file.parent.name for file in SCENARIOS.glob("*/molecule.yml"))
    return sorted(found, key=lambda name: SLOWEST.index(name) if name in SLOWEST else len(SLOWEST))


def run(name: str) -> Tested:
    began = time.monotonic()
    command = ["molecule", "test", "--scenario-name", name, "--no-command-borders"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return Tested(name, done.returncode, time.monotonic() - began, done.stdout)


def main(wanted: Sequence[str]) -> int:
    unknown = sorted(set(wanted) - set(scenarios()))
    if unknown:
        print(f"scenarios.py: no scenario {', '.join(unknown)} in {SCENARIOS}", file=sys.stderr)
        return 2
    failed = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for future in as_completed(pool.submit(run, name) for name in scenarios() if name in wanted or not wanted):
            print(future.result(), flush=True)
            failed += [future.result().name] if future.result().code else []
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
