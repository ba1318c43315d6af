# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the corpus on the server of a batch system, as a user: all jobs side by side. Reads cases and writes results as JSON.

It is copied there, and uses only the standard library.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def filled(text: str, values: dict[str, str]) -> str:
    """A text with the names of this cluster in their places."""
    soon = time.strftime("%H%M.%S", time.localtime(time.time() + 10))
    return re.sub(r"\$(NODE0|NODE1|SERVER|USER|SOON)\b", lambda found: (values | {"SOON": soon})[found[1]], text)


def submit(case: dict[str, Any], root: Path, values: dict[str, str]) -> dict[str, Any]:
    """Submit a case in a folder of its own."""
    folder = root / case["name"]
    folder.mkdir(parents=True)
    subprocess.run(["bash", "-c", case["prepare"]], cwd=folder, check=True)
    script = filled(case["script"], values) if case["name"] in ("group",) else case["script"]
    (folder / case["file"]).write_bytes(script.encode())
    arguments = [filled(word, values) for word in case["arguments"]]
    from_input = case["standard_input"] or arguments[-1:] == ["-"]
    command = ["qsub", *arguments] if from_input else ["qsub", *arguments, case["file"], *case["after"]]
    environment = {**os.environ, **case["environment"]}
    given = script if from_input else None
    done = subprocess.run(command, cwd=folder, env=environment, input=given, capture_output=True, text=True, check=False, timeout=120)
    return {"code": done.returncode, "said": done.stderr.strip(), "job": done.stdout.strip()}


def ended(number: str) -> bool:
    """Whether no index of a job waits or runs."""
    shown = subprocess.run(["squeue", "-h", "-t", "all", "-j", number, "-o", "%T"], capture_output=True, text=True, check=False).stdout.split()
    return all(state in ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "OUT_OF_MEMORY", "NODE_FAIL") for state in shown)


def result(case: dict[str, Any], submitted: dict[str, Any], root: Path, end: float) -> dict[str, Any]:
    """What came out of a job."""
    number = re.split(r"[.\[]", submitted["job"])[0]
    if not number:
        return submitted
    while not ended(number):
        if time.monotonic() > end:
            return submitted | {"late": True}
        time.sleep(1)
    shown = subprocess.run(["qstat", "-f", number], capture_output=True, text=True, check=False).stdout
    status = re.search(r"exit_status = (-?\d+)", shown)
    folder = root / case["name"]
    name = re.search(r"Job_Name = (.*)", shown)
    found = submitted | {"status": int(status[1]) if status else None, "number": number}
    for stream, letter in (("out", "o"), ("err", "e")):
        where = case[f"{stream}_file"] or f"{name[1] if name else ''}.{letter}$JOB"
        path = Path(os.path.expanduser(where.replace("$JOB", number)))
        path = path if path.is_absolute() else folder / path
        found[stream] = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    if case["check"]:
        checked = subprocess.run(
            ["bash", "-c", case["check"]], cwd=folder, env={**os.environ, "JOB": number}, capture_output=True, text=True, check=False
        )
        found |= {"checked": checked.returncode, "check_said": checked.stdout + checked.stderr}
    return found


def main() -> None:
    given = json.load(sys.stdin)
    root = Path(given["root"])
    values = given["values"]
    cases = given["cases"]
    with ThreadPoolExecutor(3) as pool:
        submitted = list(pool.map(lambda case: submit(case, root, values), cases))
    end = time.monotonic() + given["seconds"]
    results = {case["name"]: result(case, each, root, end) for case, each in zip(cases, submitted, strict=True)}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
