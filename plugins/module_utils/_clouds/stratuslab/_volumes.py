# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data volumes: disks of the account whose tag is the mark of their node, and the volume's name."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .._common._parallel import each as side_by_side
from .._contract import CloudError, Invalid, Mark, MarkError, Stray, Unavailable, Volume, VolumeSpec
from ._errors import Missing
from ._one import One
from ._pdisk import LARGEST, STATIC, Disk, Pdisk
from ._vms import DONE, Vm, read

SIGN = "sky/"
VIRTIO = "vd"
SHORT = re.compile(r"[a-z][a-z0-9]*")
PATIENCE = 60.0  # s until a machine that has ended lets its disks go
PAUSE = 0.5


def tag_of(mark: Mark, name: str) -> str:
    """The tag of a volume."""
    return f"{mark} {name.removeprefix(f'{mark.node_name}-')}"


@dataclass(frozen=True)
class Tagged:
    """A disk that is a volume of a node."""

    disk: Disk
    mark: Mark
    name: str


def tagged(disk: Disk, cluster: str) -> Tagged | Stray | None:
    """What a disk is to a cluster; None where it has nothing to do with it.

    Raises:
        MarkError: its tag cannot be understood, and it may be one of the cluster's.
    """
    words = disk.tag.split(" ")
    if not disk.tag.startswith(SIGN):
        named = re.fullmatch(rf"{re.escape(cluster)}-[a-z][a-z0-9]*-\d+-[a-z][a-z0-9]*", disk.tag)
        return Stray("volume", disk.tag, disk.uuid, "it has no mark") if named else None
    try:
        mark = Mark.parse(" ".join(words[:5]))
        if mark is None or len(words) != 6 or SHORT.fullmatch(words[5]) is None:
            raise MarkError(f"the tag '{disk.tag}' is damaged: 'sky/1 owner cluster pool index volume' is expected")
    except MarkError as error:
        if len(words) > 2 and words[2] != cluster:
            return None
        raise MarkError(f"the tag of disk {disk.uuid} cannot be understood: {error}") from error
    return Tagged(disk, mark, mark.volume_name(words[5])) if mark.cluster == cluster else None


class Volumes:
    """The data volumes of one cluster."""

    def __init__(self, pdisk: Pdisk, one: One, cluster: str) -> None:
        self._pdisk = pdisk
        self._one = one
        self._cluster = cluster
        self._making = threading.Lock()  # one after the other: a name is looked up and then taken

    def of(self, disks: Iterable[Disk]) -> list[Tagged | Stray]:
        found = [tagged(disk, self._cluster) for disk in disks]
        return [each for each in found if each is not None]

    def listed(self, disks: Sequence[Disk], vms: Sequence[Vm]) -> list[Volume | Stray]:
        """Volumes, each with the node that has it.

        Disks of a machine's start are in its own template. Those that were attached later only the disk service knows, which has a call for each.
        """
        found = self.of(disks)
        of_start = {uuid for vm in vms for uuid in vm.pdisks}
        later = [each.disk.uuid for each in found if isinstance(each, Tagged) and each.disk.count and each.disk.uuid not in of_start]
        mounts = dict(side_by_side(self._mounted, later))
        return [each if isinstance(each, Stray) else self._volume(each, vms, mounts.get(each.disk.uuid, {})) for each in found]

    def _mounted(self, uuid: str) -> tuple[str, dict[str, str]]:
        try:
            return uuid, self._pdisk.mounts(uuid)
        except Missing:  # it has just been deleted
            return uuid, {}

    def _volume(self, each: Tagged, vms: Sequence[Vm], mounts: Mapping[str, str]) -> Volume:
        holder, device = _holder(each.disk, vms, mounts)
        return Volume(name=each.name, id=each.disk.uuid, mark=each.mark, size=each.disk.size, attached=holder.name if holder else "", device=device)

    def named(self, name: str, mark: Mark) -> Disk | None:
        """A node's volume, if it exists.

        Raises:
            Invalid: its name is taken, or it exists more than once.
        """
        return self.chosen(self._pdisk.disks(), name, mark)

    def chosen(self, disks: Iterable[Disk], name: str, mark: Mark) -> Disk | None:
        found = [each for each in self.of(disks) if each.name == name]
        for each in found:
            if isinstance(each, Stray) or each.mark != mark:
                where, why = (each.id, each.reason) if isinstance(each, Stray) else (each.disk.uuid, f"its mark is '{each.mark}'")
                raise Invalid(f"the name {name} is taken by disk {where}: {why}")
        ours = [each.disk for each in found if isinstance(each, Tagged)]
        if len(ours) > 1:
            raise Invalid(f"{len(ours)} disks have the name and the mark of {name}: delete those that are not the node's")
        return ours[0] if ours else None

    def ensure(self, spec: VolumeSpec, mark: Mark, attached: Sequence[str] = ()) -> tuple[Disk, bool]:
        """A node's volume, and whether it was created just now.

        Args:
            attached: disks that the node's machine has.
        """
        if spec.size > LARGEST:
            raise Invalid(f"volume {spec.name}: a disk has at most {LARGEST} GiB, {spec.size} are asked for")
        with self._making:
            known = self.named(spec.name, mark)
            if known:
                return known, False
            self._see_unattached(tag_of(mark, spec.name), attached)
            uuid = self._pdisk.create(spec.size, tag_of(mark, spec.name))
            return Disk(uuid, tag_of(mark, spec.name), size=spec.size), True

    def _see_unattached(self, tag: str, attached: Sequence[str]) -> None:
        """Prove that a machine does not have a disk which is not listed: lists may lack what exists.

        Raises:
            Unavailable: it has.
        """
        for uuid in attached:
            with contextlib.suppress(Missing):
                if self._pdisk.disk(uuid).tag == tag:
                    raise Unavailable(f"no list shows disk {uuid} ({tag}), which exists")

    def free(self, disk: Disk) -> None:
        """Wait until no machine has a disk; one that has ended may still have to let it go.

        Raises:
            CloudError: a machine has it that has not ended.
            Unavailable: it is not let go in time.
        """
        end = time.monotonic() + PATIENCE
        while mounts := self._pdisk.mounts(disk.uuid):
            for number in mounts:
                if not self._ended(number):
                    raise CloudError(f"disk {disk.uuid} ({disk.tag}) is attached to machine {number}")
            if time.monotonic() > end - PATIENCE / 2:  # its host should have done this by now
                for number in mounts:
                    self._pdisk.detach(disk.uuid, number, metadata_only=True)
            if time.monotonic() > end:
                raise Unavailable(f"disk {disk.uuid} ({disk.tag}) is still attached to a machine that has ended")
            time.sleep(PAUSE)

    def _ended(self, number: str) -> bool:
        try:
            return not number.isdigit() or read(self._one.vm(int(number))).state == DONE
        except Missing:
            return True


def _holder(disk: Disk, vms: Sequence[Vm], mounts: Mapping[str, str]) -> tuple[Vm | None, str]:
    """The machine that has a disk, and the name of the device there.

    Args:
        mounts: targets by machine, of a disk that was attached later.
    """
    for vm in vms:
        if vm.has(disk.uuid):
            return vm, f"/dev/{vm.target(disk.uuid)}"
    known = {str(vm.id): vm for vm in vms}
    for number, target in mounts.items():
        if number in known and target != STATIC:
            return known[number], hot_device(known[number], target)
    return None, ""


def hot_device(vm: Vm, target: str) -> str:
    """The name that a machine gives to a disk which was attached while it ran: the letter after those of its start, whatever the target.

    Such a disk is of virtio, also where those of the start are not, and a system names the disks of each bus from a on. Targets are given out from z
    backwards.
    """
    first = sum(each.startswith(VIRTIO) for each in vm.targets or (f"{VIRTIO}a",))
    place = ord("z") - ord(target[-1]) if target else 0
    return f"/dev/{VIRTIO}{chr(ord('a') + first + place)}"
