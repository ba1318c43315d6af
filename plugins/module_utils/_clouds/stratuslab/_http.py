# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests over HTTP by the standard library: TLS verified, at most a few at a time, and the server's clock read from each answer."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from .._contract import CloudError, Invalid, Unavailable
from ._certificate import Files, files
from ._credentials import Login
from ._errors import of_status

# Calls to all services of a cloud: oned serves few connections, and the programs that it starts need some of them. It can stand one more, which is
# left to the process that keeps the lock of the run.
AT_ONCE = 3
PIECE = 1 << 20  # bytes of long contents that are in memory at once
PAUSE = (429, 503)  # with these a service may say when to come back


@dataclass(frozen=True)
class Answer:
    """What a service answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""
    asked: str = ""  # the service, and by whom, for who is refused

    def json(self, call: str) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise Unavailable(f"{call}: the answer is no JSON") from None


class Clock:
    """The server's time, from the dates of its answers, each of which is rounded down to a second."""

    def __init__(self) -> None:
        self._ahead: float | None = None  # of our monotonic clock, at least

    def seen(self, date: str) -> None:
        with contextlib.suppress(ValueError, TypeError):
            ahead = parsedate_to_datetime(date.replace("UTC", "GMT")).timestamp() - time.monotonic()
            # the largest of late ones is the nearest; one that is a minute off says that the server's clock was set
            old = self._ahead
            self._ahead = ahead if old is None or abs(ahead - old) > 60 else max(old, ahead)

    def now(self) -> float | None:
        """Seconds since 1970; none before the first answer."""
        return None if self._ahead is None else time.monotonic() + self._ahead


@dataclass(frozen=True)
class Terms:
    """How the services of one cloud are asked."""

    ca_file: str  # of authorities beside those of the system; none if empty
    timeout: float  # s
    turns: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))


class Http:
    """One service, by one login."""

    def __init__(self, base: str, login: Login | None, terms: Terms) -> None:
        self.base = base.rstrip("/")
        self.clock = Clock()
        self.calls: Counter[str] = Counter()  # for who counts them
        self._parts = urlsplit(self.base)
        self._login = login
        self.terms = terms
        self._context: ssl.SSLContext | None = None
        self._making = threading.Lock()

    def ask(
        self,
        method: str,
        path: str = "",
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        call: str = "",
        seconds: float | None = None,
    ) -> Answer:
        """One request; its answer, whatever its status.

        Raises:
            Unavailable: there was no answer, or only a part of one.
            Invalid: the service's certificate cannot be verified, or ours not be read.
        """
        with self.terms.turns, self._translated(call or f"{method} {self.base}{path}"), self._connected(seconds) as connection:
            connection.request(method, f"{self._parts.path}{path}", body, {"Connection": "close", **self._authorization(), **(headers or {})})
            answer = connection.getresponse()
            content = answer.read()
            found = Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, content, self._asked())
        self.clock.seen(found.headers.get("date", ""))
        return found

    def fetch(self, path: str, take: Callable[[bytes], object], headers: Mapping[str, str], call: str) -> Answer:
        """Read a long answer piece by piece; one that is no success is returned whole."""
        with self.terms.turns, self._translated(call), self._connected(None) as connection:
            connection.request("GET", f"{self._parts.path}{path}", None, {"Connection": "close", **self._authorization(), **headers})
            answer = connection.getresponse()
            known = {key.lower(): value for key, value in answer.getheaders()}
            if answer.status != 200:
                return Answer(answer.status, known, answer.read(), self._asked())
            while piece := answer.read(PIECE):
                take(piece)
            return Answer(answer.status, known)

    def _asked(self) -> str:
        if self._login is None:
            return self.base
        return f"{self.base} as {f'user {self._login.username!r}' if self._login.username else self._login.certificate or self._login.p12}"

    def _authorization(self) -> dict[str, str]:
        if self._login is None or not self._login.username:
            return {}
        word = base64.b64encode(f"{self._login.username}:{self._login.password}".encode()).decode()
        return {"Authorization": f"Basic {word}"}

    @contextlib.contextmanager
    def _connected(self, seconds: float | None) -> Iterator[http.client.HTTPConnection]:
        host, port, timeout = self._parts.hostname or "", self._parts.port, seconds or self.terms.timeout
        if self._parts.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls())
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout)
        with contextlib.closing(connection):
            yield connection

    def _tls(self) -> ssl.SSLContext:
        with self._making:
            if self._context is None:
                context = tls(self.terms.ca_file)
                if self._login is not None and self._login.by_certificate:
                    _load(context, files(self._login))
                self._context = context
            return self._context

    @contextlib.contextmanager
    def _translated(self, call: str) -> Iterator[None]:
        call = call if self.base in call else f"{call} at {self.base}"
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise Invalid(
                f"{call}: the certificate of {self._parts.netloc} cannot be verified ({error.verify_message}): set ca_file to that of its authority"
            ) from error
        except ssl.SSLError as error:
            raise _of_tls(call, error) from error
        except (http.client.InvalidURL, UnicodeError) as error:  # the host's name, or the path, is none
            raise Invalid(f"{call}: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{call}: {_words(error)}") from error


def tls(ca_file: str) -> ssl.SSLContext:
    """What verifies a service: the authorities of the system, and those of a file beside them.

    Raises:
        Invalid: the file cannot be used.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise Invalid(f"ca_file {ca_file} cannot be used ({_reason(error)})") from None
    return context


def _load(context: ssl.SSLContext, own: Files) -> None:
    """Have a user's certificate offered."""
    own.check()
    try:
        context.load_cert_chain(own.certificate, own.key, own.password or None)
    except OSError as error:
        raise Invalid(f"{own.shown} cannot be used ({_reason(error)})") from None


def _reason(error: OSError) -> str:
    """Why a file could not be read, in a few words."""
    reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    return str(reason or error).lower().replace("_", " ")


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """A file from its beginning."""
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece


def _of_tls(call: str, error: ssl.SSLError) -> CloudError:
    from .._contract import Denied

    reason = str(error.reason or error)
    if "ALERT" in reason and ("CERT" in reason or "UNKNOWN_CA" in reason):
        return Denied(f"{call}: the service does not accept our certificate ({reason.lower().replace('_', ' ')})")
    return Unavailable(f"{call}: {_words(error)}")


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def checked(answer: Answer, call: str, words: Callable[[Answer], str] = lambda _answer: "") -> Answer:
    """An answer that is a success.

    Raises:
        CloudError: what its status means.
    """
    if answer.status < 400:
        return answer
    pause = answer.headers.get("retry-after", "") if answer.status in PAUSE else ""
    realm = answer.headers.get("www-authenticate", "").partition("realm=")[2].strip('"')
    seconds = float(pause) if re.fullmatch(r"\d{1,6}", pause) else None
    raise of_status(f"{call} at {answer.asked}" if answer.status == 401 else call, answer.status, words(answer), seconds, realm)
