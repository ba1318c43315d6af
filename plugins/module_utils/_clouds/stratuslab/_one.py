# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenNebula 3.2 over XML-RPC, behind the authenticating proxy. Nothing is asked twice here."""

from __future__ import annotations

import xmlrpc.client
from typing import Any
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

from .._contract import CloudError, Invalid, Unavailable
from ._credentials import Access
from ._errors import refused
from ._http import Http, Terms, checked

MINE, ALL = -3, -1
FAULT_XML = -503
Element = ElementTree.Element


class One:
    """The calls that are needed, under one account."""

    def __init__(self, access: Access, terms: Terms) -> None:
        login = None if access.direct else access.login
        self.http = Http(access.machines, login, terms)
        self._session = access.login.session

    def now(self) -> float | None:
        """The server's time, once it has answered."""
        return self.http.clock.now()

    def call(self, method: str, *params: Any) -> Any:
        """The value of a successful call.

        Raises:
            CloudError: what the server said instead.
        """
        self.http.calls[method] += 1
        body = xmlrpc.client.dumps((self._session, *params), method).encode()
        answer = checked(self.http.ask("POST", "", body, {"Content-Type": "text/xml"}, f"{method} at {self.http.base}"), method)
        return _value(method, answer.body)

    def vms(self) -> list[Element]:
        """All machines of the account that are not done, by one call."""
        return self._pool("one.vmpool.info", "VM", MINE, ALL, ALL, ALL)

    def vm(self, number: int) -> Element:
        return _parsed("one.vm.info", self.call("one.vm.info", number))

    def allocate(self, template: str) -> int:
        return int(self.call("one.vm.allocate", template))

    def act(self, action: str, number: int) -> None:
        self.call("one.vm.action", action, number)

    def networks(self) -> list[Element]:
        return self._pool("one.vnpool.info", "VNET", -2, ALL, ALL)

    def network(self, number: int) -> Element:
        return _parsed("one.vn.info", self.call("one.vn.info", number))

    def user(self) -> str:
        """The account as the server calls it."""
        return _parsed("one.user.info", self.call("one.user.info", -1)).findtext("NAME", "")

    def documents(self) -> list[Element]:
        """All templates of the account, with their content, by one call."""
        return self._pool("one.templatepool.info", "VMTEMPLATE", MINE, ALL, ALL)

    def add_document(self, text: str) -> int:
        return int(self.call("one.template.allocate", text))

    def write_document(self, number: int, text: str) -> None:
        self.call("one.template.update", number, text)

    def delete_document(self, number: int) -> None:
        self.call("one.template.delete", number)

    def _pool(self, method: str, tag: str, *params: int) -> list[Element]:
        return _parsed(method, self.call(method, *params)).findall(tag)


def _value(method: str, body: bytes) -> Any:
    try:
        (answer,), _method = xmlrpc.client.loads(body.decode("utf-8"))
    except xmlrpc.client.Fault as fault:
        kind = Invalid if fault.faultCode == FAULT_XML else CloudError
        raise kind(f"{method}: {fault.faultString} (fault {fault.faultCode})") from None
    except (ExpatError, ValueError, xmlrpc.client.Error) as error:
        raise Unavailable(f"{method}: the answer is no XML-RPC ({error})") from None
    if not isinstance(answer, list) or len(answer) < 2 or not isinstance(answer[0], bool):
        raise Unavailable(f"{method}: the answer is none of OpenNebula's")
    if not answer[0]:
        raise refused(method, str(answer[1]), int(answer[2]) if len(answer) > 2 else 0)
    return answer[1]


def _parsed(method: str, text: Any) -> Element:
    """XML of an answer.

    Raises:
        Unavailable: it is cut: nothing may be concluded from it.
    """
    try:
        return ElementTree.fromstring(str(text))  # noqa: S314  it is from the cloud that the credentials are for
    except ElementTree.ParseError as error:
        raise Unavailable(f"{method}: the answer is no whole XML ({error})") from None
