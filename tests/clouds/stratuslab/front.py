# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services over HTTP: nginx in front of the authenticating proxy, pdisk and the Marketplace, and oned itself."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import threading
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote, urlsplit

from cryptography import x509

from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._signature import java_name

from .marketplace import Marketplace
from .oned import Fault, Oned
from .pdisk import Answer, Asked, Pdisk, dumped

PASSWORD_REALM, CERTIFICATE_REALM = "StratusLab Password Realm", "StratusLab Certificate Realm"
SECRET = "a" * 40
LONGEST_CALL = 512 * 1024
RPC = {"Content-Type": "text/xml; charset=utf-8"}


class Accounts:
    """Who may use the cloud."""

    def __init__(self, passwords: Mapping[str, str], subjects: Sequence[str] = ()) -> None:
        """
        Args:
            passwords: by user.
            subjects: of certificates, in the form of RFC 2253.
        """
        self.passwords = dict(passwords)
        self.subjects = list(subjects)

    def by_password(self, header: str) -> tuple[str, str] | None:
        """Name and secret of a user whose password is right."""
        scheme, _blank, word = header.partition(" ")
        try:
            name, _colon, password = base64.b64decode(word).decode().partition(":")
        except ValueError:
            return None
        if scheme.lower() != "basic" or name not in self.passwords or self.passwords[name] != password:
            return None
        return name, password if name == "oneadmin" else SECRET

    def by_certificate(self, subject: str) -> tuple[str, str] | None:
        bare = bare_subject(subject)
        return (bare, SECRET) if bare in self.subjects else None


def bare_subject(subject: str) -> str:
    """The subject of who made a proxy certificate."""
    while subject.startswith("CN=proxy,") or (subject.startswith("CN=") and subject[3:].partition(",")[0].isdigit()):
        subject = subject.partition(",")[2]
    return subject


class Services:
    """The services behind the front."""

    def __init__(
        self, oned: Oned, pdisk: Pdisk, marketplace: Marketplace, accounts: Accounts, gateway_ports: dict[str, list[tuple[str, str]]]
    ) -> None:
        self.oned = oned
        self.pdisk = pdisk
        self.marketplace = marketplace
        self.accounts = accounts
        self.ahead = 0.0  # s of the services' clock, as the dates of their answers show it
        self.gateway_ports = gateway_ports  # by VM


def java_quoted(text: str) -> str:
    """As Java's URLEncoder writes it: a star stays, a tilde does not."""
    return quote_plus(text, safe="*").replace("~", "%7E")


def rpc_reply(oned: Oned, method: str, params: Sequence[Any]) -> bytes:
    try:
        return xmlrpc.client.dumps((oned.call(method, params),), methodresponse=True).encode()
    except Fault as error:
        return xmlrpc.client.dumps(xmlrpc.client.Fault(error.code, str(error)), methodresponse=True).encode()


def rpc_call(body: bytes) -> tuple[str, list[Any]]:
    params, method = xmlrpc.client.loads(body.decode("utf-8"))
    return str(method), list(params)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    services: Services
    direct: bool  # oned itself

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path = [unquote(part) for part in parts.path.split("/") if part]
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._reply(self._answer(path, query, body))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _handle  # noqa: N815

    def _answer(self, path: list[str], query: Mapping[str, str], body: bytes) -> Answer:
        if self.direct:
            return self._rpc(body, None)
        match path:
            case ["one-proxy", "pswd" | "cert" as kind, "xmlrpc"]:
                return self._known(kind) or self._rpc(body, self._named(kind))
            case ["pdisk", "pswd" | "cert" as kind, *rest]:
                return self._known(kind) or self._disk(self._user(kind), rest, query, body)
            case ["cgi-bin", "vmports.py"]:
                ports = self.services.gateway_ports
                shown = {vm: [list(pair) for pair in pairs] for vm, pairs in ports.items() if query.get("vmid", vm) == vm}
                return Answer(200, body=json.dumps(shown).encode(), headers={"Content-Type": "application/json"})
        accept, sent = self.headers.get("Accept") or "*/*", self.headers.get("Content-Type") or ""
        return self.services.marketplace.answer(self.command, "/".join(path), query, accept, body, sent)

    def _known(self, kind: str) -> Answer | None:
        if self._user(kind) is not None:
            return None
        realm = PASSWORD_REALM if kind == "pswd" else CERTIFICATE_REALM
        scheme = "basic" if kind == "pswd" else "CLIENT-CERT"
        return Answer(401, body=b"", headers={"WWW-Authenticate": f'{scheme} realm="{realm}"'})

    def _user(self, kind: str) -> tuple[str, str] | None:
        if kind == "pswd":
            return self.services.accounts.by_password(self.headers.get("Authorization") or "")
        return self.services.accounts.by_certificate(self._subject())

    def _named(self, kind: str) -> tuple[str, str] | None:
        """Name and secret for oned: whoever gives a certificate is named by it, however the proxy let the call pass."""
        subject = bare_subject(self._subject())
        return (subject, SECRET) if subject else self._user(kind)

    def _subject(self) -> str:
        if not isinstance(self.connection, ssl.SSLSocket):
            return ""
        der = self.connection.getpeercert(binary_form=True)
        return java_name(x509.load_der_x509_certificate(der).subject) if der else ""

    def _rpc(self, body: bytes, user: tuple[str, str] | None) -> Answer:
        if len(body) > LONGEST_CALL:
            return Answer(500, body=b"", headers={})
        try:
            method, params = rpc_call(body)
        except Exception as error:  # noqa: BLE001  whatever is no call
            said = xmlrpc.client.dumps(xmlrpc.client.Fault(-503, f"Call XML not a proper XML-RPC call.  {error}"), methodresponse=True)
            return Answer(200, body=said.encode(), headers=RPC)
        if user is not None and params:
            params[0] = f"{java_quoted(user[0])}:{user[1]}"
        return Answer(200, body=rpc_reply(self.services.oned, method, params), headers=RPC)

    def _disk(self, user: tuple[str, str] | None, path: Sequence[str], query: Mapping[str, str], body: bytes) -> Answer:
        name = java_quoted(user[0]) if user and "=" in user[0] else user[0] if user else ""
        kind, accept = self.headers.get("Content-Type") or "", self.headers.get("Accept") or ""
        answer = self.services.pdisk.answer(Asked(name, self.command, "/".join(path), query, body, kind, accept))
        if answer.location:
            return Answer(answer.status, location=f"{self.services.pdisk.base}/{path_kind(self.path)}{answer.location}", body=b"")
        if answer.headers or answer.value is None:
            return answer
        return Answer(answer.status, body=dumped(answer.value), headers={"Content-Type": "application/json"})

    def _reply(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        date = formatdate(time.time() + self.services.ahead, usegmt=True)
        self.send_header("Date", date.replace("GMT", "UTC") if self.direct else date)
        for key, value in answer.headers.items():
            self.send_header(key, value)
        if answer.location:
            self.send_header("Location", answer.location)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what is asked is not noted."""


def path_kind(path: str) -> str:
    """The kind of login in a path."""
    return "cert" if "/cert/" in path else "pswd"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or whose certificate is nobody's, is no fault of the server."""


class Front:
    """Ports of this machine that lead to the services."""

    def __init__(self, services: Services, address: str = "127.0.0.1") -> None:
        self._services = services
        self._address = address
        self._servers: list[ThreadingHTTPServer] = []

    def serve(self, port: int = 0, tls: ssl.SSLContext | None = None, direct: bool = False) -> int:
        """Listen; returns the port."""
        kind = type("Handler", (Handler,), {"services": self._services, "direct": direct})
        server = _Server((self._address, port), kind)
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server.server_port

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
