# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local cloud: nodes are LXC containers on this machine."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from ..._base._schema import hint
from .._contract import (
    Address,
    Cloud,
    CloudError,
    Definition,
    Denied,
    Event,
    Holding,
    Image,
    ImageSpec,
    Invalid,
    Lease,
    Listing,
    Node,
    NodeSpec,
    Scope,
    Stage,
    Volume,
    VolumeSpec,
    image_mark,
    owner_name,
)
from . import _definitions, _images
from ._client import ERRORS, HostProgram, user
from ._host import locks
from ._host.added import PART, names
from ._host.allocation import addresses_used, free_address
from ._host.condition import console
from ._host.images import Images, Recipe
from ._host.places import NodePlace, Zone
from ._host.records import Damaged
from ._listing import Reader, as_addresses
from ._options import LxcOptions


class LxcCloud(Cloud):
    """Nodes of one cluster in one zone of this machine."""

    provider: ClassVar[str] = "lxc"
    poll_seconds: ClassVar[float] = 0.2
    shared_kinds: ClassVar[tuple[str, ...]] = ("bridge", "table")
    options: LxcOptions

    def __init__(self, name: str, options: LxcOptions, scope: Scope) -> None:
        super().__init__(name, options, scope)
        self._zone = Zone(options.zone, Path(options.path).resolve(), ipaddress.IPv4Network(options.network))
        self._host = HostProgram(options.zone, options.path, options.network)

    def identity(self) -> str:
        return owner_name(user())

    def listing(self) -> Listing:
        try:
            return self._reader().listing()
        except OSError as error:
            raise CloudError(f"listing {self._zone.folder} failed: {error}") from error

    def _reader(self) -> Reader:
        return Reader(self._zone, self.scope.cluster)

    def shortages(self, specs: Sequence[NodeSpec], volumes: Sequence[VolumeSpec], going: Sequence[Node] = ()) -> list[str]:
        if not specs and not volumes:
            return []
        images = self._image_names()
        unknown = list(dict.fromkeys(sentence for spec in specs for sentence in self._unknown(spec, images)))
        sizes = [self.options.all_flavors[spec.flavor] for spec in specs if spec.flavor in self.options.all_flavors]
        lacks: list[str] = self._host.value(
            "shortages",
            memory=[size.memory for size in sizes],
            cores=max((size.cores for size in sizes), default=0),
            gib=sum(volume.size for volume in volumes),
            resolvers=self.options.resolvers,
            going=[node.name for node in going],
        )
        return unknown + lacks

    def _unknown(self, spec: NodeSpec, images: list[str]) -> list[str]:
        """What of a node's specification this cloud does not know."""
        found = []
        if spec.image not in images:
            found.append(f"unknown image '{spec.image}'{hint(spec.image, images)}")
        if spec.flavor not in self.options.all_flavors:
            found.append(f"unknown flavor '{spec.flavor}'{hint(spec.flavor, list(self.options.all_flavors))}")
        found += [
            f"unknown key '{key}' under extra: the local cloud accepts configuration keys of LXC, 'lxc.*'"
            for key in spec.extra
            if not key.startswith("lxc.")
        ]
        return found + spec.faults

    def place(self) -> str:
        return f"zone {self._zone.name} in {self._zone.path} of this machine"

    def definitions(self, specs: Sequence[NodeSpec]) -> list[Definition]:
        images = self._image_names()
        found = []
        for spec in specs:
            unknown = self._unknown(spec, images)
            known = {} if unknown else _definitions.parts(spec, self.options, self._zone) | {"network": self.options.network}
            found.append(Definition(tuple(unknown), known, _definitions.FIXED))
        return found

    def unbuilt(self, specs: Sequence[NodeSpec]) -> list[str]:
        built = Images(self._zone)
        recipes = {name: self._recipe(name) for name in dict.fromkeys(spec.image for spec in specs)}
        return [name for name, recipe in recipes.items() if not built.exists(Recipe(name, recipe["suite"], tuple(recipe["packages"])))]

    def shared_missing(self, specs: Sequence[NodeSpec]) -> list[str]:
        return [part for part in self.gaps() if part.startswith(self.shared_kinds)] if specs else []

    def addresses_of(self, specs: Sequence[NodeSpec], going: Sequence[Node] = ()) -> Mapping[str, tuple[Address, ...]]:
        try:
            taken = addresses_used(self._zone) - {address.address for node in going for address in node.addresses}
        except (OSError, Damaged):
            return {}
        found = {}
        for spec in specs:
            address = free_address(self._zone, spec.name, taken)
            taken.add(address)
            found[spec.name] = as_addresses(self._zone, address, spec.public_ip)
        return {name: addresses for name, addresses in found.items() if addresses}

    def create(self, specs: Sequence[NodeSpec]) -> Iterator[Event]:
        orders = []
        images = self._image_names()
        for spec in specs:
            unknown = self._unknown(spec, images)
            if unknown:
                yield Event.failure(spec.name, Invalid("; ".join(unknown)))
            else:
                orders.append(self._order(spec))
        if orders:
            yield from self._events("create", nodes=orders, resolvers=self.options.resolvers)

    def _order(self, spec: NodeSpec) -> dict[str, Any]:
        """A node as the host program wants it described."""
        size = self.options.all_flavors[spec.flavor]
        return {
            "name": spec.name,
            "mark": str(spec.mark),
            "image": spec.image,
            "recipe": self._recipe(spec.image),
            "flavor": spec.flavor,
            "cores": size.cores,
            "memory": size.memory,
            "user": spec.ssh_user,
            "keys": list(spec.ssh_keys),
            "public": spec.public_ip,
            "volumes": [{"name": volume.name, "size": volume.size, "type": volume.type} for volume in spec.volumes],
            "extra": dict(spec.extra),
            "clouds": list(spec.clouds),
            "number": spec.number,
            "parts": _definitions.parts(spec, self.options, self._zone),
        }

    def _recipe(self, image: str) -> dict[str, Any]:
        recipe = self.options.all_images.get(image)
        if recipe is None:  # it was added
            return {"name": image, "suite": "", "packages": []}
        return {"name": image, "suite": recipe.suite, "packages": sorted({*recipe.packages, *self.options.packages})}

    def _events(self, do: str, **request: Any) -> Iterator[Event]:
        reader = self._reader()
        for event in self._host.events(do, **request):
            stage = Stage(event["stage"])
            node = reader.node(event["name"]) if stage is Stage.MADE and do == "create" else None
            detail = event["detail"] or (node.id if isinstance(node, Node) else "")
            made = node if isinstance(node, Node) else None
            error = ERRORS.get(event["kind"])
            yield Event(event["name"], stage, detail, event["log"], made, error is not None and error.final, error)

    def delete(self, nodes: Sequence[Node]) -> Iterator[Event]:
        yield from self._items("delete", nodes)

    def _items(self, do: str, things: Sequence[Node] | Sequence[Volume]) -> Iterator[Event]:
        items = []
        for thing in things:
            if self.owns(thing.mark):
                items.append({"name": thing.name, "id": thing.id, "mark": str(thing.mark)})
            else:
                yield self.foreign(thing.name, thing.mark)
        if items:
            yield from self._events(do, items=items)

    def create_volumes(self, volumes: Sequence[VolumeSpec]) -> Iterator[Event]:
        items = []
        for wanted in volumes:
            try:
                mark = self.mark_of(wanted.name)
            except Invalid as error:
                yield Event.failure(wanted.name, error)
            else:
                items.append({"name": wanted.name, "size": wanted.size, "type": wanted.type, "mark": str(mark)})
        if items:
            yield from self._events("create_volumes", items=items)

    def resize_volumes(self, volumes: Sequence[VolumeSpec]) -> Iterator[Event]:
        known = {volume.name: volume for volume in self.listing().volumes} if volumes else {}
        items = []
        for wanted in volumes:
            volume = known.get(wanted.name)
            refused = self.not_extended(wanted, volume)
            if refused:
                yield refused
            elif volume:
                items.append({"name": wanted.name, "size": wanted.size, "mark": str(volume.mark)})
        if items:
            yield from self._events("resize_volumes", items=items)

    def delete_volumes(self, volumes: Sequence[Volume]) -> Iterator[Event]:
        yield from self._items("delete_volumes", volumes)

    def images(self) -> list[Image]:
        try:
            return _images.listed(self._zone, self.options.all_images, image_mark(self.owner))
        except OSError as error:
            raise CloudError(f"listing {self._zone.images} failed: {error}") from error

    def _image_names(self) -> list[str]:
        return [*self.options.all_images, *names(self._zone)]

    def add_image(self, spec: ImageSpec, file: BinaryIO) -> Image:
        request = _images.request(spec, self.options.all_images, image_mark(self.owner), file)
        made = self._host.value("add_image", **request)
        return next(image for image in self.images() if image.id == made["base"])

    def delete_image(self, image: Image) -> None:
        if image.name in self.options.all_images:
            raise Invalid(f"image {image.name} is a recipe of the cloud's options, or a built-in one: it is left alone")
        self._host.value("delete_image", item={"name": image.name, "id": image.id, "mark": image_mark(self.owner)})

    def fetch_image(self, image: Image, take: Callable[[bytes], object]) -> None:
        if image.name in self.options.all_images:
            raise Invalid(f"image {image.name} is built on this machine from a recipe: it has no file that could be read")
        with tempfile.TemporaryFile() as file:
            self._host.value("fetch_image", item={"name": image.name, "id": image.id}, file=_images.open_file(file))
            while part := file.read(PART):
                take(part)

    def set_ready(self, nodes: Sequence[Node], value: str) -> None:
        self._note("set_ready", nodes, ready=value)

    def set_clouds(self, nodes: Sequence[Node], clouds: Sequence[str]) -> None:
        self._note("set_clouds", nodes, clouds=list(clouds))

    def _note(self, do: str, nodes: Sequence[Node], **values: Any) -> None:
        items = [{"name": node.name, "id": node.id, "mark": str(node.mark)} for node in nodes]
        if items:
            self._host.value(do, items=items, **values)

    def console(self, node: Node, lines: int = 20) -> str:
        return console(NodePlace(self._zone, node.name), lines)

    def gaps(self) -> list[str]:
        try:
            found: list[str] = self._host.value("gaps")
        except Denied:  # who may not look at the rules could not make them again either
            return []
        return found

    def repair(self) -> None:
        self._host.value("repair")

    def dismantle(self) -> None:
        self._host.value("dismantle")

    def leftovers(self) -> list[str]:
        found: list[str] = self._host.value("leftovers", cluster=self.scope.cluster)
        return found

    def shared_existing(self) -> list[str]:
        try:
            return super().shared_existing()
        except Denied:  # nor could this user remove it
            return []

    def lock(self, holder: str, seconds: float) -> Lease:
        return Lease(**self._host.value("lock", cluster=self.scope.cluster, holder=holder, seconds=seconds, pid=os.getpid()))

    def locked_by(self) -> Holding | None:
        try:
            held = locks.holding(self._zone, self.scope.cluster)
        except (OSError, ValueError) as error:
            raise CloudError(f"the lock in {self._zone.locks} cannot be read: {error}") from error
        return Holding(held["holder"], locks.since_text(held)) if held and not locks.stale(held) else None

    def renew(self, lease: Lease, seconds: float) -> None:
        self._host.value("renew", cluster=self.scope.cluster, token=lease.token, seconds=seconds)

    def unlock(self, lease: Lease) -> None:
        self._host.value("unlock", cluster=self.scope.cluster, token=lease.token)
