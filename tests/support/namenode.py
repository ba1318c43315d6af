# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a NameNode, as HDFS 3.5 serves it, with what a test says: modules talk HTTP to it as they do to a real one."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

GIB = 1024**3


def node(address: str, state: str = "In Service", blocks: int = 0, used: float = 0, free: float = 10) -> dict[str, Any]:
    """A DataNode as the page has it; sizes in GiB."""
    sizes = {"usedSpace": int(used * GIB), "remaining": int(free * GIB), "capacity": int((used + free) * GIB)}
    return {"xferaddr": f"{address}:9866", "adminState": state, "numBlocks": blocks, **sizes}


class NameNode:
    """What the page says, which a test may change between two questions."""

    def __init__(self, *nodes: dict[str, Any]) -> None:
        self.live = {each["xferaddr"]: each for each in nodes}
        self.dead: dict[str, dict[str, Any]] = {}
        self.leaving: dict[str, int] = {}  # blocks to copy, by address and port
        self.safe_mode = ""
        self.values: dict[str, Any] = {"BlocksTotal": 12, "FilesTotal": 14, "UnderReplicatedBlocks": 0, "MissingBlocks": 0}
        self.page = ""

    def bean(self, name: str) -> dict[str, Any]:
        if name != "NameNodeInfo":
            sizes = (("CapacityTotal", "capacity"), ("CapacityUsed", "usedSpace"))
            capacity = {name: sum(node[key] for node in self.live.values()) for name, key in sizes}
            return self.values | capacity
        leaving = {place: {"xferaddr": place, "underReplicatedBlocks": left} for place, left in self.leaving.items()}
        nodes = {"LiveNodes": self.live, "DeadNodes": self.dead, "DecomNodes": leaving}
        return {"Safemode": self.safe_mode, "ClusterId": "demo-11111111"} | {name: json.dumps(found) for name, found in nodes.items()}


@contextmanager
def serving(namenode: NameNode) -> Iterator[NameNode]:
    """Serve its page."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)["qry"][0].rpartition("name=")[2]
            body = json.dumps({"beans": [namenode.bean(asked)]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        namenode.page = f"http://127.0.0.1:{server.server_port}"
        try:
            yield namenode
        finally:
            server.shutdown()
