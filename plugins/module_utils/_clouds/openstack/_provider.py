# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenStack as the contract wants it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import BinaryIO, ClassVar

from ..._cloud import (
    Cloud,
    CloudError,
    Event,
    Image,
    ImageSpec,
    Invalid,
    Lease,
    Listing,
    Locked,
    Mark,
    Node,
    NodeSpec,
    Scope,
    Stage,
    State,
    Stray,
    Unavailable,
    Volume,
    VolumeSpec,
    image_mark,
)
from . import _affinity, _host_keys, _keys, _marks, _servers
from ._api import COMPUTE, NETWORK, Api
from ._creation import Creation, Standing
from ._errors import Conflict, Missing, failed
from ._images import Images
from ._lock import Lock
from ._names import Names
from ._network import Shared
from ._options import OpenStackOptions
from ._parallel import both, each
from ._quota import Quota
from ._survey import Found, Survey, security_group, survey
from ._volumes import Volumes


class OpenStackCloud(Cloud):
    """Servers of one cluster in one project."""

    provider: ClassVar[str] = "openstack"
    poll_seconds: ClassVar[float] = 2.0
    options: OpenStackOptions

    def __init__(self, name: str, options: OpenStackOptions, scope: Scope) -> None:
        super().__init__(name, options, scope)
        self.api = Api(options)
        self._names = Names(self.api)
        self._volumes = Volumes(self.api, scope.cluster)

    @cached_property
    def _identity(self) -> str:
        return re.sub(r"[^A-Za-z0-9._@-]", "_", str(self.api.access().username or "unknown"))[:64]

    def identity(self) -> str:
        return self._identity

    @property
    def _mark(self) -> str:
        return _marks.description(self.scope, self.owner)

    @property
    def _shared(self) -> Shared:
        return Shared(self.api, self.options, self.scope, self.owner, self._names)

    def _survey(self) -> Survey:
        return survey(self.api, self.scope, self.owner)

    def _ours(self, mark: Mark) -> bool:
        return (mark.owner, mark.cluster) == (self.owner, self.scope.cluster)

    def _foreign(self, name: str, mark: Mark) -> Event:
        reason = f"{name} is marked '{mark}', which is not cluster {self.scope.cluster} of {self.owner}: it is left alone"
        return Event(name, Stage.FAILED, reason, final=True)

    # looking

    def _listed_servers(self) -> dict[str, Found]:
        """The servers that bear the cluster's tag or would-be names, by identifier."""
        tagged, named = both(
            lambda: list(self.api.all(COMPUTE, "/servers/detail", "servers", tags=_marks.tag(self.scope.cluster))),
            lambda: list(self.api.all(COMPUTE, "/servers", "servers", name=_marks.node_names(self.scope.cluster))),
        )
        found = {str(server["id"]): server for server in tagged}
        for server in named:
            if server["id"] not in found and re.fullmatch(_marks.node_names(self.scope.cluster), server["name"]):
                with contextlib.suppress(Missing):  # it went, or came, between the two lists
                    found[str(server["id"])] = self.api.get(COMPUTE, f"/servers/{server['id']}")["server"]
        return {identifier: server for identifier, server in found.items() if server.get("status") != "DELETED"}

    def listing(self) -> Listing:
        servers, listed = both(self._listed_servers, self._volumes.all)
        members = [_servers.node_or_stray(server, self.scope.cluster) for server in servers.values()]
        volumes = [_servers.volume_or_stray(volume, self.scope.cluster, servers) for volume in listed]
        return Listing(
            nodes=tuple(node for node in members if isinstance(node, Node)),
            volumes=tuple(volume for volume in volumes if isinstance(volume, Volume)),
            strays=tuple(stray for stray in [*members, *volumes] if isinstance(stray, Stray)),
        )

    def shortages(self, specs: Sequence[NodeSpec], volumes: Sequence[VolumeSpec]) -> list[str]:
        return Quota(self.api, self.options, self._names).shortages(specs, volumes) if specs or volumes else []

    def console(self, node: Node, lines: int = 20) -> str:
        return "\n".join(self._console(node.id, lines).splitlines()[-lines:])

    def _console(self, server: str, lines: int | None) -> str:
        try:
            answer = self.api.post(COMPUTE, f"/servers/{server}/action", {"os-getConsoleOutput": {"length": lines} if lines else {}})
        except (Missing, Conflict, Invalid):
            return ""
        return str(answer.get("output") or "")

    def learn_host_keys(self, nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
        return {name: keys for name, keys in each(self._learn, nodes) if keys is not None}

    def _learn(self, node: Node) -> tuple[str, tuple[str, ...] | None]:
        """The key that cloud-init shows on the console; None where it may still come."""
        if node.host_keys:
            return node.name, node.host_keys
        try:
            text = self._console(node.id, None)
            key = _host_keys.read(text)
            if key:
                self._set_metadata(node.id, {_marks.HOST_KEY: key})
        except Unavailable:
            raise
        except CloudError:  # consoles are not for these credentials, or the server went meanwhile
            return node.name, ()
        return node.name, (key,) if key else None if text else ()

    # making

    def create(self, specs: Sequence[NodeSpec]) -> Iterator[Event]:
        servers, found = both(self._listed_servers, self._survey)
        standing = self._standing(specs, servers, found)
        creation = Creation(self.api, self.options, self._names, self._volumes, self._mark, standing)
        if specs:
            yield from each(creation.node, specs)
        else:
            self._mend(creation, standing)

    def _standing(self, specs: Sequence[NodeSpec], servers: Mapping[str, Found], found: Survey) -> Standing:
        """What the nodes share is made first."""
        cluster = self.scope.cluster
        place = self._shared.ensure(found)
        pools = sorted({spec.mark.pool for spec in specs}) if self.options.anti_affinity else []
        return Standing(
            servers=self._by_name(servers),
            survey=found,
            place=place,
            key_pair=_keys.ensure(self.api, cluster, specs[0].ssh_keys) if specs else "",
            groups={pool: _affinity.ensure(self.api, cluster, pool) for pool in pools},
        )

    def _by_name(self, servers: Mapping[str, Found]) -> dict[str, Found]:
        """Of two servers of one name the one that is ours."""
        return {str(server["name"]): server for server in sorted(servers.values(), key=self._is_ours)}

    def _is_ours(self, server: Found) -> bool:
        found = _servers.node_or_stray(server, self.scope.cluster)
        return isinstance(found, Node) and self._ours(found.mark)

    def gaps(self) -> list[str]:
        servers, found = both(self._listed_servers, self._survey)
        named = self._by_name(servers)
        ours = {name: server for name, server in named.items() if self._is_ours(server)}
        without_port = [f"port {name}" for name in _without_port(ours, found)]
        return [*self._shared.gaps(found), *without_port, *_without_address(ours, found), *_orphans(named, found)]

    def _mend(self, creation: Creation, standing: Standing) -> None:
        ours = {name: server for name, server in standing.servers.items() if self._is_ours(server)}
        for name, server in ((name, ours[name]) for name in _without_port(ours, standing.survey)):
            port = creation.plug(name, str(server["id"]))
            if server["metadata"].get(_marks.PUBLIC):
                creation.floating(port)
        for name in (gap.removeprefix("floating address of ") for gap in _without_address(ours, standing.survey)):
            port_of = standing.survey.port_of(name)
            if port_of:
                creation.floating(str(port_of["id"]))
        self._delete_ports([port for port in standing.survey.ports if port["name"] not in standing.servers], standing.survey)
        for address in standing.survey.floating:
            if not address.get("port_id"):
                self.api.delete(NETWORK, f"/floatingips/{address['id']}")

    # deleting

    def delete(self, nodes: Sequence[Node]) -> Iterator[Event]:
        if not nodes:
            return
        servers, found = both(self._listed_servers, self._survey)
        yield from each(partial(self._delete, servers, found), nodes)

    def _delete(self, servers: Mapping[str, Found], found: Survey, node: Node) -> Event:
        try:
            return self._deleted(servers, found, node)
        except Unavailable:
            raise
        except CloudError as error:
            return failed(node.name, error)

    def _deleted(self, servers: Mapping[str, Found], found: Survey, node: Node) -> Event:
        if not self._ours(node.mark):
            return self._foreign(node.name, node.mark)
        server = servers.get(node.id) or self._server(node.id)
        if server is not None:
            text = server.get("metadata", {}).get(_marks.MARK, "")
            if text != str(node.mark):
                reason = f"server {node.id} is marked '{text}' and not '{node.mark}'" if text else f"server {node.id} bears no mark"
                return Event(node.name, Stage.FAILED, f"{reason}: it is left alone", final=True)
            self.api.delete(COMPUTE, f"/servers/{node.id}")
        reborn = any(other["name"] == node.name and identifier != node.id for identifier, other in servers.items())
        ports = [port for port in found.ports if port.get("device_id") == node.id or (port["name"] == node.name and not reborn)]
        self._delete_ports(ports, found)
        return Event(node.name, Stage.DELETED)

    def _server(self, identifier: str) -> Found | None:
        try:
            found: Found = self.api.get(COMPUTE, f"/servers/{identifier}")["server"]
        except Missing:
            return None
        return found

    def _delete_ports(self, ports: Sequence[Found], found: Survey) -> None:
        for port in ports:
            for address in found.floating_of(str(port["id"])):
                self.api.delete(NETWORK, f"/floatingips/{address['id']}")
            self.api.delete(NETWORK, f"/ports/{port['id']}")

    # volumes

    def resize_volumes(self, volumes: Sequence[VolumeSpec]) -> Iterator[Event]:
        known = {volume.name: volume for volume in self.listing().volumes} if volumes else {}
        yield from each(partial(self._resize, known), volumes)

    def _resize(self, known: Mapping[str, Volume], wanted: VolumeSpec) -> Event:
        volume = known.get(wanted.name)
        if volume is None:
            return Event(wanted.name, Stage.FAILED, f"there is no volume {wanted.name}", final=True)
        if not self._ours(volume.mark):
            return self._foreign(wanted.name, volume.mark)
        if wanted.size < volume.size:
            return Event(wanted.name, Stage.FAILED, f"it has {volume.size} GiB, and volumes do not shrink", final=True)
        try:
            if wanted.size > volume.size:
                self._volumes.extend(volume.id, wanted.size)
        except Unavailable:
            raise
        except CloudError as error:
            return failed(wanted.name, error)
        return Event(wanted.name, Stage.MADE, f"{wanted.size} GiB")

    def delete_volumes(self, volumes: Sequence[Volume]) -> Iterator[Event]:
        known = {volume.id: volume for volume in self.listing().volumes} if volumes else {}
        yield from each(partial(self._delete_volume, known), volumes)

    def _delete_volume(self, known: Mapping[str, Volume], volume: Volume) -> Event:
        now = known.get(volume.id)
        if not self._ours(volume.mark) or (now and now.mark != volume.mark):
            return self._foreign(volume.name, now.mark if now else volume.mark)
        if now and now.attached:
            return Event(volume.name, Stage.FAILED, f"it is attached to {now.attached}", final=True)
        try:
            self._volumes.delete(volume.id)
        except Unavailable:
            raise
        except CloudError as error:
            return failed(volume.name, error)
        return Event(volume.name, Stage.DELETED)

    def create_volumes(self, volumes: Sequence[VolumeSpec]) -> Iterator[Event]:
        yield from each(self._create_volume, volumes)

    def _create_volume(self, wanted: VolumeSpec) -> Event:
        try:
            made = self._volumes.ensure(wanted, self.mark_of(wanted.name), self.options.availability_zone)
        except Unavailable:
            raise
        except CloudError as error:
            return failed(wanted.name, error)
        return Event(wanted.name, Stage.MADE, str(made["id"]))

    # images

    @property
    def _images(self) -> Images:
        return Images(self.api, image_mark(self.owner))

    def images(self) -> list[Image]:
        return self._images.all()

    def add_image(self, spec: ImageSpec, file: BinaryIO) -> Image:
        return self._images.add(spec, file)

    def delete_image(self, image: Image) -> None:
        self._images.delete(image)

    # notes on nodes

    def set_ready(self, nodes: Sequence[Node], value: str) -> None:
        list(each(lambda node: self._set_metadata(node.id, {_marks.READY: value}), nodes))

    def set_clouds(self, nodes: Sequence[Node], clouds: Sequence[str]) -> None:
        written = _marks.written_clouds(clouds)
        list(each(lambda node: self._set_metadata(node.id, dict.fromkeys(_marks.written_clouds(node.clouds), "") | written), nodes))

    def _set_metadata(self, server: str, values: Mapping[str, str]) -> None:
        self.api.post(COMPUTE, f"/servers/{server}/metadata", {"metadata": dict(values)})

    # the end

    def dismantle(self) -> None:
        standing = [node.name for node in self.listing().nodes if self._ours(node.mark) and node.state is not State.DELETING]
        if standing:
            raise CloudError(f"cluster {self.scope.cluster} still has nodes: {', '.join(standing)}")
        self._shared.dismantle(self._survey())
        for name in _keys.ours(self.api, self.scope.cluster):
            _keys.delete(self.api, name)
        if all(self._ours(node.mark) for node in self.listing().nodes):  # a server group does not say whose it is
            for identifier in _affinity.ours(self.api, self.scope.cluster).values():
                _affinity.delete(self.api, identifier)

    def leftovers(self) -> list[str]:
        listing, found = both(self.listing, self._survey)
        keys, groups = both(partial(_keys.ours, self.api, self.scope.cluster), partial(_affinity.ours, self.api, self.scope.cluster))
        members = [f"node {node.name}" for node in listing.nodes if self._ours(node.mark)]
        members += [f"volume {volume.name}" for volume in listing.volumes if self._ours(volume.mark)]
        return [*members, *found.leftovers(), *(f"key pair {name}" for name in keys), *(f"server group {name}" for name in groups)]

    # the run's lock

    def lock(self, holder: str, seconds: float) -> Lease:
        group = self._shared.group(security_group(self.api, self.scope, self.owner))
        return self._lock(group).take(holder, seconds)

    def renew(self, lease: Lease, seconds: float) -> None:
        group = security_group(self.api, self.scope, self.owner)
        if group is None:
            raise Locked("the lock was lost: the security group that held it is gone")
        self._lock(group).renew(lease, seconds)

    def unlock(self, lease: Lease) -> None:
        group = security_group(self.api, self.scope, self.owner)
        if group is not None:
            self._lock(group).release(lease)

    def _lock(self, group: Found) -> Lock:
        return Lock(self.api, str(group["id"]), self._mark)


def _without_port(servers: Mapping[str, Found], found: Survey) -> list[str]:
    """Names of servers whose port somebody took."""
    started = [name for name, server in servers.items() if server.get("status") == "ACTIVE"]
    return sorted(name for name in started if found.port_of(name) is None)


def _without_address(servers: Mapping[str, Found], found: Survey) -> list[str]:
    """Servers that are to be reachable from outside, and are not."""
    names = [name for name, server in servers.items() if server.get("metadata", {}).get(_marks.PUBLIC)]
    ports = {name: found.port_of(name) for name in names}
    return [f"floating address of {name}" for name, port in sorted(ports.items()) if port and not found.floating_of(str(port["id"]))]


def _orphans(servers: Mapping[str, Found], found: Survey) -> list[str]:
    """What a run that was killed left of nodes that do not exist."""
    ports = [f"port {port['name']} without its node" for port in found.ports if port["name"] not in servers]
    return ports + [f"floating address {item['floating_ip_address']} without a port" for item in found.floating if not item.get("port_id")]
