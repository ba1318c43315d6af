# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forget the workers that an earlier master knew and that no longer exist: forget-workers.py FOLDER PORT.

Runs before the master starts. A restarted master notifies every worker that it remembers. A new worker at the address of an old one mistakes the
notification for its own registration: it never registers, and gets no work. So each remembered worker is compared with the page at its address.
"""

import http.client
import json
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PREFIX = "worker_"  # of a file; the id of the worker follows: worker-<time>-<address>-<port>
SECONDS = 10  # limit for a worker to serve its page


def exists(worker: str, port: str) -> bool:
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
        existing = dict(zip(known, pool.map(lambda worker: exists(worker, port), known), strict=True))
    for worker in sorted(worker for worker, stays in existing.items() if not stays):
        known[worker].unlink()
        sys.stdout.write(f"forgot {worker}, which no longer exists\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
