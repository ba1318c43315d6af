# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The language server that VS Code and other editors use for YAML, spoken to as an editor does."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PACKAGE = "yaml-language-server@1.25.0"
PATIENCE = 60.0  # s until it answers


def installed(folder: Path) -> Path:
    """Install it from npm; its program."""
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return folder / "node_modules/yaml-language-server/bin/yaml-language-server"


class LanguageServer:
    """A server that knows one schema, for all files whose names end in ``.sky.yml``."""

    def __init__(self, program: Path, schema: Path) -> None:
        self.settings = {"yaml": {"schemas": {schema.as_uri(): ["*.sky.yml"]}, "validate": True, "hover": True}}
        self.process = subprocess.Popen(["node", str(program), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self._send(id=1, method="initialize", params={"processId": None, "rootUri": None, "capabilities": {"workspace": {"configuration": True}}})
        self._until(lambda message: message.get("id") == 1)
        self._send(method="initialized", params={})
        self._send(method="workspace/didChangeConfiguration", params={"settings": self.settings})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def faults(self, name: str, text: str) -> list[tuple[int, str]]:
        """What an editor underlines in a document: lines, from 1, and messages."""
        uri = f"file:///{name}"
        self._send(method="textDocument/didOpen", params={"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}})
        found = self._until(lambda message: message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri)
        return sorted((each["range"]["start"]["line"] + 1, each["message"]) for each in found["params"]["diagnostics"])

    def hover(self, name: str, line: int, column: int) -> str:
        """What an editor shows about a word of an open document."""
        place = {"textDocument": {"uri": f"file:///{name}"}, "position": {"line": line - 1, "character": column - 1}}
        self._send(id=2, method="textDocument/hover", params=place)
        contents = (self._until(lambda message: message.get("id") == 2)["result"] or {}).get("contents", "")
        return str(contents["value"] if isinstance(contents, dict) else contents)

    def _send(self, **message: Any) -> None:
        if self.process.stdin is None:
            raise AssertionError("the server has no input")
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> None:
        pipe = self.process.stdout
        while pipe is not None and (head := pipe.readline()):
            length = int(head.partition(b":")[2])
            while pipe.readline().strip():
                pass
            self.answers.put(json.loads(pipe.read(length)))

    def _until(self, wanted: Any) -> dict[str, Any]:
        """The first message that is wanted; the server's own questions are answered meanwhile."""
        while True:
            message = self.answers.get(timeout=PATIENCE)
            if message.get("method") == "workspace/configuration":
                self._send(id=message["id"], result=[self.settings.get(item.get("section", ""), {}) for item in message["params"]["items"]])
            elif message.get("method") == "client/registerCapability":
                self._send(id=message["id"], result=None)
            if "method" in message and "id" in message:
                continue
            if wanted(message):
                return message
