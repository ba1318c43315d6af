# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a NameNode, as HDFS 3.5 serves it, with what a test says, and its folders: modules talk HTTP to it as they do to a real one."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

GIB = 1024**3
WEBHDFS = "/webhdfs/v1"


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
        self.loading = False  # it has started, and does not know its files yet
        self.values: dict[str, Any] = {"BlocksTotal": 12, "FilesTotal": 14, "UnderReplicatedBlocks": 0, "MissingBlocks": 0}
        self.settings: dict[str, str] = {}
        self.page = ""
        self.folders: dict[str, tuple[str, str]] = {"/": ("hdfs", "755")}  # owner and mode by path
        self.refused = ""  # an operation that fails

    def change(self, path: str, given: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """By WebHDFS, as its superuser: the status and the answer."""
        operation = given["op"]
        if operation == self.refused:
            return 403, {"RemoteException": {"message": f"{operation} is refused"}}
        if operation == "MKDIRS":
            parents = {path[:end]: ("hdfs", "755") for end, sign in enumerate(path) if sign == "/" and end}
            self.folders = parents | {path: ("hdfs", given["permission"])} | self.folders
        elif operation == "SETOWNER":
            self.folders[path] = (given["owner"], self.folders[path][1])
        elif operation == "RENAME":
            if given["destination"] in self.folders and "renameoptions" in given:
                return 403, {"RemoteException": {"message": f"rename destination {given['destination']} already exists"}}
            self.folders[given["destination"]] = self.folders.pop(path)
        return 200, {"boolean": True}

    def status(self, path: str) -> tuple[int, dict[str, Any]]:
        if path not in self.folders:
            return 404, {"RemoteException": {"message": f"File does not exist: {path}"}}
        return 200, {"FileStatus": {"type": "DIRECTORY", "owner": self.folders[path][0], "permission": self.folders[path][1]}}

    def setting(self, name: str) -> bytes:
        """As `/conf?name=` has it."""
        own = f"<property><name>{name}</name><value>{self.settings.get(name, '')}</value><final>false</final></property>"
        return f'<?xml version="1.0" encoding="UTF-8" standalone="no"?><configuration>{own}</configuration>'.encode()

    def bean(self, name: str) -> dict[str, Any]:
        if name != "NameNodeInfo":
            if self.loading:
                return {}
            sizes = (("CapacityTotal", "capacity"), ("CapacityUsed", "usedSpace"), ("CapacityRemaining", "remaining"))
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
            path, query = self.asked()
            if path.startswith(WEBHDFS):
                self.answer(*namenode.status(path.removeprefix(WEBHDFS)))
            elif "name" in query:
                self.send(200 if query["name"] in namenode.settings else 404, namenode.setting(query["name"]))
            else:
                self.answer(200, {"beans": [namenode.bean(query["qry"].rpartition("name=")[2])]})

        def do_PUT(self) -> None:
            path, query = self.asked()
            self.answer(*namenode.change(path.removeprefix(WEBHDFS), query))

        def asked(self) -> tuple[str, dict[str, str]]:
            parts = urlsplit(self.path)
            return unquote(parts.path), {name: values[0] for name, values in parse_qs(parts.query).items()}

        def answer(self, status: int, content: dict[str, Any]) -> None:
            self.send(status, json.dumps(content).encode())

        def send(self, status: int, body: bytes) -> None:
            self.send_response(status)
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
