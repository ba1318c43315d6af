# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Port translation: ports of the site's gateway that lead to machines of the local network."""

from __future__ import annotations

from collections.abc import Sequence

from .._contract import Address, Unavailable
from ._credentials import Gateway
from ._http import Http, Terms, checked
from ._vms import PUBLIC, Vm

SSH = "22"
PATH = "/cgi-bin/vmports.py"
LOCAL = "local"


class Ports:
    """The ports of one site."""

    def __init__(self, gateway: Gateway, terms: Terms) -> None:
        self._gateway = gateway
        self._http = Http(f"http://{gateway.service}", None, terms)

    def outside(self, vms: Sequence[Vm]) -> dict[int, Address]:
        """Where machines of the local network answer by ssh, by their identifiers; asked only if there are any."""
        local = [vm for vm in vms if {nic.get("NETWORK") for nic in vm.nics} >= {LOCAL} and not any(nic.get("NETWORK") == PUBLIC for nic in vm.nics)]
        if not local:
            return {}
        known = self._known()
        return {vm.id: Address(self._gateway.host, 4, LOCAL, public=True, port=known[str(vm.id)]) for vm in local if str(vm.id) in known}

    def _known(self) -> dict[str, int]:
        call = f"GET {self._http.base}{PATH}"
        found = checked(self._http.ask("GET", PATH, call=call), call).json(call)
        try:
            return {str(vm): int(outer) for vm, pairs in found.items() for inner, outer in pairs if str(inner) == SSH}
        except (AttributeError, TypeError, ValueError):
            raise Unavailable(f"{call}: the answer is no list of ports") from None
