# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates one node: its volumes, port, floating address and server, each with its mark from the start."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._common._undo import Undo
from .._common._user_data import user_data
from .._contract import CloudError, Event, Invalid, Node, NodeSpec, Stage, State, Stray, Unavailable
from . import _definitions, _marks, _servers
from ._api import COMPUTE, NETWORK, VOLUME, Api, Found
from ._errors import Conflict, Missing
from ._names import Names
from ._network import Place
from ._options import OpenStackOptions
from ._survey import Survey
from ._volumes import Volumes

OURS = ("name", "metadata", "tags", "networks", "flavorRef", "imageRef", "user_data", "block_device_mapping_v2")  # not for `extra`
START = {"SHUTOFF": {"os-start": None}, "PAUSED": {"unpause": None}, "SUSPENDED": {"resume": None}}


@dataclass(frozen=True)
class Existing:
    """What exists before a batch of nodes is created."""

    servers: Mapping[str, Found]  # by name
    survey: Survey
    place: Place
    key_pair: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)  # server groups, by pool


class Creation:
    """Makes the nodes of one batch; its method is called side by side."""

    def __init__(self, api: Api, options: OpenStackOptions, names: Names, volumes: Volumes, mark: str, existing: Existing) -> None:
        """
        Args:
            mark: the description of ports and addresses.
        """
        self._api = api
        self._options = options
        self._names = names
        self._volumes = volumes
        self._mark = mark
        self._existing = existing

    def node(self, spec: NodeSpec) -> Event:
        """Create a node, unless it exists: ``MADE`` or ``FAILED``.

        Raises:
            Unavailable: the cloud did not answer; called again, this continues where it stopped.
        """
        undo = Undo()
        try:
            self._check(spec)
            server = self._existing.servers.get(spec.name)
            identifier = self._anew(spec, undo) if server is None else self._again(spec, server, undo)
        except Unavailable:
            raise
        except CloudError as error:
            undo.run()
            return Event.failure(spec.name, error)
        return Event(spec.name, Stage.MADE, identifier)

    def _check(self, spec: NodeSpec) -> None:
        if spec.faults:
            raise Invalid(spec.faults[0])
        taken = [key for key in OURS if key in spec.extra]
        if taken:
            raise Invalid(f"extra.{taken[0]}: is set by the collection itself")
        if spec.public_ip and not self._existing.place.external:
            raise Invalid("public_ip: floating addresses need external_network, which the cloud's options do not set")

    # a server that is there

    def _again(self, spec: NodeSpec, server: Found, undo: Undo) -> str:
        found = _servers.node_or_stray(server, spec.mark.cluster)
        if isinstance(found, Stray) or found.mark != spec.mark:
            reason = found.reason if isinstance(found, Stray) else f"it has the mark '{found.mark}'"
            raise Invalid(f"the name {spec.name} is taken by server {server['id']}: {reason}")
        if found.state is State.DELETING:
            raise CloudError(f"server {found.id} of this name is still being deleted")
        if found.state is State.BUILDING:
            return found.id  # with all that was asked for, though it does not tell yet
        if server["status"] in START:
            with contextlib.suppress(Conflict):  # it is starting by now
                self._api.post(COMPUTE, f"/servers/{found.id}/action", START[server["status"]])
        lacking = [volume for volume in self._disks(spec, undo, server) if volume["id"] not in _servers.attached_to(server)]
        for volume in lacking:
            self._volumes.available(volume)
            self._api.post(COMPUTE, f"/servers/{found.id}/os-volume_attachments", {"volumeAttachment": {"volumeId": volume["id"]}})
        self._addressed(spec, found)
        return found.id

    def _addressed(self, spec: NodeSpec, node: Node) -> None:
        """Give a node a new floating address if somebody removed it."""
        port = self._existing.survey.port_of(spec.name)
        if spec.public_ip and port and not self._existing.survey.floating_of(str(port["id"])):
            self.floating(str(port["id"]))
        elif not port and node.state is State.RUNNING:
            self.plug(spec.name, node.id)

    # a new server

    def _anew(self, spec: NodeSpec, undo: Undo) -> str:
        flavor, image = self._names.flavor(spec.flavor), self._names.image(spec.image)  # before anything is made
        disks = [self._volumes.available(volume) for volume in self._disks(spec, undo)]
        port = self._port(spec, undo)
        if spec.public_ip and not self._existing.survey.floating_of(port):
            address = self.floating(port)
            undo.add(lambda: self._api.delete(NETWORK, f"/floatingips/{address}"))
        server = self._server(spec, port, disks, flavor.id, image.id)
        server["metadata"] |= {} if spec.flavor == flavor.name else {_marks.FLAVOR: spec.flavor}
        body: dict[str, Any] = {"server": server}
        hints = dict(spec.extra.get("scheduler_hints", {}))
        if spec.mark.pool in self._existing.groups:
            hints["group"] = self._existing.groups[spec.mark.pool]
        body |= {"os:scheduler_hints": hints} if hints else {}
        return str(self._api.made(COMPUTE, "/servers", body, "server")["id"])

    def _server(self, spec: NodeSpec, port: str, disks: Sequence[Found], flavor: str, image: str) -> dict[str, Any]:
        metadata = {_marks.MARK: str(spec.mark), _marks.IMAGE: spec.image, **_marks.written_clouds(spec.clouds)}
        metadata |= _definitions.written(_definitions.noted(spec, self._options, image))
        server: dict[str, Any] = {
            "name": spec.name,
            "flavorRef": flavor,
            "imageRef": "" if self._options.boot_volume else image,
            "networks": [{"port": port}],
            "metadata": metadata | ({_marks.PUBLIC: "yes"} if spec.public_ip else {}),
            "tags": [_marks.tag(spec.mark.cluster)],
            "user_data": user_data(spec),
            "config_drive": self._options.config_drive,
        }
        if disks or self._options.boot_volume:
            server["block_device_mapping_v2"] = [self._boot_device(image), *map(_data_device, disks)]
        server |= {"key_name": self._existing.key_pair} if self._existing.key_pair else {}
        server |= {"availability_zone": self._options.availability_zone} if self._options.availability_zone else {}
        return server | {key: value for key, value in spec.extra.items() if key != "scheduler_hints"}

    def _boot_device(self, image: str) -> dict[str, Any]:
        device = {"boot_index": 0, "uuid": image, "source_type": "image", "delete_on_termination": True}
        if self._options.boot_volume:
            return device | {"destination_type": "volume", "volume_size": self._options.boot_volume}
        return device | {"destination_type": "local"}

    def _disks(self, spec: NodeSpec, undo: Undo, server: Found | None = None) -> list[Found]:
        """The node's volumes; missing ones are created.

        Args:
            server: that of the node, if it exists.
        """
        found = []
        for wanted in spec.volumes:
            existing = self._volumes.named(wanted.name)
            foreign = [volume for volume in existing if volume.get("metadata", {}).get(_marks.MARK) != str(spec.mark)]
            if foreign:
                text = foreign[0].get("metadata", {}).get(_marks.MARK)
                raise Invalid(f"the name {wanted.name} is taken by volume {foreign[0]['id']}: it has {f'the mark {text!r}' if text else 'no mark'}")
            if len(existing) > 1:
                raise Invalid(f"{len(existing)} volumes have the name and the mark of {wanted.name}: delete the wrong ones")
            if not existing:
                self._see_unattached(wanted.name, server or {})
                volume = self._volumes.make(wanted, spec.mark, self._options.availability_zone)
                undo.add(lambda identifier=volume["id"]: self._api.delete(VOLUME, f"/volumes/{identifier}"))  # type: ignore[misc]
                existing = [volume]
            found += existing
        return found

    def _see_unattached(self, name: str, server: Found) -> None:
        """Prove that a server does not have a volume which is not listed: lists may be incomplete.

        Raises:
            Unavailable: it has.
        """
        for identifier in sorted(_servers.attached_to(server)):
            with contextlib.suppress(Missing):
                if self._api.one(VOLUME, f"/volumes/{identifier}", "volume").get("name") == name:
                    raise Unavailable(f"server {server['id']} has volume {name}, but no list shows it")

    def _port(self, spec: NodeSpec, undo: Undo) -> str:
        existing = self._existing.survey.port_of(spec.name)
        if existing and not existing.get("device_id"):
            undo.add(lambda: self._api.delete(NETWORK, f"/ports/{existing['id']}"))
            return str(existing["id"])
        if existing:
            self._see_gone(str(existing["device_id"]), spec.name)
            self._api.delete(NETWORK, f"/ports/{existing['id']}")
        port = self._new_port(spec.name)
        undo.add(lambda: self._api.delete(NETWORK, f"/ports/{port}"))
        return port

    def _see_gone(self, server: str, name: str) -> None:
        """Prove that a server which is not listed does not exist: lists may be incomplete.

        Raises:
            Unavailable: it is there.
        """
        with contextlib.suppress(Missing):
            self._api.one(COMPUTE, f"/servers/{server}", "server")
            raise Unavailable(f"the port of {name} belongs to server {server}, which exists but is not listed by that name")

    def _new_port(self, name: str) -> str:
        place = self._existing.place
        body = {"name": name, "description": self._mark, "network_id": place.network, "security_groups": [place.group]}
        return str(self._api.made(NETWORK, "/ports", {"port": body}, "port")["id"])

    def floating(self, port: str) -> str:
        """Allocate a floating address for a port, in one call: never an unused one of somebody else."""
        body = {"floating_network_id": self._existing.place.external, "port_id": port, "description": self._mark}
        return str(self._api.made(NETWORK, "/floatingips", {"floatingip": body}, "floatingip")["id"])

    def plug(self, name: str, server: str) -> str:
        """Give a server a new port in place of a missing one.

        Raises:
            Unavailable: the server has one, which is not listed or has lost its mark.
        """
        path = f"/servers/{server}/os-interface"
        if list(self._api.all(COMPUTE, path, "interfaceAttachments")):
            raise Unavailable(f"server {server} has a port, but no list shows the port of {name} with its mark")
        port = self._new_port(name)
        self._api.post(COMPUTE, path, {"interfaceAttachment": {"port_id": port}})
        return port


def _data_device(volume: Found) -> dict[str, Any]:
    return {"boot_index": -1, "uuid": volume["id"], "source_type": "volume", "destination_type": "volume", "delete_on_termination": False}
