# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A counter. ``counter.py server ADDRESS PORT`` hands out units of work; ``counter.py member URL ADDRESS`` does them."""

from __future__ import annotations

import http.server
import json
import sys
import time
import urllib.request

ALIVE = 5  # s since a member was heard of last
SECONDS = 0.2  # that a unit of work takes


class Server(http.server.ThreadingHTTPServer):
    """Its state is in memory: a counter forgets what it counted when it ends."""

    def __init__(self, address: str, port: int) -> None:
        super().__init__((address, port), Handler)
        self.heard: dict[str, float] = {}
        self.busy: dict[str, int] = {}
        self.draining: set[str] = set()
        self.done: dict[str, int] = {}
        self.waiting = 0

    def unit(self, member: str) -> int:
        """One unit, if there is any for this member."""
        self.heard[member] = time.monotonic()
        if member in self.draining or not self.waiting:
            return 0
        self.waiting -= 1
        self.busy[member] = 1
        return 1

    def finished(self, member: str) -> int:
        self.busy[member] = 0
        self.done[member] = self.done.get(member, 0) + 1
        return self.done[member]

    def drained(self, member: str) -> bool:
        self.draining.add(member)
        return not self.busy.get(member)

    def left(self, member: str) -> bool:
        self.draining.discard(member)
        return self.heard.pop(member, None) is not None

    def shown(self) -> dict[str, object]:
        members = [
            {"address": name, "state": "alive" if time.monotonic() - heard < ALIVE else "lost", "busy": bool(self.busy.get(name))}
            for name, heard in self.heard.items()
        ]
        work = [{"id": "units", "name": "units", "user": "counter", "state": "waiting", "size": str(self.waiting), "since": ""}]
        return {
            "members": [member | {"at_work": member["state"] == "alive"} for member in members],
            "work": work if self.waiting else [],
            "facts": {"counted": sum(self.done.values()), "by": json.dumps(self.done, sort_keys=True)},
        }


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.answer(self.server.shown())

    def do_POST(self) -> None:
        what, _slash, member = self.path.strip("/").partition("/")
        if what == "work":
            self.server.waiting += int(member)
            self.answer(self.server.waiting)
        else:
            self.answer(
                {"unit": self.server.unit, "finished": self.server.finished, "drained": self.server.drained, "left": self.server.left}[what](member)
            )

    def answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The journal has better things to keep."""


def post(url: str) -> object:
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=5) as answer:
        return json.load(answer)


def work(url: str, address: str) -> None:
    while True:
        try:
            if post(f"{url}/unit/{address}"):
                time.sleep(SECONDS)
                post(f"{url}/finished/{address}")
                continue
        except OSError:
            pass  # the server starts again, or later
        time.sleep(SECONDS)


if __name__ == "__main__":
    if sys.argv[1] == "server":
        Server(sys.argv[2], int(sys.argv[3])).serve_forever()
    work(sys.argv[2], sys.argv[3])
