# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of the OpenStack APIs: one method a verb, every answer checked, every list followed to its end."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..._cloud import Invalid, Unavailable
from ._errors import Missing, check, translated
from ._options import OpenStackOptions

COMPUTE, NETWORK, VOLUME, IMAGE = "compute", "network", "block-storage", "image"
# The least that carries what is needed: tags in the creating call (2.52), the flavor and the fault in the list (2.47).
MICROVERSIONS = {COMPUTE: "2.52", VOLUME: "3.42"}  # 3.42 extends volumes that are in use
SECONDS = 60.0  # that one answer may take
UPLOAD_SECONDS = 1800.0  # that the answer to a file may take


class Api:
    """One project of one cloud."""

    def __init__(self, options: OpenStackOptions) -> None:
        self._options = options
        self._opening = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._first_login: tuple[datetime, float] | None = None  # by the cloud's clock, by ours
        self.calls: Counter[str] = Counter()  # by service and verb, for who counts them

    @cached_property
    def _region(self) -> Any:
        options = self._options
        with translated(f"opening cloud '{options.cloud or 'of OS_*'}'"), warnings.catch_warnings():
            import openstack.config  # who uses no OpenStack needs no SDK

            for name in ("keystoneauth", "openstack"):  # what they tell stands in the errors too; unheard, it would go to stderr
                logging.getLogger(name).addHandler(logging.NullHandler())
            warnings.simplefilter("ignore")  # the SDK's, of what it will drop some day: nothing that a user could mend
            try:
                region = openstack.config.get_cloud_region(
                    cloud=options.cloud or None, region_name=options.region or None, app_name="sky.clusters", api_timeout=SECONDS
                )
                region.get_session()
            except (AttributeError, TypeError, ValueError) as error:  # what the SDK makes of a file that is not of its shape
                raise Invalid(f"opening cloud '{options.cloud or 'of OS_*'}': its entry in clouds.yaml cannot be used ({error})") from None
            return region

    def _client(self, service: str) -> Any:
        """What speaks to a service, made once, by whichever thread comes first."""
        with self._opening:
            if service not in self._clients:
                self._clients[service] = self._opened(service)
            return self._clients[service]

    def _opened(self, service: str) -> Any:
        from keystoneauth1.adapter import Adapter

        region = self._region
        session, override = self._session(), region.get_endpoint(service)
        where = {"service_type": region.get_service_type(service), "interface": region.get_interface(service)}
        where |= {"region_name": region.get_region_name(service), "service_name": region.get_service_name(service)}
        if service == NETWORK:  # whose catalog entry has no version, and whose list of versions is not open to everybody
            override = _versioned(override or session.get_endpoint(**where) or "")
            return Adapter(session, endpoint_override=override or None, **where)
        return Adapter(session, endpoint_override=override, max_version="latest", **where)

    def access(self) -> Any:
        """Who is logged in, and to which project."""
        with translated("logging in"), self._opening:
            session = self._session()
            return session.auth.get_access(session)

    def _session(self) -> Any:
        """The SDK's session, logged in."""
        session = self._region.get_session()
        if not hasattr(session.auth, "get_access"):
            raise Invalid("the auth_type of the cloud's entry in clouds.yaml must be one that logs in to keystone")
        if self._first_login is None:
            self._first_login = (session.auth.get_access(session).issued, time.monotonic())
        return session

    def now(self) -> datetime:
        """The cloud's own time: that of the first token, and what passed since."""
        if self._first_login is None:
            self.access()
        issued, then = self._first_login  # type: ignore[misc]
        return issued + timedelta(seconds=time.monotonic() - then)

    def get(self, service: str, path: str, **query: Any) -> Any:
        return self._call("GET", service, path, params=query)

    def post(self, service: str, path: str, body: Any, **more: Any) -> Any:
        return self._call("POST", service, path, json=body, **more)

    def put(self, service: str, path: str, body: Any, **more: Any) -> Any:
        return self._call("PUT", service, path, json=body, **more)

    def upload(self, service: str, path: str, content: Iterable[bytes]) -> None:
        """Send a file; its length is that of `content`. What the cloud does with it afterwards may take long."""
        kind = {"Content-Type": "application/octet-stream"}
        self._answer("PUT", service, path, data=content, headers=kind, timeout=UPLOAD_SECONDS)

    def delete(self, service: str, path: str, **more: Any) -> None:
        """Delete something; what is gone already is well."""
        try:
            self._call("DELETE", service, path, **more)
        except Missing:
            return

    def all(self, service: str, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page.

        Args:
            path: of the list.
            key: under which the items stand in an answer.

        Raises:
            Unavailable: an answer that is no such list: nothing may be concluded from it.
        """
        while True:
            page = self.get(service, path, **query)
            if not isinstance(page, Mapping) or not isinstance(page.get(key), list):
                raise Unavailable(f"{service} GET {path}: the answer is no list of {key}")
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
        with translated(call):
            answer = self._client(service).request(path, verb, microversion=MICROVERSIONS.get(service), raise_exc=False, connect_retries=0, **more)
        check(answer, call)
        return answer


def _versioned(endpoint: str) -> str:
    bare = endpoint.rstrip("/")
    return bare if not bare or bare.endswith("/v2.0") else f"{bare}/v2.0"


def _json(answer: Any, call: str) -> Any:
    if not answer.content:
        return {}
    try:
        return answer.json()
    except ValueError:
        raise Unavailable(f"{call}: the answer is no JSON") from None


def _query(link: str) -> dict[str, Any]:
    """The query of a link to a further page."""
    found: dict[str, Any] = {}
    for key, value in parse_qsl(urlsplit(link).query, keep_blank_values=True):
        found[key] = [*found[key], value] if isinstance(found.get(key), list) else [found[key], value] if key in found else value
    return found
