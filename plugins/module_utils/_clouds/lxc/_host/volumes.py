# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: sparse files that outlive their nodes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import loops, records
from .condition import Inspector
from .errors import HostError
from .places import NodePlace, Zone
from .records import VolumeRecord, image_file


@dataclass(frozen=True)
class Wanted:
    """A volume that a node must have."""

    name: str  # <node>-<short>
    size: int  # GiB
    type: str = ""

    def short(self, node: str) -> str:
        return self.name.removeprefix(f"{node}-")


def ensure(zone: Zone, wanted: Wanted, mark: str, identifier: str, now: str) -> bool:
    """Make a volume if there is none; whether it was made.

    Raises:
        HostError: one of that name is there and is not this node's.
    """
    zone.volumes.mkdir(exist_ok=True)
    record = records.volume(zone, wanted.name)
    if record is None:
        if image_file(zone, wanted.name).exists():
            raise HostError(f"the file of volume {wanted.name} exists but has no mark: it is left alone")
        records.save(_record_file(zone, wanted.name), VolumeRecord(mark, identifier, now, wanted.type))
    elif record.mark != mark:
        raise HostError(f"volume {wanted.name} is marked '{record.mark}', not '{mark}': it is left alone")
    if image_file(zone, wanted.name).exists():
        return False
    _size(image_file(zone, wanted.name), wanted.size)
    return record is None


def exists(zone: Zone, name: str) -> bool:
    """Whether a volume is there whole: its record and its file."""
    return records.volume(zone, name) is not None and image_file(zone, name).exists()


def attach(zone: Zone, node: str, short_names: Sequence[str]) -> dict[str, str]:
    """Loop devices of a node's volumes, by short name."""
    return {short: loops.attach(image_file(zone, f"{node}-{short}")) for short in short_names}


def detach(zone: Zone, node: str, short_names: Sequence[str]) -> None:
    """Free the loop devices of a node that has stopped."""
    for short in short_names:
        loops.detach(image_file(zone, f"{node}-{short}"))


def release(zone: Zone) -> None:
    """Free the loop devices of nodes that were lost outside of a run: the zone is held, so nobody is about to attach one.

    What somebody else uses, such as a volume that was mounted by hand to save its data, is left alone.
    """
    looker = Inspector(zone)
    for file, device in loops.attached(zone.volumes).items():
        if looker.lost(Path(file).stem.rpartition("-")[0]) and not loops.busy(device):
            loops.detach(Path(file))


def resize(zone: Zone, wanted: Wanted, mark: str) -> None:
    """Extend a volume, also while its node uses it.

    Raises:
        HostError: it is not there, is another's, or would shrink.
    """
    _own(zone, wanted.name, mark)
    file = image_file(zone, wanted.name)
    if not file.exists():
        raise HostError(f"the file of volume {wanted.name} was deleted by hand: the data that its node still has is lost with the node")
    now = records.volume_size(zone, wanted.name)
    if wanted.size < now:
        raise HostError(f"volume {wanted.name} has {now} GiB and cannot shrink to {wanted.size}", "invalid")
    _size(file, wanted.size)
    loops.grow(file)


def delete(zone: Zone, name: str, identifier: str, mark: str) -> None:
    """Delete a volume and its data; nothing if it is gone already.

    Raises:
        HostError: a node has it, or it is not the one that was meant.
    """
    record = records.volume(zone, name)
    if record is None or record.id != identifier:
        return
    _own(zone, name, mark)
    node, short = name.rsplit("-", 1)
    holder = records.node(NodePlace(zone, node))
    if holder and holder.mark == mark and short in holder.volumes:
        raise HostError(f"volume {name} is attached to {node}")
    loops.detach(image_file(zone, name))
    discard(zone, name)


def discard(zone: Zone, name: str) -> None:
    image_file(zone, name).unlink(missing_ok=True)
    _record_file(zone, name).unlink(missing_ok=True)


def _own(zone: Zone, name: str, mark: str) -> None:
    record = records.volume(zone, name)
    if record is None:
        raise HostError(f"there is no volume {name}")
    if record.mark != mark:
        raise HostError(f"volume {name} is marked '{record.mark}', not '{mark}': it is left alone")


def _record_file(zone: Zone, name: str) -> Path:
    return zone.volumes / f"{name}.json"


def _size(file: Path, size: int) -> None:
    """Give a file its size in one step; its blocks come when they are written."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.ftruncate(handle, size * 2**30)
        os.fsync(handle)
    finally:
        os.close(handle)
