# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenStack as the contract wants it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import BinaryIO, ClassVar

from .._common import _host_keys
from .._common._events import event_of
from .._common._parallel import both, each
from .._contract import (
    Access,
    Cloud,
    CloudError,
    Definition,
    Event,
    Holding,
    Image,
    ImageSpec,
    Invalid,
    Lease,
    Listing,
    Locked,
    Node,
    NodeSpec,
    Scope,
    Share,
    State,
    Stray,
    Unavailable,
    Volume,
    VolumeSpec,
    image_mark,
    owner_name,
)
from . import _marks, _servers
from ._affinity import Groups
from ._api import COMPUTE, Api, Found
from ._creation import Creation, Existing
from ._definitions import Definitions
from ._errors import Conflict, Missing
from ._gaps import Gaps
from ._images import Images
from ._keys import KeyPairs
from ._lock import Lock
from ._names import Names
from ._network import Shared
from ._options import OpenStackOptions
from ._quota import Quota
from ._removal import Removal
from ._shares import Shares
from ._survey import Survey, security_group, survey
from ._volume_events import VolumeEvents
from ._volumes import Volumes


class OpenStackCloud(Cloud):
    """Servers of one cluster in one project."""

    provider: ClassVar[str] = "openstack"
    poll_seconds: ClassVar[float] = 2.0
    lag_seconds: ClassVar[float] = 60.0
    shared_kinds: ClassVar[tuple[str, ...]] = ("security group", "router", "subnet", "network", "key pair", "server group", "access to share")
    options: OpenStackOptions

    def __init__(self, name: str, options: OpenStackOptions, scope: Scope) -> None:
        super().__init__(name, options, scope)
        self.api = Api(options)
        self._names = Names(self.api)
        self._volumes = Volumes(self.api, scope.cluster)

    @cached_property
    def _identity(self) -> str:
        return owner_name(str(self.api.access().username or "unknown"))

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

    @property
    def _key_pairs(self) -> KeyPairs:
        return KeyPairs(self.api, self.scope.cluster, self.owner)

    @property
    def _groups(self) -> Groups:
        return Groups(self.api, self.scope.cluster, self.owner)

    # looking

    def _listed_servers(self) -> dict[str, Found]:
        """The servers with the cluster's tag or with names of its nodes, by identifier."""
        tagged, named = both(
            lambda: list(self.api.all(COMPUTE, "/servers/detail", "servers", tags=_marks.tag(self.scope.cluster))),
            lambda: list(self.api.all(COMPUTE, "/servers", "servers", name=_marks.node_names(self.scope.cluster))),
        )
        found: dict[str, Found] = {str(server["id"]): server for server in tagged}
        apart = [str(server["id"]) for server in named if re.fullmatch(_marks.node_names(self.scope.cluster), server["name"])]
        apart = [identifier for identifier in apart if identifier not in found]
        for identifier in [*apart, *_servers.without_reason(found)]:
            with contextlib.suppress(Missing):  # it was deleted or created between the two lists
                found[identifier] = self.api.one(COMPUTE, f"/servers/{identifier}", "server")
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

    def shortages(self, specs: Sequence[NodeSpec], volumes: Sequence[VolumeSpec], going: Sequence[Node] = ()) -> list[str]:
        return Quota(self.api, self.options, self._names, going).shortages(specs, volumes) if specs or volumes else []

    def place(self) -> str:
        return self.api.place()

    def definitions(self, specs: Sequence[NodeSpec]) -> list[Definition]:
        look = Definitions(self.options, self._names, self.scope)
        return [look.of(spec) for spec in specs]

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
        """The key that cloud-init shows on the console; None if it may still appear."""
        if node.host_keys:
            return node.name, node.host_keys
        try:
            text = self._console(node.id, None)
            key = _host_keys.read(text, _marks.LONGEST)
            if key:
                self._set_metadata(node.id, {_marks.HOST_KEY: key})
        except Unavailable:
            raise
        except CloudError:  # consoles are not for these credentials, or the server went meanwhile
            return node.name, ()
        return node.name, (key,) if key else None if text else ()

    # making

    def shared_missing(self, specs: Sequence[NodeSpec]) -> list[str]:
        if not specs:
            return []
        key, known = self._key_pairs.name(specs[0].ssh_keys), self._key_pairs.all
        found, keys = both(self._survey, known) if key else (self._survey(), [])
        groups = self._groups.missing(self._grouped(specs))
        keys = [f"key pair {key}"] if key and key not in keys else []
        shared, rules = self._shared.missing(found)
        return [*shared, *keys, *(f"server group {name}" for name in groups), *rules]

    def _grouped(self, specs: Sequence[NodeSpec]) -> list[str]:
        """The pools whose nodes are kept apart."""
        return sorted({spec.mark.pool for spec in specs}) if self.options.anti_affinity else []

    def create(self, specs: Sequence[NodeSpec]) -> Iterator[Event]:
        if not specs:
            return
        servers, found = both(self._listed_servers, self._survey)
        yield from each(self._creation(specs, servers, found).node, specs)

    def _creation(self, specs: Sequence[NodeSpec], servers: Mapping[str, Found], found: Survey) -> Creation:
        return Creation(self.api, self.options, self._names, self._volumes, self._mark, self._existing(specs, servers, found))

    def _existing(self, specs: Sequence[NodeSpec], servers: Mapping[str, Found], found: Survey) -> Existing:
        """What the nodes share is created first."""
        place = self._shared.ensure(found)
        return Existing(
            servers=self._by_name(servers),
            survey=found,
            place=place,
            key_pair=self._key_pairs.ensure(specs[0].ssh_keys) if specs else "",
            groups={pool: self._groups.ensure(pool) for pool in self._grouped(specs)},
        )

    def _by_name(self, servers: Mapping[str, Found]) -> dict[str, Found]:
        """By name; of two servers of one name the one that is ours."""
        return {str(server["name"]): server for server in sorted(servers.values(), key=self._is_ours)}

    def _is_ours(self, server: Found) -> bool:
        found = _servers.node_or_stray(server, self.scope.cluster)
        return isinstance(found, Node) and self.owns(found.mark)

    def gaps(self) -> list[str]:
        servers, found = both(self._listed_servers, self._survey)
        return [*self._shared.gaps(found), *self._gaps(self._by_name(servers), found).names()]

    def repair(self) -> None:
        servers, found = both(self._listed_servers, self._survey)
        self._gaps(self._by_name(servers), found).repair(self.api, self._creation([], servers, found))

    def _gaps(self, servers: Mapping[str, Found], found: Survey) -> Gaps:
        return Gaps(servers, {name: server for name, server in servers.items() if self._is_ours(server)}, found)

    # deleting

    def delete(self, nodes: Sequence[Node]) -> Iterator[Event]:
        if not nodes:
            return
        removal = Removal(self.api, self, *both(self._listed_servers, self._survey))
        yield from each(lambda node: event_of(node.name, partial(removal.node, node)), nodes)

    # volumes

    def create_volumes(self, volumes: Sequence[VolumeSpec]) -> Iterator[Event]:
        yield from each(VolumeEvents(self, self._volumes, self.options.availability_zone).create, volumes)

    def resize_volumes(self, volumes: Sequence[VolumeSpec]) -> Iterator[Event]:
        if volumes:
            yield from each(self._events_of_known().extend, volumes)

    def delete_volumes(self, volumes: Sequence[Volume]) -> Iterator[Event]:
        if volumes:
            yield from each(self._events_of_known().delete, volumes)

    def _events_of_known(self) -> VolumeEvents:
        return VolumeEvents(self, self._volumes, self.options.availability_zone, self.listing().volumes)

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

    def fetch_image(self, image: Image, take: Callable[[bytes], object]) -> None:
        self._images.fetch(image, take)

    # shares

    @property
    def _shares(self) -> Shares:
        return Shares(self.api, self.scope, self.owner)

    def share(self, name: str, protocol: str) -> Share:
        return self._shares.named(name, protocol)

    def share_access(self, share: Share) -> Access:
        return self._shares.access(share)

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
        existing = [node.name for node in self.listing().nodes if self.owns(node.mark) and node.state is not State.DELETING]
        if existing:
            raise CloudError(f"cluster {self.scope.cluster} still has nodes: {', '.join(existing)}")
        self._shared.dismantle(self._survey())
        self._key_pairs.delete()
        self._groups.delete()
        self._shares.withdraw()

    def leftovers(self) -> list[str]:
        listing, found = both(self.listing, self._survey)
        keys, groups = both(self._key_pairs.all, self._groups.all)
        members = [f"node {node.name}" for node in listing.nodes if self.owns(node.mark)]
        members += [f"volume {volume.name}" for volume in listing.volumes if self.owns(volume.mark)]
        others = [*(f"key pair {name}" for name in keys), *(f"server group {name}" for name in groups)]
        return [*members, *found.leftovers(), *others, *(f"access to share {name}" for name in self._shares.used())]

    # the run's lock

    def lock(self, holder: str, seconds: float) -> Lease:
        group = self._shared.group(security_group(self.api, self.scope, self.owner))
        return self._lock(group).take(holder, seconds)

    def locked_by(self) -> Holding | None:
        group = security_group(self.api, self.scope, self.owner)
        with contextlib.suppress(Missing):  # it was deleted meanwhile, and the lock with it
            return self._lock(group).holding() if group is not None else None
        return None

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
