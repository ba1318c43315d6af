# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records on the machine -> nodes, volumes and strays of a cluster. Reads only what everybody may read."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from .._contract import Address, Listing, Mark, MarkError, Node, State, Stray, Volume
from . import _definitions
from ._host import files, network, records
from ._host.condition import Inspector
from ._host.places import NodePlace, Zone
from ._host.records import Damaged, NodeRecord, VolumeRecord

R = TypeVar("R", NodeRecord, VolumeRecord)


def as_addresses(zone: Zone, address: str, public: bool) -> tuple[Address, ...]:
    """What a node's address is: a public one is the same outside. None if it is empty."""
    reach = (False, True) if public else (False,)
    return tuple(Address(address, 4, zone.name, each) for each in reach if address)


class Reader:
    """Reads one zone for one cluster."""

    def __init__(self, zone: Zone, cluster: str) -> None:
        self.zone = zone
        self.cluster = cluster
        self.inspector = Inspector(zone)
        self.network = str(network.noted_network(zone) or "")

    def listing(self) -> Listing:
        nodes: list[Node] = []
        strays: list[Stray] = []
        volumes: list[Volume] = []
        for name in self._node_names():
            found = self.node(name)
            if isinstance(found, Node):
                nodes.append(found)
            elif found is not None:
                strays.append(found)
        for name in records.volume_names(self.zone):
            item = self._volume(name)
            if isinstance(item, Volume):
                volumes.append(item)
            elif item is not None:
                strays.append(item)
        strays += [Stray("volume", name, name, "its file has no mark") for name in self._files_without_record()]
        return Listing(tuple(nodes), tuple(volumes), tuple(strays))

    def _node_names(self) -> Iterator[str]:
        return (folder.name for folder in files.folders(self.zone.nodes) if not folder.name.startswith("."))

    def node(self, name: str) -> Node | Stray | None:
        """The node of that name; None if there is none, or it is another cluster's."""
        place = NodePlace(self.zone, name)
        ours = self._named_like(name, "")
        read = self._marked(place.record, NodeRecord, f"node {name}", ours)
        if read is None:  # folders go by being renamed: one without a record may be gone by now
            return Stray("node", name, name, "it has no mark") if ours and place.folder.exists() else None
        record, mark = read
        if mark.cluster == self.cluster and mark.node_name == name:
            return self._as_node(name, record, mark)
        return Stray("node", name, record.id, f"it has the mark '{mark}'") if ours or mark.cluster == self.cluster else None

    def _volume(self, name: str) -> Volume | Stray | None:
        ours = self._named_like(name, "-[a-z][a-z0-9]*")
        file = self.zone.volumes / f"{name}.json"
        read = self._marked(file, VolumeRecord, f"volume {name}", ours)
        if read is None:
            return Stray("volume", name, name, "it has no mark") if ours and file.exists() else None
        record, mark = read
        if mark.cluster == self.cluster and mark.is_of_volume(name):
            return self._as_volume(name, record, mark)
        return Stray("volume", name, record.id, f"it has the mark '{mark}'") if ours or mark.cluster == self.cluster else None

    def _marked(self, file: Path, kind: type[R], what: str, ours: bool) -> tuple[R, Mark] | None:
        """A record and its mark; what is damaged stops us if it could be this cluster's, and else is somebody's whom it does not concern."""
        text = files.read(file)
        try:
            mark = Mark.parse(records.mark(text)) if text else None
            if mark is None:
                return None
            return records.loads(kind, text), mark
        except (Damaged, MarkError) as error:
            if ours:
                raise MarkError(f"the mark of {what} in {file} cannot be understood: {error}") from error
            return None

    def _named_like(self, name: str, rest: str) -> bool:
        """Whether an object of this cluster would have such a name."""
        return re.fullmatch(rf"{re.escape(self.cluster)}-[a-z][a-z0-9]*-\d+{rest}", name) is not None

    def _files_without_record(self) -> list[str]:
        known = set(records.volume_names(self.zone))
        names = {path.stem for path in self.zone.volumes.glob("*.img")} - known
        return sorted(name for name in names if self._named_like(name, "-[a-z][a-z0-9]*"))

    def _as_node(self, name: str, record: NodeRecord, mark: Mark) -> Node:
        condition = self.inspector.condition(name, record)
        return Node(
            name=name,
            id=record.id,
            mark=mark,
            state=State(condition.state),
            addresses=as_addresses(self.zone, record.address, record.public),
            flavor=record.flavor,
            image=record.image,
            architecture=platform.machine(),
            cores=record.cores,
            memory=record.memory,
            created=record.created,
            ready=record.ready,
            clouds=tuple(record.clouds),
            number=record.number,
            host_keys=tuple(record.host_keys),
            fault=condition.fault,
            made=_definitions.made(record, self.network),
        )

    def _as_volume(self, name: str, record: VolumeRecord, mark: Mark) -> Volume:
        short = name.removeprefix(f"{mark.node_name}-")
        try:
            holder = records.node(NodePlace(self.zone, mark.node_name))
        except Damaged:
            holder = None
        attached = holder is not None and holder.mark == str(mark) and short in holder.volumes
        return Volume(
            name=name,
            id=record.id,
            mark=mark,
            size=records.volume_size(self.zone, name),
            type=record.type,
            attached=mark.node_name if attached else "",
            device=f"/dev/sky/{short}" if attached else "",
            created=record.created,
        )
