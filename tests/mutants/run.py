# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that can fail: each named defect, put into a copy of the tree, must make the tests fail that are named with it.

    python tests/mutants/run.py [NAME...]

A defect is a file NAME.patch: a sentence that says what is broken, a line `Tests: FILE::TEST` for each test, and a diff. To add one, or to remake one
that does not apply any more: make the defect in a clean tree, write the lines, and

    git diff -U1 >> tests/mutants/NAME.patch && git checkout -- FILE
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.sky.clusters.tests.support.tree import copy_tree

HERE = Path(__file__).resolve().parent
AT_ONCE = 2
SECONDS = 120  # for one defect; a test that hangs has not failed
TESTS_FAILED = 1  # pytest's exit code; others say that nothing was tested


@dataclass(frozen=True)
class Mutant:
    """A named defect."""

    name: str
    file: Path
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of it."""

    name: str
    word: str
    seconds: float
    output: str = ""


def read(file: Path) -> Mutant:
    """A defect and its tests."""
    head = file.read_text(encoding="utf-8").partition("\n--- ")[0]
    tests = [word for line in head.splitlines() if line.startswith("Tests: ") for word in line.split()[1:]]
    if not tests or not all("::" in test for test in tests):
        raise SystemExit(f"{file.name}: needs a line 'Tests: FILE::TEST ...' before the diff")
    return Mutant(file.stem, file, tuple(tests))


def tested(folder: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Exit code and output of these tests on the copy in `folder`."""
    copy = folder / "ansible_collections/sky/clusters"
    environment = os.environ | {"PYTHONPATH": str(folder), "ANSIBLE_COLLECTIONS_PATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "tests/mutants/inside.py", "-q", "-x", "--no-header", "--tb=line", *tests]
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return -1, f"not through after {SECONDS} s"
    return done.returncode, done.stdout


def judged(mutant: Mutant) -> Outcome:
    """Whether the tests catch the defect."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sky-mutant-") as folder:
        copy = copy_tree(Path(folder) / "ansible_collections/sky/clusters")
        applied = subprocess.run(["git", "apply", "-p1", str(mutant.file)], cwd=copy, capture_output=True, text=True, check=False)
        if applied.returncode != 0:
            return Outcome(mutant.name, "STALE", time.monotonic() - began, f"the patch does not apply: {applied.stderr}")
        code, output = tested(Path(folder), mutant.tests)
    word = "caught" if code == TESTS_FAILED else "MISSED" if code == 0 else "BROKEN"
    return Outcome(mutant.name, word, time.monotonic() - began, output)


def sound(mutants: list[Mutant]) -> Outcome:
    """Whether all these tests pass without any defect."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sky-mutant-") as folder:
        copy_tree(Path(folder) / "ansible_collections/sky/clusters")
        code, output = tested(Path(folder), tuple(dict.fromkeys(test for mutant in mutants for test in mutant.tests)))
    return Outcome("(none)", "sound" if code == 0 else "BROKEN", time.monotonic() - began, output)


def main(names: list[str]) -> int:
    files = [HERE / f"{name}.patch" for name in names] or sorted(HERE.glob("*.patch"))
    mutants = [read(file) for file in files]
    caught = 0
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        whole = pool.submit(sound, mutants)
        for outcome in pool.map(judged, mutants):
            caught += outcome.word == "caught"
            show(outcome)
    show(whole.result())
    print(f"figure: mutants caught {caught} of {len(mutants)}")
    return 0 if caught == len(mutants) and whole.result().word == "sound" else 1


def show(outcome: Outcome) -> None:
    print(f"{outcome.word:<7} {outcome.name:<40} {outcome.seconds:5.1f} s", flush=True)
    if outcome.word not in ("caught", "sound"):
        print("\n".join(f"    {line}" for line in outcome.output.splitlines()[-25:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
