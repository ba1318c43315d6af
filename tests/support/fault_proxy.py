# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The APIs of the test cloud, each on a port of this machine, where any call can be made to go wrong; what they are asked is noted.

Who is to meet the faults is given a clouds.yaml that leads here; the operator and the tests' own looks go to the cloud itself. The name that a client
called is handed on, so that the cloud's links (its versions, further pages) lead here too.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from ansible_collections.sky.clusters.tests.support.counting_proxy import IDENTIFIER, VERSION
from ansible_collections.sky.clusters.tests.support.openstack_site import USERS, OpenStackSite

SERVICES = {"compute": "", "network": "/v2.0", "block-storage": "", "image": "/v2"}  # with what is missing in their entries of the catalog
IDENTITY = "identity"
PATIENCE = 300.0  # s that the cloud may take for an answer
OURS = ("connection", "content-length", "date", "server", "transfer-encoding")  # headers that say nothing of what was answered


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Call:
    """One call, and how it ended."""

    service: str
    verb: str
    target: str  # path and query
    began: float  # by time.monotonic()
    forwarded: int = 0  # status that the cloud answered with; 0 where it was not asked
    told: int = 0  # status that the client was told; 0 where it was told none
    ended: float = 0.0

    @property
    def kind(self) -> str:
        """Service, verb and path without identifiers: the same for like calls."""
        return f"{self.service} {self.verb} {IDENTIFIER.sub('/*', VERSION.sub('', urlsplit(self.target).path)) or '/'}"


class Exchange:
    """A call that an action decides about."""

    def __init__(self, call: Call, handler: _Handler, body: bytes) -> None:
        self.call = call
        self._handler = handler
        self._body = body

    def forward(self) -> Reply:
        """Have the cloud do it."""
        onward = http.client.HTTPConnection(*self._handler.cloud, timeout=PATIENCE)
        with contextlib.closing(onward):
            headers = {key: value for key, value in self._handler.headers.items() if key.lower() != "connection"}
            onward.request(self.call.verb, self.call.target, self._body or None, headers)
            answer = onward.getresponse()
            content = answer.read()
        self.call.forwarded = answer.status
        return Reply(answer.status, {key: value for key, value in answer.getheaders() if key.lower() not in OURS}, content)

    def reply(self, reply: Reply, cut: bool = False) -> None:
        """Tell the client; if `cut`, the connection ends in the middle of it."""
        self.call.told = reply.status
        self._handler.send_response_only(reply.status)
        for key, value in {**reply.headers, "Content-Length": str(len(reply.body)), "Connection": "close"}.items():
            self._handler.send_header(key, value)
        self._handler.end_headers()
        self._handler.wfile.write(reply.body[: len(reply.body) // 2] if cut else reply.body)

    def reset(self) -> None:
        """Tell the client nothing: the connection breaks."""
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def hang(self) -> None:
        """Tell the client nothing, for as long as it waits."""
        with contextlib.suppress(OSError):
            self._handler.connection.settimeout(PATIENCE)
            self._handler.connection.recv(1)  # its end of the connection is closed


Action = Callable[[Exchange], None]


def honest(exchange: Exchange) -> None:
    exchange.reply(exchange.forward())


def reset(exchange: Exchange) -> None:
    exchange.reset()


def refused(status: int, **headers: str) -> Action:
    """Answered so in the cloud's stead, which does not hear of it; a header's underscores stand for hyphens."""
    named = {key.replace("_", "-"): value for key, value in headers.items()} | {"Content-Type": "application/json"}
    body = json.dumps({"error": {"code": status, "message": f"the test says {status}"}}).encode()
    return lambda exchange: exchange.reply(Reply(status, named, body))


def lost(exchange: Exchange) -> None:
    """Done, and the connection breaks before the answer."""
    exchange.forward()
    exchange.reset()


def lost_behind_504(exchange: Exchange) -> None:
    """Done, and a balancer between cloud and client does not wait for it."""
    exchange.forward()
    exchange.reply(
        Reply(504, {"Content-Type": "text/html"}, b"<html><body><h1>504 Gateway Time-out</h1>The server did not respond in time.</body></html>")
    )


def lost_in_silence(exchange: Exchange) -> None:
    """Done, and never answered."""
    exchange.forward()
    exchange.hang()


def cut(exchange: Exchange) -> None:
    """The connection breaks in the middle of the answer."""
    exchange.reply(exchange.forward(), cut=True)


def edited(change: Callable[[Any], Any]) -> Action:
    """The answer says something else than the cloud said."""

    def act(exchange: Exchange) -> None:
        reply = exchange.forward()
        exchange.reply(Reply(reply.status, reply.headers, json.dumps(change(json.loads(reply.body))).encode()))

    return act


def first(work: Callable[[], object], then: Action = honest) -> Action:
    """Something happens in the cloud just before a call comes there."""

    def act(exchange: Exchange) -> None:
        work()
        then(exchange)

    return act


def afterwards(work: Callable[[], object]) -> Action:
    """Something happens when a call was done and its answer was not told yet."""

    def act(exchange: Exchange) -> None:
        reply = exchange.forward()
        work()
        exchange.reply(reply)

    return act


class Behind:
    """A list that lags: it lacks what is new, and shows for as long what is gone."""

    def __init__(self, key: str, seconds: float) -> None:
        """
        Args:
            key: under which the things stand in an answer.
            seconds: between a change in the cloud, as the first look tells it, and the list.
        """
        self._key = key
        self._seconds = seconds
        self._known: dict[str, dict[str, _Listed]] = {}  # target, identifier
        self._lock = threading.Lock()

    def __call__(self, exchange: Exchange) -> None:
        reply = exchange.forward()
        if reply.status == HTTPStatus.OK:
            page = json.loads(reply.body)
            page[self._key] = self._late(exchange.call.target, page[self._key])
            reply = Reply(reply.status, reply.headers, json.dumps(page).encode())
        exchange.reply(reply)

    def _late(self, target: str, things: list[dict[str, Any]]) -> list[dict[str, Any]]:
        now = time.monotonic()
        with self._lock:
            known = self._known.setdefault(target, {thing["id"]: _Listed(thing, since=-inf) for thing in things})
            for thing in things:
                known.setdefault(thing["id"], _Listed(thing, since=now)).thing = thing
            for identifier in known.keys() - {thing["id"] for thing in things}:
                known[identifier].until = min(known[identifier].until, now)
            return [item.thing for item in known.values() if item.since + self._seconds <= now < item.until + self._seconds]


@dataclass
class _Listed:
    """A thing of a list that lags."""

    thing: dict[str, Any]
    since: float
    until: float = inf


@dataclass
class Rule:
    """Which calls go wrong, and how."""

    act: Action
    service: str = ""  # any, if empty
    verb: str = ""  # regular expression for all of it; any, if empty
    path: str = ""  # regular expression, searched for in path and query
    nth: int = 1  # of the calls like these: the first that goes wrong
    every: int = 1  # from there on each so many-th
    times: int = 1  # how many do; 0: all
    seen: int = 0  # calls like these so far
    done: int = 0

    def hits(self, call: Call) -> bool:
        if self.service not in ("", call.service) or not re.fullmatch(self.verb or ".*", call.verb) or not re.search(self.path, call.target):
            return False
        self.seen += 1
        hit = self.seen >= self.nth and (self.seen - self.nth) % self.every == 0 and (not self.times or self.done < self.times)
        self.done += hit
        return hit


class FaultProxy:
    """All APIs of one cloud."""

    def __init__(self, site: OpenStackSite) -> None:
        self.calls: list[Call] = []
        self.rules: list[Rule] = []
        self._lock = threading.Lock()
        self._site = site
        self._entries: dict[str, dict[str, Any]] = yaml.safe_load(site.config.read_text(encoding="utf-8"))["clouds"]
        self.ports: dict[str, int] = {}
        self._servers: list[ThreadingHTTPServer] = []

    def start(self) -> None:
        for service, url in self._addresses().items():
            self._serve(service, url)

    def _addresses(self) -> dict[str, str]:
        """Where the services really are; who asks for a path with a project's identifier in it puts in their own."""
        admin = self._site.admin()
        own = str(admin.current_project_id)
        found = {IDENTITY: str(self._entries["admin"]["auth"]["auth_url"])}
        for service, version in SERVICES.items():
            found[service] = str(admin.config.get_endpoint_from_catalog(service)).replace(own, "%(project_id)s") + version
        return found

    def _serve(self, service: str, url: str) -> None:
        parts = urlsplit(url)
        kind = type("Handler", (_Handler,), {"proxy": self, "service": service, "cloud": (parts.hostname, parts.port)})
        server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
        server.daemon_threads = True
        self._servers.append(server)
        self.ports[service] = server.server_port
        here = f"http://127.0.0.1:{server.server_port}{parts.path}"
        for entry in self._entries.values():
            if service == IDENTITY:
                entry["auth"]["auth_url"] = here
            else:
                entry[f"{service.replace('-', '_')}_endpoint_override"] = here
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def write(self, file: Path, **more: Mapping[str, Any]) -> None:
        """A clouds.yaml that leads here, with an entry for each user of the cloud.

        Args:
            more: further entries, by name: what differs from the first user's.
        """
        entries = {user: self._entries[user] for user in USERS}
        first_user = next(iter(entries.values()))
        entries |= {
            name: {**first_user, **entry, "auth": {"auth_url": first_user["auth"]["auth_url"], **entry["auth"]}} for name, entry in more.items()
        }
        file.write_text(yaml.safe_dump({"clouds": entries}), encoding="utf-8")

    def rule(self, act: Action, service: str = "", verb: str = "", path: str = "", **more: int) -> Rule:
        """From now on; of several rules that fit a call the first one acts."""
        made = Rule(act, service, verb, path, **more)
        with self._lock:
            self.rules.append(made)
        return made

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self.rules.clear()

    def since(self, place: int) -> Sequence[Call]:
        """The calls after the first so many."""
        with self._lock:
            return list(self.calls[place:])

    def settle(self) -> None:
        """Wait until the cloud has answered all that it was asked, also by programs that are dead by now."""
        while any(not call.ended for call in self.since(0)):
            time.sleep(0.05)

    def kinds(self, place: int = 0) -> Counter[str]:
        """How often each kind of call was made since then."""
        return Counter(call.kind for call in self.since(place))

    def noted(self, call: Call) -> Action:
        with self._lock:
            self.calls.append(call)
            return next((rule.act for rule in self.rules if rule.hits(call)), honest)


class _Handler(BaseHTTPRequestHandler):
    """HTTP for the proxy."""

    wbufsize = -1  # an answer in one piece: its body does not wait until its head was acknowledged
    disable_nagle_algorithm = True
    proxy: FaultProxy
    service: str
    cloud: tuple[str, int]  # where it really is

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = Call(self.service, self.command, self.path, time.monotonic())
        self.close_connection = True
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client is gone
                self.proxy.noted(call)(Exchange(call, self, body))
        finally:
            call.ended = time.monotonic()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _handle  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is to be told: what was asked is noted."""


@contextlib.contextmanager
def running(site: OpenStackSite) -> Iterator[FaultProxy]:
    """A proxy that is there until the block ends."""
    proxy = FaultProxy(site)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
