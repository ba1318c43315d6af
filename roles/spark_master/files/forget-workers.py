# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forget the workers that an earlier master knew and that no longer exist: forget-workers.py FOLDER PORT.

Runs before the master starts. A restarted master notifies every worker that it remembers. A new worker at the address of an old one mistakes the
notification for its own registration: it never registers, and gets no work. So each remembered worker is compared with the page at its address. One
that exists must stay: it would register anew, and the master have it end the executors that it does not know. PORT is that of pages whose address the
master did not note.
"""

import http.client
import json
import re
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PREFIX = "worker_"  # of a file; the id of the worker follows: worker-<time>-<address>-<port>
SECONDS = 10  # limit for a worker to serve its page
PAGE = re.compile(rb"http://(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+):[0-9]+")


def page(record: Path, port: str) -> str:
    """Where the worker of a record serves its page. A record is a Java object, whose strings are plain bytes."""
    noted = PAGE.search(record.read_bytes())
    if noted:
        return noted[0].decode()
    address = record.name.removeprefix(PREFIX).split("-", 2)[2].rpartition("-")[0]
    place = f"[{address}]" if ":" in address and not address.startswith("[") else address
    return f"http://{place}:{port}"


def exists(worker: str, url: str) -> bool:
    """Whether this very worker, and not a later one, serves its page. One that is slow to answer does."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/json/", timeout=SECONDS) as answer:
            return bool(json.load(answer).get("id") == worker)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return isinstance(getattr(error, "reason", error), TimeoutError)


def main(folder: str, port: str) -> None:
    known = {path.name.removeprefix(PREFIX): path for path in Path(folder).glob(f"{PREFIX}*")}
    with ThreadPoolExecutor(max_workers=32) as pool:
        existing = dict(zip(known, pool.map(lambda worker: exists(worker, page(known[worker], port)), known), strict=True))
    for worker in sorted(worker for worker, stays in existing.items() if not stays):
        known[worker].unlink()
        sys.stdout.write(f"forgot {worker}, which no longer exists\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
