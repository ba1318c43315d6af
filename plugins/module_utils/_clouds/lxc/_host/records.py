# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of each node and volume: a file that is written before the object is created and removed after it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .files import folders, read, write_json
from .places import NodePlace, Zone
from .processes import Process

R = TypeVar("R", "NodeRecord", "VolumeRecord")


class Damaged(Exception):
    """A record that is there but cannot be understood."""


@dataclass(frozen=True)
class NodeRecord:
    """One node: its mark, what was asked for, what it was given."""

    mark: str
    id: str
    created: str
    flavor: str
    image: str  # as it was asked for
    base: str  # the image's folder
    cores: int
    memory: int  # MiB
    address: str
    mac: str
    cpus: list[int]
    user: str
    public: bool = False
    volumes: list[str] = field(default_factory=list)  # short names
    host_keys: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)  # what it was made from, in the words of the contract's definitions
    ready: str = ""
    clouds: list[str] = field(default_factory=list)  # the clouds that the cluster uses
    maker: dict[str, Any] = field(default_factory=dict)  # the process that makes or starts it, while it does
    boot: str = ""  # the machine's boot in which it was last started


@dataclass(frozen=True)
class VolumeRecord:
    """One volume; its size is that of its file."""

    mark: str  # of its node
    id: str
    created: str
    type: str = ""


def mark(text: str) -> str:
    """The mark in the text of a record, whatever else is in it: a newer version's record says that it is one.

    Raises:
        Damaged: the text is not even a record.
    """
    try:
        return str(json.loads(text).get("mark") or "")
    except (ValueError, AttributeError) as error:
        raise Damaged(str(error)) from error


def loads(cls: type[R], text: str) -> R:
    """Read a record.

    Raises:
        Damaged: it is not what we write.
    """
    known = {f.name: f for f in dataclasses.fields(cls)}
    try:
        data = {key: value for key, value in json.loads(text).items() if key in known}
    except (ValueError, AttributeError) as error:
        raise Damaged(str(error)) from error
    lacks = [name for name, f in known.items() if name not in data and f.default is f.default_factory is dataclasses.MISSING]
    if lacks:
        raise Damaged(f"it lacks {', '.join(lacks)}")
    return cls(**data)


def save(path: Path, record: NodeRecord | VolumeRecord) -> None:
    write_json(path, dataclasses.asdict(record))


def node(place: NodePlace) -> NodeRecord | None:
    """The record of a node; None where there is none."""
    text = read(place.record)
    return loads(NodeRecord, text) if text else None


def nodes(zone: Zone) -> dict[str, NodeRecord]:
    """All readable node records of a zone, by folder name; what is damaged or unmarked is not among them."""
    found = {}
    for folder in folders(zone.nodes):
        try:
            record = node(NodePlace(zone, folder.name, folder))
        except Damaged:
            continue
        if record is not None and not folder.name.startswith("."):
            found[folder.name] = record
    return found


def volume(zone: Zone, name: str) -> VolumeRecord | None:
    """The record of a volume; None where there is none."""
    text = read(zone.volumes / f"{name}.json")
    return loads(VolumeRecord, text) if text else None


def volume_names(zone: Zone) -> list[str]:
    """The names of all volumes of a zone, whoever's they are."""
    return sorted(path.stem for path in zone.volumes.glob("*.json") if not path.name.startswith("."))


def image_file(zone: Zone, name: str) -> Path:
    return zone.volumes / f"{name}.img"


def volume_size(zone: Zone, name: str) -> int:
    """GiB; 0 while its file is not there."""
    try:
        return image_file(zone, name).stat().st_size // 2**30
    except FileNotFoundError:
        return 0


def made_by(record: NodeRecord) -> Process | None:
    """The process that makes a node, if it still lives."""
    process = Process(**record.maker) if record.maker else None
    return process if process and process.alive() else None
