# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of the OpenStack APIs: one method a verb, every answer checked, every list followed to its end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .._contract import Invalid, Unavailable
from ._entry import login
from ._errors import Missing, check, translated
from ._opening import opened
from ._options import OpenStackOptions

Found = Mapping[str, Any]  # an object as the cloud returns it
COMPUTE, NETWORK, VOLUME, IMAGE, SHARE = "compute", "network", "block-storage", "image", "shared-file-system"
# The least that carries what is needed: tags in the creating call (2.52), the flavor and the fault in the list (2.47).
# 3.42 extends volumes that are in use; with 2.45 access rules of shares have metadata.
MICROVERSIONS = {COMPUTE: "2.52", VOLUME: "3.42", SHARE: "2.45"}
PIECE = 2**20  # bytes of a file that are read at a time
UPLOAD_SECONDS = 1800.0  # that the answer to a file may take


class Api:
    """One project of one cloud."""

    def __init__(self, options: OpenStackOptions) -> None:
        self._options = options
        self._opening = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._first_login: tuple[datetime, float] | None = None  # by the cloud's clock, by ours
        self._login = ""  # who logs in, and where, once that is known
        self.calls: Counter[str] = Counter()  # by service and verb, for benchmarks and tests

    @cached_property
    def _region(self) -> Any:
        region = opened(self._options)
        self._login = login(region.config.get("auth") or {})
        return region

    def _translated(self, call: str) -> contextlib.AbstractContextManager[None]:
        return translated(call, lambda: self._login)

    def _client(self, service: str) -> Any:
        """The client of a service, created once, by the first thread that needs it."""
        with self._opening:
            if service not in self._clients:
                self._clients[service] = self._opened(service)
            return self._clients[service]

    def _opened(self, service: str) -> Any:
        from keystoneauth1.adapter import Adapter

        region = self._region
        session, override = self._session(), region.get_endpoint(service)
        where = self._place_of(service)
        if service == NETWORK:  # whose catalog entry has no version, and whose list of versions is not open to everybody
            override = _versioned(override or session.get_endpoint(**where) or "")
            return Adapter(session, endpoint_override=override or None, **where)
        return Adapter(session, endpoint_override=override, max_version="latest", **where)

    def _place_of(self, service: str) -> dict[str, Any]:
        """What a service is looked up by in the catalogue."""
        region = self._region
        return {
            "service_type": region.get_service_type(service),
            "interface": region.get_interface(service),
            "region_name": region.get_region_name(service),
            "service_name": region.get_service_name(service),
        }

    def offers(self, service: str) -> bool:
        """Whether the cloud has a service: not every cloud has every one. Asks the catalogue only, which came with the login."""
        with self._translated(f"looking for the service {service}"), self._opening:
            from keystoneauth1.exceptions import EndpointNotFound

            session = self._session()
            if self._region.get_endpoint(service):
                return True
            with contextlib.suppress(EndpointNotFound):
                return session.auth.get_endpoint_data(session, discover_versions=False, **self._place_of(service)) is not None
            return False

    def access(self) -> Any:
        """Who is logged in, and to which project."""
        with self._translated("logging in"), self._opening:
            session = self._session()
            return session.auth.get_access(session)

    def place(self) -> str:
        """The project and the region, whatever the entry of clouds.yaml is called and however it logs in."""
        access = self.access()
        with self._translated("looking for the region"), self._opening:
            session, region = self._session(), self._region
            where = {"service_type": region.get_service_type(COMPUTE), "interface": region.get_interface(COMPUTE)}
            data = session.auth.get_endpoint_data(session, region_name=region.get_region_name(COMPUTE), discover_versions=False, **where)
        name = getattr(data, "region_name", None) or region.get_region_name(COMPUTE) or "(unnamed)"
        return f"project {access.project_id}, region {name}"

    def _session(self) -> Any:
        """The SDK's session, logged in."""
        session = self._region.get_session()
        if not hasattr(session.auth, "get_access"):
            raise Invalid("the auth_type of the cloud's entry in clouds.yaml must be one that logs in to keystone")
        kept = session.auth.auth_ref  # cached by the SDK from an earlier run: its time says nothing about now
        access = session.auth.get_access(session)
        if self._first_login is None and access is not kept:
            self._first_login = (access.issued, time.monotonic())
        return session

    def now(self) -> datetime:
        """The cloud's own time: that of the first login plus the time since."""
        if self._first_login is None:
            self.access()
        if self._first_login is None:
            with self._translated("logging in"), self._opening:
                session = self._session()
                self._first_login = (session.auth.get_auth_ref(session).issued, time.monotonic())
        issued, then = self._first_login
        return issued + timedelta(seconds=time.monotonic() - then)

    def get(self, service: str, path: str, **query: Any) -> Any:
        return self._call("GET", service, path, params=query)

    def one(self, service: str, path: str, key: str) -> Found:
        """The object that an answer holds under a key; for images the answer itself, which has no key.

        Raises:
            Unavailable: an answer without it: nothing may be concluded from it.
        """
        return _thing(self.get(service, path), key, f"{service} GET {path}")

    def post(self, service: str, path: str, body: Any, **more: Any) -> Any:
        return self._call("POST", service, path, json=body, **more)

    def made(self, service: str, path: str, body: Any, key: str) -> Found:
        """The object that a call created, under its key like the above.

        Raises:
            Unavailable: an answer without it; it may have been created all the same.
        """
        call = f"{service} POST {path}"
        made = _thing(self.post(service, path, body), key, call)
        if not made.get("id"):
            raise Unavailable(f"{call}: the answer does not say what was created")
        return made

    def put(self, service: str, path: str, body: Any, **more: Any) -> Any:
        return self._call("PUT", service, path, json=body, **more)

    def upload(self, service: str, path: str, content: Iterable[bytes]) -> None:
        """Send a file; its length is that of `content`. What the cloud does with it afterwards may take long."""
        kind = {"Content-Type": "application/octet-stream"}
        self._answer("PUT", service, path, data=content, headers=kind, timeout=UPLOAD_SECONDS)

    def download(self, service: str, path: str, take: Callable[[bytes], object]) -> None:
        """Read a file, piece by piece.

        Raises:
            Unavailable: it ended too early.
        """
        call = f"{service} GET {path}"
        answer = self._answer("GET", service, path, stream=True, timeout=UPLOAD_SECONDS)
        with self._translated(call), contextlib.closing(answer):
            try:
                for piece in answer.iter_content(PIECE):
                    take(piece)
            except OSError as error:  # as the library underneath says it of a connection that broke
                raise Unavailable(f"{call}: the answer is not whole ({error})") from error

    def delete(self, service: str, path: str, **more: Any) -> None:
        """Delete something; deleting a missing object succeeds."""
        try:
            self._call("DELETE", service, path, **more)
        except Missing:
            return

    def all(self, service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page.

        Args:
            path: of the list.
            key: of the items in an answer.

        Raises:
            Unavailable: an answer that is no such list: nothing may be concluded from it.
        """
        while True:
            page = self.get(service, path, **query)
            if not isinstance(page, Mapping) or not isinstance(page.get(key), list):
                raise Unavailable(f"{service} GET {path}: the answer is not a list of {key}")
            yield from page[key]
            following = [link["href"] for link in page.get(f"{key}_links") or [] if link.get("rel") == "next"]
            following += [page["next"]] if page.get("next") else []  # Glance
            if not following:
                return
            query |= _query(following[0])

    def _call(self, verb: str, service: str, path: str, **more: Any) -> Any:
        return _json(self._answer(verb, service, path, **more), f"{service} {verb} {path}")

    def _answer(self, verb: str, service: str, path: str, **more: Any) -> Any:
        call = f"{service} {verb} {path}"
        self.calls[f"{service} {verb}"] += 1
        with self._translated(call):
            ask = partial(self._client(service).request, path, verb, microversion=MICROVERSIONS.get(service), raise_exc=False, connect_retries=0)
            answer = ask(**more)
            if answer.status_code == 401 and "data" not in more:  # of two calls that get this at once, the SDK logs in again for one only
                answer = ask(**more)
        check(answer, call, self._login)
        return answer


def _versioned(endpoint: str) -> str:
    bare = endpoint.rstrip("/")
    return bare if not bare or bare.endswith("/v2.0") else f"{bare}/v2.0"


def _thing(answer: Any, key: str, call: str) -> Found:
    found = answer.get(key) if key and isinstance(answer, Mapping) else answer
    if not isinstance(found, Mapping) or not found:
        raise Unavailable(f"{call}: the answer has no {key or 'content'}")
    return found


def _json(answer: Any, call: str) -> Any:
    if not answer.content:
        return {}
    try:
        return answer.json()
    except ValueError:
        raise Unavailable(f"{call}: the answer is not JSON") from None


def _query(link: str) -> dict[str, Any]:
    """The query of a link to a further page."""
    found: dict[str, Any] = {}
    for key, value in parse_qsl(urlsplit(link).query, keep_blank_values=True):
        found[key] = [*found[key], value] if isinstance(found.get(key), list) else [found[key], value] if key in found else value
    return found
