# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forget the workers that an earlier master knew and that do not stand any more: forget-workers.py FOLDER PORT.

Runs before the master starts. A master tells every worker that it remembers that it is back. A new worker at the address of an old one takes that
for its own registration: it never asks for one, and is given no work. So what is remembered is held against the page of each worker.
"""

import http.client
import json
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PREFIX = "worker_"  # of a file; the id of the worker follows: worker-<time>-<address>-<port>
SECONDS = 10  # that a worker may take to show its page


def stands(worker: str, port: str) -> bool:
    """Whether this very worker, and not a later one, serves a page at its address."""
    address = worker.split("-", 2)[2].rpartition("-")[0]
    place = f"[{address}]" if ":" in address and not address.startswith("[") else address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{place}:{port}/json/", timeout=SECONDS) as answer:
            return bool(json.load(answer).get("id") == worker)
    except (OSError, ValueError, http.client.HTTPException):
        return False


def main(folder: str, port: str) -> None:
    known = {path.name.removeprefix(PREFIX): path for path in Path(folder).glob(f"{PREFIX}*")}
    with ThreadPoolExecutor(max_workers=32) as pool:
        standing = dict(zip(known, pool.map(lambda worker: stands(worker, port), known), strict=True))
    for worker in sorted(worker for worker, stays in standing.items() if not stays):
        known[worker].unlink()
        sys.stdout.write(f"forgot {worker}, which does not stand any more\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
