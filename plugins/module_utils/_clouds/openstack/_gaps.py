# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster's nodes lack, and what is left of nodes that are gone: listed, and repaired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from . import _marks
from ._api import NETWORK, Api, Found
from ._creation import Creation
from ._removal import delete_ports
from ._survey import Survey


class Gaps:
    """Servers beside the ports and addresses that are to go with them."""

    def __init__(self, servers: Mapping[str, Found], ours: Mapping[str, Found], found: Survey) -> None:
        """
        Args:
            servers: by name; all that could have a port.
            ours: those of them that are the cluster's.
        """
        self._servers = servers
        self._ours = ours
        self._found = found

    def names(self) -> list[str]:
        """``kind name`` each."""
        found = [f"port {name}" for name in self._without_port()]
        found += [f"floating address of {name}" for name, _port in self._without_address()]
        found += [f"port {port['name']} without a node" for port in self._orphans()]
        return found + [f"floating address {address['floating_ip_address']} without a port" for address in self._loose()]

    def repair(self, api: Api, creation: Creation) -> None:
        for name in self._without_port():
            port = creation.plug(name, str(self._ours[name]["id"]))
            if _is_public(self._ours[name]):
                creation.floating(port)
        for _name, port in self._without_address():
            creation.floating(port)
        delete_ports(api, self._orphans(), self._found)
        for address in self._loose():
            api.delete(NETWORK, f"/floatingips/{address['id']}")

    def _without_port(self) -> list[str]:
        """Servers whose port somebody deleted."""
        started = [name for name, server in self._ours.items() if server.get("status") == "ACTIVE"]
        return sorted(name for name in started if self._found.port_of(name) is None)

    def _without_address(self) -> Iterator[tuple[str, str]]:
        """Servers that should have a floating address and do not, with their ports."""
        for name, server in sorted(self._ours.items()):
            port = self._found.port_of(name) if _is_public(server) else None
            if port and not self._found.floating_of(str(port["id"])):
                yield name, str(port["id"])

    def _orphans(self) -> list[Found]:
        """Ports that a killed run left and no server has; a server that has a port exists even if it is not listed."""
        return [port for port in self._found.ports if not port.get("device_id") and not self._awaits_port(port["name"])]

    def _awaits_port(self, name: str) -> bool:
        """Whether a node may still get an existing port: it is being created, or none of the listed ones is its own."""
        server = self._servers.get(name)
        return server is not None and (server.get("status") != "ACTIVE" or all(port.get("device_id") != server["id"] for port in self._found.ports))

    def _loose(self) -> list[Found]:
        """Floating addresses without a port."""
        return [address for address in self._found.floating if not address.get("port_id")]


def _is_public(server: Found) -> bool:
    return bool(server.get("metadata", {}).get(_marks.PUBLIC))
