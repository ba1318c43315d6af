# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a node on the machine: made, started, stopped, deleted."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import containers, files, network, records, volumes
from .allocation import Allocation
from .cgroups import Layout
from .condition import Inspector
from .config import config, devices
from .disk import Disk, furnish, resolve
from .errors import HostError
from .files import folders, locked, remove_tree, write
from .images import Images, Recipe
from .places import NodePlace, Zone
from .processes import Process, boot_id
from .records import Damaged, NodeRecord
from .volumes import Wanted


@dataclass(frozen=True)
class Order:
    """A node that is to be made."""

    name: str
    mark: str
    image: str  # as it was asked for
    recipe: Recipe
    flavor: str
    cores: int
    memory: int  # MiB
    user: str
    keys: list[str] = field(default_factory=list)
    public: bool = False
    volumes: list[Wanted] = field(default_factory=list)
    resolvers: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    clouds: list[str] = field(default_factory=list)
    number: int = 0
    parts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: dict[str, Any]) -> Order:
        recipe = data["recipe"] | {"packages": tuple(data["recipe"]["packages"])}
        return cls(**data | {"recipe": Recipe(**recipe), "volumes": [Wanted(**volume) for volume in data["volumes"]]})


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def reserve(zone: Zone, orders: Sequence[Order]) -> dict[str, HostError]:
    """Give each node that does not exist its folder, its mark, an address and cores; the zone is held meanwhile.

    Returns:
        Why, by name, for nodes that cannot be made.
    """
    refused = {}
    with locked(zone.folder, make=True):
        zone.nodes.mkdir(exist_ok=True)
        sweep(zone)
        network.ensure(zone)
        allocation = Allocation(zone)
        for order in orders:
            try:
                _reserve(zone, order, allocation)
            except HostError as error:
                refused[order.name] = error
        network.load_rules(zone)
    return refused


def _reserve(zone: Zone, order: Order, allocation: Allocation) -> None:
    place = NodePlace(zone, order.name)
    if place.folder.exists():
        existing(place, order.mark)
        return
    record = NodeRecord(
        mark=order.mark,
        id=uuid.uuid4().hex[:12],
        created=now(),
        flavor=order.flavor,
        image=order.image,
        base="",
        cores=order.cores,
        memory=order.memory,
        address=allocation.address(order.name),
        mac=zone.mac(order.name),
        cpus=allocation.cpus(order.cores),
        user=order.user,
        public=order.public,
        volumes=[volume.short(order.name) for volume in order.volumes],
        extra=order.extra,
        parts=order.parts,
        clouds=order.clouds,
        number=order.number,
        maker=dataclasses.asdict(Process.current()),
    )
    # the folder appears with its mark in it, so that no crash leaves one that nobody can tell whose it is
    work = Path(tempfile.mkdtemp(prefix=f".new-{order.name}-", dir=zone.nodes))
    work.chmod(0o755)
    records.save(NodePlace(zone, order.name, work).record, record)
    work.rename(place.folder)


def existing(place: NodePlace, mark: str) -> NodeRecord:
    """The record of a node that must be there with this mark.

    Raises:
        HostError: it has another, or none.
    """
    try:
        record = records.node(place)
    except Damaged as error:
        raise HostError(f"the mark of node {place.name} in {place.record} is damaged ({error}): it is left alone", "invalid") from error
    if record is None:
        raise HostError(f"something called {place.name} exists and has no mark: it is left alone", "invalid")
    if record.mark != mark:
        raise HostError(f"node {place.name} is marked '{record.mark}', not '{mark}': it is left alone", "invalid")
    return record


def bring_up(zone: Zone, order: Order, base: str) -> None:
    """Make a reserved node, or start one that is stopped; one that runs is given the volumes that it lacks, if any.

    Raises:
        HostError: it could not be; what was made of it just now is gone again.
    """
    place = NodePlace(zone, order.name)
    with locked(place.folder):
        record = existing(place, order.mark)
        init = Inspector(zone).init(order.name)
        made: list[str] = []
        try:
            if init:
                _complete(place, record, order, init, made)
            else:
                _start(place, record, order, base, made)
        except BaseException as error:
            if not init:
                _undo_after(error, place, record, made)
            raise


def _start(place: NodePlace, record: NodeRecord, order: Order, base: str, made: list[str]) -> None:
    if place.disk.exists():
        containers.stop(place, cleanly=False)  # what may be left of an attempt that was killed
    fresh = not record.boot
    wanted = [volume.short(place.name) for volume in order.volumes]
    record = dataclasses.replace(
        record, base=record.base or base, maker=dataclasses.asdict(Process.current()), volumes=list(dict.fromkeys([*record.volumes, *wanted]))
    )
    image = Images(place.zone).root(record.base)
    records.save(place.record, record)
    _ensure_volumes(place, record, order, made)
    disk = Disk(place.root, image)
    if fresh:
        record = dataclasses.replace(record, host_keys=_furnish(place, disk, record, order))
        records.save(place.record, record)  # before it runs: whoever finds it running must know its keys
    resolve(disk, order.resolvers)
    loops = volumes.attach(place.zone, place.name, record.volumes)
    write(place.folder / "devices", devices(loops), 0o755)
    write(place.config, config(place, record, image, Layout.current(), loops))
    containers.start(place)
    records.save(place.record, dataclasses.replace(record, maker={}, boot=boot_id()))


def _ensure_volumes(place: NodePlace, record: NodeRecord, order: Order, made: list[str]) -> None:
    for wanted in order.volumes:
        if volumes.ensure(place.zone, wanted, record.mark, uuid.uuid4().hex[:12], now()):
            made.append(wanted.name)  # noqa: PERF401  what was made is known even if the next one fails


def _furnish(place: NodePlace, disk: Disk, record: NodeRecord, order: Order) -> list[str]:
    if place.disk.exists():  # half of what a killed attempt wrote
        remove_tree(place.disk)
    place.disk.mkdir(mode=0o700)
    return furnish(disk, place.name, record.address, record.user, order.keys)


def _complete(place: NodePlace, record: NodeRecord, order: Order, init: int, made: list[str]) -> None:
    """Finish what a killed run began with a running node, and attach what it was made without."""
    if record.maker or not record.boot:
        record = dataclasses.replace(record, maker={}, boot=boot_id())
        records.save(place.record, record)
    wanted = [volume.short(place.name) for volume in order.volumes]
    missing = [short for short in wanted if not Path(f"/proc/{init}/root/dev/sky", short).exists()]
    _check_not_lost(place, [short for short in wanted if short not in missing])
    if not missing:
        return
    records.save(place.record, dataclasses.replace(record, volumes=list(dict.fromkeys([*record.volumes, *missing]))))
    _ensure_volumes(place, record, order, made)
    for short, loop in volumes.attach(place.zone, place.name, missing).items():
        containers.add_device(place, loop, f"/dev/sky/{short}")


def _check_not_lost(place: NodePlace, attached: Sequence[str]) -> None:
    """A volume that a node has and that is no longer there: a new one beside it would hide that its data ends with the node.

    Raises:
        HostError: there is one.
    """
    for name in (f"{place.name}-{short}" for short in attached):
        if not volumes.exists(place.zone, name):
            raise HostError(
                f"volume {name} was deleted by hand while {place.name} has it: save its data, which is lost with the node, "
                f"then remove {place.name} and add it again",
                "invalid",
            )


def _undo_after(error: BaseException, place: NodePlace, record: NodeRecord, made: Sequence[str]) -> None:
    """Clean up behind an error; if that fails too, both errors are reported."""
    try:
        _undo(place, record, made)
    except HostError as second:
        raise HostError(f"{error}; and cleaning up failed: {second}") from error


def _undo(place: NodePlace, record: NodeRecord, made: Sequence[str]) -> None:
    """Clean what a node had that failed: all of it if it never ran, else what would keep it from another start."""
    containers.stop(place, cleanly=False)
    volumes.detach(place.zone, place.name, [*record.volumes, *(name.removeprefix(f"{place.name}-") for name in made)])
    if not record.boot:
        for name in made:
            volumes.discard(place.zone, name)
        _discard(place)
    else:
        records.save(place.record, dataclasses.replace(record, maker={}))


def delete(zone: Zone, name: str, identifier: str, mark: str) -> None:
    """Delete one node and keep its volumes; nothing if it is gone already.

    Raises:
        HostError: it is not the one that was meant, or does not let go of something.
    """
    place = NodePlace(zone, name)
    try:
        with locked(place.folder):
            if _other(place, identifier):
                return
            record = existing(place, mark)
            containers.stop(place, cleanly=bool(record.volumes))
            volumes.detach(zone, name, record.volumes)
            _discard(place)
    except FileNotFoundError:
        return
    if record.public:
        with locked(zone.folder):
            network.load_rules(zone)


def _other(place: NodePlace, identifier: str) -> bool:
    """Whether a node with another identifier exists under this name, so that the one that was meant is gone."""
    with contextlib.suppress(Damaged):
        record = records.node(place)
        return record is not None and record.id != identifier
    return False


def give_back(zone: Zone, order: Order) -> None:
    """Take back the reservation of a node that was not begun."""
    place = NodePlace(zone, order.name)
    with contextlib.suppress(FileNotFoundError), locked(place.folder):
        record = existing(place, order.mark)
        if not record.boot and not Inspector(zone).init(order.name):
            _discard(place)


def note(zone: Zone, name: str, identifier: str, mark: str, **values: Any) -> None:
    """Write the ready hash or the clouds in use into a node's record.

    Raises:
        HostError: it is not the node that was meant.
    """
    place = NodePlace(zone, name)
    try:
        with locked(place.folder):
            record = existing(place, mark)
            if record.id != identifier:
                raise HostError(f"node {name} was recreated meanwhile: its id is {record.id}, not {identifier}")
            records.save(place.record, dataclasses.replace(record, **values))
    except FileNotFoundError:
        raise HostError(f"there is no node {name}") from None


def _discard(place: NodePlace) -> None:
    """Remove a node's folder: first its name goes, in one step, then what was in it."""
    gone = place.folder.with_name(f".gone-{place.name}-{uuid.uuid4().hex[:8]}")
    place.folder.rename(gone)
    remove_tree(gone)


def sweep(zone: Zone) -> None:
    """Remove what was being made or removed when its process was killed, and what lost nodes held: the zone is held, so nobody is at it."""
    files.sweep(zone.folder, zone.volumes, zone.locks)
    for folder in folders(zone.nodes):
        if folder.name.startswith((".new-", ".gone-")):
            remove_tree(folder)
    volumes.release(zone)
    containers.forget(zone)
