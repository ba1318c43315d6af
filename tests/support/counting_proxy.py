# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program asks of a cloud, counted from outside: by a proxy that it is told of in ``http_proxy``, whatever the program is.

Only for APIs without TLS, as those of the test cloud are.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from ansible_collections.sky.clusters.tests.clouds.openstack.furniture import PORTS

SERVICES = {port: name for name, port in PORTS.items()}
IDENTIFIER = re.compile(r"/[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?=/|$)")
NAMED = re.compile(r"^(/(?:servers|flavors|images|networks|os-keypairs))/(?!detail$)[^/]+")  # clients try names where identifiers belong
VERSION = re.compile(r"^/v\d(\.\d+)?(/[0-9a-f]{32})?")


def kind(verb: str, url: str) -> str:
    """Service, verb and path of a call, with no identifier in it, so that like calls are counted together."""
    parts = urlsplit(url)
    path = NAMED.sub(r"\1/*", IDENTIFIER.sub("/*", VERSION.sub("", parts.path)))
    return f"{SERVICES.get(parts.port or 80, parts.netloc)} {verb} {path or '/'}"


class CountingProxy:
    """Hands calls on and counts them."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.port = 0
        self._under_way: set[asyncio.Task[None]] = set()  # held here, or they could be collected while they wait

    @property
    def environment(self) -> dict[str, str]:
        """For the program that is counted."""
        url = f"http://127.0.0.1:{self.port}"
        return {"http_proxy": url, "HTTP_PROXY": url, "no_proxy": "", "NO_PROXY": ""}

    async def serve(self, ready: threading.Event) -> None:
        """Hand calls on until :meth:`stop`."""
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._end.wait()
        server.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.create_task(self._call(reader, writer))
        self._under_way.add(call)
        call.add_done_callback(self._under_way.discard)

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One call: a connection carries no second one, since the cloud's servers keep none open either."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            verb, url, version = head.split("\r\n", 1)[0].split(" ")
            self.calls[kind(verb, url)] += 1
            parts = urlsplit(url)
            lines = [line for line in head.split("\r\n")[1:-2] if not line.lower().startswith(("connection:", "proxy-connection:"))]
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            onward, away = await asyncio.open_connection(parts.hostname, parts.port or 80)
            away.write("\r\n".join([f"{verb} {path} {version}", *lines, "Connection: close", "", ""]).encode("latin-1"))
            body = asyncio.create_task(_pump(reader, away))
            await _pump(onward, writer)
            body.cancel()
            away.close()
        writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await source.read(65536):
            sink.write(block)
            await sink.drain()


@contextlib.contextmanager
def counting() -> Iterator[CountingProxy]:
    """A proxy that is there until the block ends."""
    proxy, ready = CountingProxy(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(proxy.serve(ready)))
    thread.start()
    ready.wait()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
