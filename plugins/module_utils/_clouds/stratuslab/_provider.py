# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""StratusLab as the contract defines a cloud."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from .._common._events import event_of
from .._common._parallel import each
from .._contract import (
    Cloud,
    CloudError,
    Definition,
    Event,
    Holding,
    Image,
    ImageSpec,
    Lease,
    Listing,
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
    owner_name,
)
from . import _host_keys, _vms
from ._creation import Creation, Existing
from ._credentials import Access, access
from ._definitions import Templates
from ._errors import Conflict, Missing
from ._http import Terms
from ._images import Images
from ._lock import Lock
from ._machines import as_node
from ._marketplace import Marketplace
from ._names import Extra, Names
from ._notes import Note, Notes, marks
from ._one import Element, One
from ._options import StratusLabOptions
from ._pdisk import Disk, Pdisk
from ._ports import Ports
from ._shortages import Shortages
from ._vms import DONE, Vm
from ._volumes import Volumes


@dataclass(frozen=True)
class Seen:
    """What an account has."""

    vms: Sequence[Vm]
    notes: Mapping[int, Note]  # of the cluster's machines
    documents: Sequence[Element]  # templates


class StratusLabCloud(Cloud):
    """Virtual machines of one cluster in one account."""

    provider: ClassVar[str] = "stratuslab"
    poll_seconds: ClassVar[float] = 2.0
    lag_seconds: ClassVar[float] = 20.0
    lock_seconds: ClassVar[float] = 180.0  # the helper of oned, which every change needs, is given up after 70
    options: StratusLabOptions

    def __init__(self, name: str, options: StratusLabOptions, scope: Scope) -> None:
        super().__init__(name, options, scope)

    # services, opened when the first call needs them

    @cached_property
    def access(self) -> Access:
        return access(self.options)

    @cached_property
    def one(self) -> One:
        return One(self.access, self._terms)

    @cached_property
    def pdisk(self) -> Pdisk:
        return Pdisk(self.access, self._terms)

    @cached_property
    def marketplace(self) -> Marketplace:
        return Marketplace(self.access.marketplace, self._terms, self.options.policy, self.options.verify_images)

    @cached_property
    def _terms(self) -> Terms:
        return Terms(str(Path(self.options.ca_file).expanduser()) if self.options.ca_file else "", self.options.timeout)

    @cached_property
    def _names(self) -> Names:
        return Names(self.options, self.access, self.one, self.pdisk, self.marketplace)

    @cached_property
    def _templates(self) -> Templates:
        return Templates(self.options, self._names, self.access)

    @cached_property
    def _volumes(self) -> Volumes:
        return Volumes(self.pdisk, self.one, self.scope.cluster)

    @cached_property
    def _notes(self) -> Notes:
        return Notes(self.one, self.scope.cluster, self.owner)

    @cached_property
    def _ports(self) -> Ports | None:
        return Ports(self.access.ports, self._terms) if self.access.ports else None

    @cached_property
    def _lock(self) -> Lock:
        return Lock(self.one, self.scope.cluster)

    # who, and where

    @cached_property
    def _identity(self) -> str:
        return owner_name(self.access.login.username or self.one.user())

    def identity(self) -> str:
        return self._identity

    def place(self) -> str:
        return f"account {self.identity()} of {self.access.place}"

    # looking

    def _vms(self) -> list[Vm]:
        found = [_vms.read(element) for element in self.one.vms()]
        return [vm for vm in found if vm.state != DONE]

    def _seen(self) -> Seen:
        vms, documents = self._vms(), self.one.documents()
        notes = self._notes.of(documents)
        return Seen([as_node(vm, notes.get(vm.id)) for vm in vms], notes, documents)

    def listing(self) -> Listing:
        seen = self._seen()
        vms, members = seen.vms, self._members(seen)
        volumes = self._volumes.listed(self.pdisk.disks(), vms)
        return Listing(
            nodes=tuple(member for member in members if isinstance(member, Node)),
            volumes=tuple(volume for volume in volumes if isinstance(volume, Volume)),
            strays=tuple(stray for stray in [*members, *volumes] if isinstance(stray, Stray)),
        )

    def _members(self, seen: Seen) -> list[Node | Stray]:
        """Nodes and strays; of machines with one mark only one."""
        outside = self._ports.outside(seen.vms) if self._ports else {}
        found = [(vm, _vms.node_or_stray(vm, self.scope.cluster, seen.notes, outside)) for vm in seen.vms]
        by_mark: dict[str, list[Vm]] = {}
        for vm, member in found:
            if isinstance(member, Node):
                by_mark.setdefault(str(member.mark), []).append(vm)
        chosen = {_vms.chosen(group).id for group in by_mark.values()}
        return [member for vm, member in found if isinstance(member, Stray) or (member is not None and vm.id in chosen)]

    def _doubles(self, vms: Sequence[Vm]) -> list[Vm]:
        """Our machines with the mark of a node that exists already: a creating call whose answer was lost was carried out late."""
        ours: dict[str, list[Vm]] = {}
        for vm in vms:
            member = _vms.node_or_stray(vm, self.scope.cluster, {})
            if isinstance(member, Node) and self.owns(member.mark) and member.state is not State.DELETING:
                ours.setdefault(str(member.mark), []).append(vm)
        return [vm for group in ours.values() for vm in group if vm.id != _vms.chosen(group).id and not vm.lent]

    def shortages(self, specs: Sequence[NodeSpec], volumes: Sequence[VolumeSpec], going: Sequence[Node] = ()) -> list[str]:
        return Shortages(self.options, self.one, self._names, self._templates, going).of(specs, volumes) if specs or volumes else []

    def definitions(self, specs: Sequence[NodeSpec]) -> list[Definition]:
        return [self._definition(spec) for spec in specs]

    def _definition(self, spec: NodeSpec) -> Definition:
        """An image that must not be used any more is no reason to refuse a run that creates no node of it: `shortages` and `create` refuse it."""
        unknown = tuple(self._names.unknown(spec, trusted=False))
        return Definition(unknown) if unknown else Definition((), self._templates.parts(self._templates.draft(spec, trusted=False)))

    def learn_host_keys(self, nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
        """Those of nodes that are reached from outside; others are first contacted through one of these, inside the cloud's network."""
        new = [node for node in nodes if not node.host_keys and node.address(public=True)]
        tokens = {str(vm.id): vm.attributes.get(_vms.TOKEN, "") for vm in self._vms()} if new else {}
        learned = dict(each(lambda node: (node, self._learned(node, tokens.get(node.id, ""))), new))
        found = {node.name: (key,) for node, key in learned.items() if key}
        if found:
            self._notes.write({int(node.id): {"host_keys": (key,)} for node, key in learned.items() if key})
        hidden = {node.name: node.host_keys for node in nodes if node not in new}
        return found | hidden | {node.name: () for node in new if not tokens.get(node.id)}

    @staticmethod
    def _learned(node: Node, token: str) -> str | None:
        return _host_keys.learned(node.name, node.address(public=True), node.port or 22, token) if token else None

    # creating

    def create(self, specs: Sequence[NodeSpec]) -> Iterator[Event]:
        if not specs:
            return
        seen = self._seen()
        self._remove_doubles(seen.vms)
        self._forget_gone(seen)
        lent = marks(seen.documents) if any(Extra.known(spec.extra).machines for spec in specs) else {}
        existing = Existing(seen.vms, self._lock.current(seen.documents), lent)
        yield from each(Creation(self.one, self.pdisk, self._templates, self._volumes, self._notes, existing).node, specs)

    def _forget_gone(self, seen: Seen) -> None:
        """Drop the notes of machines that are not listed, once it is proved that these are gone: lists may lack what exists.

        Raises:
            Unavailable: one is not.
        """
        unlisted = set(seen.notes) - {vm.id for vm in seen.vms}
        for number in sorted(unlisted):
            with contextlib.suppress(Missing):
                vm = _vms.read(self.one.vm(number))
                if vm.state != DONE:
                    raise Unavailable(f"no list shows machine {number}, which is {vm.name} and exists")
        if unlisted:
            self._notes.forget(unlisted)

    def _remove_doubles(self, vms: Sequence[Vm]) -> None:
        for vm in self._doubles(vms):
            with contextlib.suppress(Missing):
                self.one.act("finalize", vm.id)

    def gaps(self) -> list[str]:
        return [f"machine {vm.id}, a second one of node {vm.name}" for vm in self._doubles(self._seen().vms)]

    def repair(self) -> None:
        self._remove_doubles(self._seen().vms)

    # deleting

    def delete(self, nodes: Sequence[Node]) -> Iterator[Event]:
        if not nodes:
            return
        vms = {str(vm.id): vm for vm in self._seen().vms}
        gone = []
        for event, node in each(lambda node: (event_of(node.name, lambda: self._deleted(node, vms)), node), nodes):
            if event.stage is Stage.DELETED:
                gone.append(int(node.id))
            yield event
        if gone:
            self._notes.forget(set(gone))

    def _deleted(self, node: Node, vms: Mapping[str, Vm]) -> Event:
        if not self.owns(node.mark):
            return self.foreign(node.name, node.mark)
        try:
            vm = vms.get(node.id) or _vms.read(self.one.vm(int(node.id)))
            if vm.state != DONE:
                if vm.mark_text != str(node.mark):
                    reason = f"its mark is '{vm.mark_text}' and not '{node.mark}'" if vm.mark_text else "it has no mark"
                    return Event(node.name, Stage.FAILED, f"machine {vm.id}: {reason}: it is left alone", final=True)
                if vm.lent:
                    return self._released(node, vm)
                self.one.act("finalize", vm.id)
        except Missing:
            pass
        return Event(node.name, Stage.DELETED)

    def _released(self, node: Node, vm: Vm) -> Event:
        """A machine that somebody else created is kept, without the cluster's volumes."""
        for volume in self._volumes.listed(self.pdisk.disks(), [vm]):
            if isinstance(volume, Volume) and volume.attached:
                self.pdisk.detach(volume.id, str(vm.id))
        return Event(node.name, Stage.DELETED, f"machine {vm.id} is kept")

    # volumes

    def create_volumes(self, volumes: Sequence[VolumeSpec]) -> Iterator[Event]:
        yield from each(lambda wanted: event_of(wanted.name, lambda: self._volume_created(wanted)), volumes)

    def _volume_created(self, wanted: VolumeSpec) -> Event:
        disk, _new = self._volumes.ensure(wanted, self.mark_of(wanted.name))
        return Event(wanted.name, Stage.MADE, disk.uuid)

    def delete_volumes(self, volumes: Sequence[Volume]) -> Iterator[Event]:
        if not volumes:
            return
        known = {volume.id: volume for volume in self.listing().volumes}
        yield from each(lambda volume: event_of(volume.name, lambda: self._volume_deleted(known.get(volume.id), volume)), volumes)

    def _volume_deleted(self, now: Volume | None, volume: Volume) -> Event:
        if not self.owns(volume.mark):
            return self.foreign(volume.name, volume.mark)
        if now is None:
            return Event(volume.name, Stage.DELETED)
        if now.mark != volume.mark or now.attached:
            reason = f"volume {volume.name} is attached to {now.attached}" if now.attached else f"volume {volume.name} has the mark '{now.mark}' now"
            return Event(volume.name, Stage.FAILED, reason, final=True)
        self._volumes.free(Disk(volume.id, volume.name))
        try:
            self.pdisk.delete(volume.id)
        except Conflict as error:
            return Event(volume.name, Stage.FAILED, str(error), final=True)
        return Event(volume.name, Stage.DELETED)

    # images

    @property
    def _images(self) -> Images:
        return Images(self.marketplace, self.pdisk, self.access.signer, image_mark(self.owner))

    def images(self) -> list[Image]:
        return self._images.all()

    def add_image(self, spec: ImageSpec, file: BinaryIO) -> Image:
        return self._images.add(spec, file)

    def delete_image(self, image: Image) -> None:
        self._images.delete(image)

    def fetch_image(self, image: Image, take: Callable[[bytes], object]) -> None:
        self._images.fetch(image, take)

    # notes on nodes

    def set_ready(self, nodes: Sequence[Node], value: str) -> None:
        self._note(nodes, ready=value)

    def set_clouds(self, nodes: Sequence[Node], clouds: Sequence[str]) -> None:
        self._note(nodes, clouds=tuple(clouds))

    def _note(self, nodes: Sequence[Node], **values: Any) -> None:
        if nodes:
            self._notes.write({int(node.id): values for node in nodes})

    # the end

    def dismantle(self) -> None:
        left = [node.name for node in self.listing().nodes if self.owns(node.mark) and node.state is not State.DELETING]
        if left:
            raise CloudError(f"cluster {self.scope.cluster} still has nodes: {', '.join(left)}")
        self._notes.delete()
        self._lock.sweep()

    def leftovers(self) -> list[str]:
        listing = self.listing()
        nodes = [f"node {node.name}" for node in listing.nodes if self.owns(node.mark)]
        volumes = [f"volume {volume.name}" for volume in listing.volumes if self.owns(volume.mark)]
        return [*nodes, *volumes, *(f"template {name}" for name in self._notes.names(self.one.documents()))]

    # the run's lock

    def lock(self, holder: str, seconds: float) -> Lease:
        return self._lock.take(holder, seconds)

    def locked_by(self) -> Holding | None:
        return self._lock.holding()

    def renew(self, lease: Lease, seconds: float) -> None:
        self._lock.renew(lease, seconds)

    def unlock(self, lease: Lease) -> None:
        self._lock.release(lease)
