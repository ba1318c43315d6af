# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deletes nodes together with their ports and floating addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._contract import Cloud, Event, Invalid, Node, Stage
from . import _marks
from ._api import COMPUTE, NETWORK, Api, Found
from ._errors import Missing
from ._survey import Survey


class Removal:
    """Deletes nodes of one batch; its method is called side by side."""

    def __init__(self, api: Api, cloud: Cloud, servers: Mapping[str, Found], found: Survey) -> None:
        """
        Args:
            servers: those of the cluster, by identifier.
        """
        self._api = api
        self._cloud = cloud
        self._servers = servers
        self._found = found

    def node(self, node: Node) -> Event:
        """Delete a node.

        Raises:
            Invalid: its mark is not what it was; it is left alone.
        """
        if not self._cloud.owns(node.mark):
            return self._cloud.foreign(node.name, node.mark)
        server = self._servers.get(node.id) or self._existing(node.id)
        if server is not None:
            text = server.get("metadata", {}).get(_marks.MARK, "")
            if text != str(node.mark):
                reason = f"server {node.id} is marked '{text}' and not '{node.mark}'" if text else f"server {node.id} has no mark"
                raise Invalid(f"{reason}: it is left alone")
            self._api.delete(COMPUTE, f"/servers/{node.id}")
        delete_ports(self._api, self._ports(node), self._found)
        return Event(node.name, Stage.DELETED)

    def _existing(self, identifier: str) -> Found | None:
        try:
            return self._api.one(COMPUTE, f"/servers/{identifier}", "server")
        except Missing:
            return None

    def _ports(self, node: Node) -> list[Found]:
        """Those of a node; one with its name may belong to a new server."""
        reborn = any(other["name"] == node.name and identifier != node.id for identifier, other in self._servers.items())
        return [port for port in self._found.ports if port.get("device_id") == node.id or (port["name"] == node.name and not reborn)]


def delete_ports(api: Api, ports: Iterable[Found], found: Survey) -> None:
    """Delete ports, and their floating addresses first."""
    for port in ports:
        for address in found.floating_of(str(port["id"])):
            api.delete(NETWORK, f"/floatingips/{address['id']}")
        api.delete(NETWORK, f"/ports/{port['id']}")
