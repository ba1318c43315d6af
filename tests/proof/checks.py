# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the part `static`, two at a time: the last line of each, and the whole output of those that fail.

Run as ``python3 -m tests.proof.checks [NAME...]``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .parts import CHECKS

AT_ONCE = 2


@dataclass(frozen=True)
class Checked:
    """How a check ended."""

    name: str
    passed: bool
    seconds: float
    output: str

    def __str__(self) -> str:
        lines = self.output.rstrip().splitlines()
        shown = [line[:120] for line in lines[-1:]] if self.passed else [f"{self.name}: {line}" for line in lines]
        return "\n".join([*shown, f"{self.name:<12} {self.seconds:6.0f} s   {'ok' if self.passed else 'FAILED'}"])


def check(name: str) -> Checked:
    began = time.monotonic()
    done = subprocess.run(CHECKS[name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return Checked(name, done.returncode == 0, time.monotonic() - began, done.stdout)


def main(names: Sequence[str]) -> int:
    wanted = [name for name in CHECKS if name in names] if names else list(CHECKS)
    passed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for checked in pool.map(check, wanted):
            print(checked, flush=True)
            passed += checked.passed
    print(f"checks passed: {passed} of {len(wanted)}")
    return 0 if passed == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
