# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A little OpenStack on a port of this machine: real HTTP, a login, and collections of plain objects; any answer of it can be made to go wrong.

It says what the records beside it say, and otherwise no more than the provider asks for: what a cloud really does is shown on a real one.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

RECORDS = Path(__file__).parent / "records"
PASSWORD, TOKEN = "the-password-9f2c", "gAAAAA-the-token-4b1d"
PROJECT = "effd5825608349beb3d436645ad7c9a5"
# Where each service is, and what it calls one of its items. Neutron's entry has no version, as on most clouds.
ENDPOINTS = {"compute": "/compute/v2.1", "network": "/network", "block-storage": f"/volume/v3/{PROJECT}", "image": "/image"}
BASES = {
    "/compute/v2.1": "compute",
    "/network/v2.0": "network",
    f"/volume/v3/{PROJECT}": "block-storage",
    "/image/v2": "image",
    f"/share/v2/{PROJECT}": "shared-file-system",
}
# What many clouds have besides: Manila, whose first version has an entry of its own.
SHARES = {"share": f"/share/v1/{PROJECT}", "sharev2": f"/share/v2/{PROJECT}"}
SINGULAR = {"floatingips": "floatingip", "os-server-groups": "server_group", "os-keypairs": "keypair"}
LISTED = {"os-server-groups": "server_groups", "os-keypairs": "keypairs", "types": "volume_types", "security-groups": "security_groups"}


def record(name: str) -> Any:
    """What a real cloud said, shortened to the keys that matter."""
    return json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Request:
    """What was asked."""

    verb: str
    service: str
    path: str  # within the service
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What is answered."""

    body: Any = None  # text and bytes as they are, anything else as JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False  # the connection ends in the middle of the body
    reset: bool = False  # and there is no answer at all

    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


def recorded(name: str) -> Answer:
    """A refusal of a real cloud."""
    found = record("errors")[name]
    return Answer(found["text"], found["status"], found["headers"])


Reaction = Callable[[Request], Answer | None]  # None: as if it was not there


class LittleCloud:
    """The state of the cloud."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []
        self.logins: list[Any] = []  # bodies of the requests
        self.endpoints = dict(ENDPOINTS)
        self.issued = "2031-05-06T07:08:09.000000Z"  # what its clock says at every login: nobody else's
        self.login: Answer | None = None  # in the place of a token
        self.stored: dict[tuple[str, str], list[dict[str, Any]]] = {}  # by service and collection
        self.reactions: dict[tuple[str, str, str], list[Reaction]] = {}  # by verb, service and path
        self.first: list[Reaction] = []  # to any request
        self.lock = threading.RLock()

    def holds(self, service: str, collection: str, *items: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Put things into a collection, which there is from now on."""
        held = self.stored.setdefault((service, collection), [])
        held.extend(dict(item) for item in items)
        return held

    def answers(self, verb: str, service: str, path: str, *answers: Answer | None) -> None:
        """Give these answers, one after the other, to a request from now on; after the last one, or for None, it is as if nothing was said."""
        left = list(answers)
        self.reacts(verb, service, path, lambda _request: left.pop(0) if left else None)

    def reacts(self, verb: str, service: str, path: str, reaction: Reaction) -> None:
        self.reactions.setdefault((verb, service, path), []).append(reaction)

    def asked(self, verb: str, service: str, path: str = "") -> list[Request]:
        """Requests so far; of all paths if none is given."""
        return [found for found in self.requests if (found.verb, found.service) == (verb, service) and path in ("", found.path)]

    def answer(self, verb: str, target: str, headers: Mapping[str, str], body: Any) -> Answer:
        split = urlsplit(target)
        if split.path.startswith("/v3"):
            return self._identity(verb, body)
        for base, service in BASES.items():
            if split.path.startswith(f"{base}/"):
                query = dict(parse_qsl(split.query, keep_blank_values=True))
                return self._service(Request(verb, service, split.path.removeprefix(base), query, headers, body))
        return self._versions(split.path.rstrip("/"))

    def _versions(self, path: str) -> Answer:
        known = {"/compute/v2.1": ("v2.1", "2.93"), "/volume/v3": ("v3.0", "3.70"), "/image": ("v2.9", ""), "/share/v2": ("v2.0", "2.82")}
        if path not in known:
            return Answer("<html><head><title>404 Not Found</title></head></html>", 404)
        number, most = known[path]
        here = f"{self.url}{path}{'/v2/' if path == '/image' else '/'}"
        version = {"id": number, "status": "CURRENT", "version": most, "min_version": "2.1", "links": [{"rel": "self", "href": here}]}
        return Answer({"versions": [version]} if path != "/compute/v2.1" else {"version": version})

    def _identity(self, verb: str, body: Any) -> Answer:
        if verb != "POST":
            return Answer({"version": {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": f"{self.url}/v3/"}]}})
        with self.lock:
            self.logins.append(body)
        if self.login is not None:
            return self.login
        if body["auth"]["identity"]["password"]["user"]["password"] != PASSWORD:
            return Answer({"error": {"code": 401, "message": "The request you have made requires authentication.", "title": "Unauthorized"}}, 401)
        where = [(kind, f"{self.url}{path}") for kind, path in self.endpoints.items()]
        catalog = [{"type": kind, "name": kind, "endpoints": [_endpoint(kind, url)]} for kind, url in where]
        domain = {"id": "default", "name": "Default"}
        token = {
            "methods": ["password"],
            "user": {"id": "59a607ec", "name": "skyg", "domain": domain},
            "project": {"id": PROJECT, "name": "skyg", "domain": domain},
            "roles": [{"id": "1", "name": "member"}],
            "issued_at": self.issued,
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "catalog": catalog,
        }
        return Answer({"token": token}, 201, {"X-Subject-Token": f"{TOKEN}-{len(self.logins)}"})

    def _service(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            for reaction in [*self.first, *self.reactions.get((request.verb, request.service, request.path), [])]:
                answer = reaction(request)
                if answer is not None:
                    return answer
            return self.carry_out(request)

    def carry_out(self, request: Request) -> Answer:
        """What is done where nothing goes wrong."""
        _empty, collection, *rest = request.path.split("/")
        held = self.stored.get((request.service, collection))
        if held is None:
            return Answer({"itemNotFound": {"code": 404, "message": f"the little cloud has no {request.path}"}}, 404)
        identifier = rest[0] if rest and rest[0] != "detail" else ""
        singular = SINGULAR.get(collection, collection.rstrip("s").replace("-", "_"))
        if not identifier:
            return self._made(held, singular, request) if request.verb == "POST" else _list(held, collection, request)
        found = next((item for item in held if item["id"] == identifier), None)
        if found is None:
            return Answer({"itemNotFound": {"code": 404, "message": f"{collection} {identifier} could not be found."}}, 404)
        return _one(held, found, singular, request, rest[1:])

    def _made(self, held: list[dict[str, Any]], singular: str, request: Request) -> Answer:
        item = {"id": str(uuid.uuid4()), "status": "available"} | request.body[singular]
        held.append(item)
        return Answer({singular: item}, 201)


def _endpoint(kind: str, url: str) -> dict[str, str]:
    return {"id": kind, "interface": "public", "region": "RegionOne", "region_id": "RegionOne", "url": url}


def _list(held: list[dict[str, Any]], collection: str, request: Request) -> Answer:
    """Filtered as the services filter: a server's name is a regular expression, its tags are tags, other words are the thing itself."""
    found = held
    for key, value in request.query.items():
        if key == "tags":
            found = [item for item in found if value in item.get("tags", [])]
        elif key == "name" and request.service == "compute":
            found = [item for item in found if re.search(value, item["name"])]
        elif key == "metadata":
            found = [item for item in found if json.loads(value).items() <= item["metadata"].items()]
        elif key == "id" and value.startswith("in:"):
            found = [item for item in found if item["id"] in value.removeprefix("in:").split(",")]
        elif key != "fields":
            found = [item for item in found if str(item.get(key)) == value]
    return Answer({LISTED.get(collection, collection): found})


def _one(held: list[dict[str, Any]], found: dict[str, Any], singular: str, request: Request, rest: list[str]) -> Answer:
    if request.verb == "DELETE":
        held.remove(found)
        return Answer(None, 204)
    if request.verb == "PUT":
        found |= request.body[singular]
    if request.verb == "POST" and rest == ["metadata"]:
        found["metadata"] = found.get("metadata", {}) | request.body["metadata"]
        return Answer({"metadata": found["metadata"]})
    if request.verb == "POST":
        return Answer(None, 202)
    return Answer({singular: found})


class _Handler(BaseHTTPRequestHandler):
    """HTTP for the cloud."""

    wbufsize = -1  # an answer in one piece: its body does not wait until its head was acknowledged
    disable_nagle_algorithm = True
    cloud: LittleCloud

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        answer = self.cloud.answer(self.command, self.path, dict(self.headers), body)
        if answer.reset:  # without a word, as a proxy that is restarted
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        content = answer.content()
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json"} | dict(answer.headers) | {"Content-Length": str(len(content))}
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if answer.cut else content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is to be told."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def shutdown_request(self, request: Any) -> None:
        """Without the polite half of the end where the connection is to be reset."""
        linger = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        if struct.unpack("ii", linger)[0]:
            request.close()
        else:
            super().shutdown_request(request)


@contextmanager
def running() -> Iterator[LittleCloud]:
    """A little cloud for as long as it is needed."""
    handler = type("Handler", (_Handler,), {})
    with _Server(("127.0.0.1", 0), handler) as server:
        cloud = handler.cloud = LittleCloud(f"http://127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield cloud
        finally:
            server.shutdown()
            thread.join()


def clouds_yaml(cloud: LittleCloud, **auth: str) -> dict[str, Any]:
    """What a user has in clouds.yaml."""
    known = {"auth_url": f"{cloud.url}/v3", "username": "skyg", "password": PASSWORD, "project_name": "skyg"}
    domains = {"user_domain_id": "default", "project_domain_id": "default"}
    return {"clouds": {"little": {"auth": known | domains | auth, "region_name": "RegionOne", "identity_api_version": "3"}}}
