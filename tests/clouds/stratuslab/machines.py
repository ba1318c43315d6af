# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries the virtual machines of the site: nothing at all for most images, LXC for those that say so.

An image is a file. One whose content is ``{"lxc": NAME}`` starts the local cloud's image of that name; every other starts a machine that exists in
the lists only, as OpenNebula's own dummy driver does it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import urlopen

from lxml import etree

from .gateway import Gateway
from .marketplace import NS, Entry, Marketplace
from .objects import Vm
from .oned import DeployError
from .pdisk import LIVE, READ_ONLY, READ_WRITE, BackendError, Disk, Pdisk

DATA = (READ_ONLY, READ_WRITE)
IDE = ("hda", "hdb", "hdc", "hdd")  # two channels with two disks each


@dataclass(frozen=True)
class Policy:
    """/etc/stratuslab/policy.cfg: an empty white list restricts nothing."""

    white_endorsers: Sequence[str] = ()
    black_endorsers: Sequence[str] = ()
    white_checksums: Sequence[str] = ()
    black_checksums: Sequence[str] = ()
    white_images: Sequence[str] = ()
    black_images: Sequence[str] = ()

    def passes(self, entry: Entry, sha1: str) -> bool:
        pairs = (
            (entry.email, self.white_endorsers, self.black_endorsers),
            (sha1, self.white_checksums, self.black_checksums),
            (entry.identifier, self.white_images, self.black_images),
        )
        return all((not white or value in white) and value not in black for value, white, black in pairs)


class Hypervisor(Protocol):
    """Starts machines that have an operating system."""

    def start(self, vm: Vm, image: str, volumes: Mapping[str, Path]) -> None:
        """
        Args:
            image: of the local cloud.
            volumes: files of its persistent disks, by the guest's names of them.
        """

    def again(self, vm: Vm) -> None: ...

    def stop(self, vm: Vm, files: Sequence[Path]) -> None:
        """
        Args:
            files: of all its disks, which nothing must use any more.
        """

    def runs(self, vm: Vm) -> bool: ...

    def attach(self, vm: Vm, device: str, file: Path) -> None: ...

    def detach(self, vm: Vm, device: str, file: Path) -> None: ...


class Nodes:
    """The nodes of the site, with pdisk's and the policy's part of a machine's life."""

    def __init__(
        self, pdisk: Pdisk, marketplace: Marketplace, gateway: Gateway, hypervisor: Hypervisor | None = None, policy: Policy | None = None
    ) -> None:
        self.pdisk = pdisk
        self.gateway = gateway
        self.marketplace = marketplace
        self.policy = policy or Policy()
        self.hypervisor = hypervisor
        self.halted: set[int] = set()  # machines without an operating system that a test switched off
        self.vm_of: Callable[[int], Vm] = _nobody
        self._real: dict[int, str] = {}  # images of the machines that have an operating system
        self._hot: dict[tuple[int, str], str] = {}  # the guest's names of disks that were attached while it ran
        self._fetching = threading.Lock()

    # called by oned

    def prolog(self, vm: Vm) -> None:
        disks = vm.template.vectors("DISK")
        with self._fetching:
            content = self._root(vm, disks[0].get("SOURCE", "")) if disks else b""
        image = _descriptor(content)
        if image:
            self._real[vm.id] = image
        for disk in self._persistent(vm).values():
            if disk.type not in DATA:
                raise DeployError(f"Error attaching disk {disk.uuid}: it is of type {disk.type}")
            self.pdisk.registered(disk, vm.id)

    def boot(self, vm: Vm) -> None:
        _check_targets(vm)
        if vm.id in self._real and self.hypervisor:
            files = {_guest_name(target): self.pdisk.file(disk) for target, disk in self._persistent(vm).items()}
            self.hypervisor.start(vm, self._real[vm.id], files)
        self.gateway.open(vm)

    def restart(self, vm: Vm) -> None:
        self.halted.discard(vm.id)
        self._hot = {key: device for key, device in self._hot.items() if key[0] != vm.id}  # it starts as it is described
        if vm.id in self._real and self.hypervisor:
            self.hypervisor.again(vm)

    def destroy(self, vm: Vm) -> None:
        self.gateway.close(vm)
        if vm.id in self._real and self.hypervisor:
            held = [disk for disk in self.pdisk.disks.values() if str(vm.id) in disk.mounts]
            self.hypervisor.stop(vm, [self.pdisk.folder / disk.uuid for disk in held])
        self.pdisk.release(vm.id)
        self._real.pop(vm.id, None)

    def alive(self, vm: Vm) -> bool:
        if vm.id in self._real and self.hypervisor:
            return self.hypervisor.runs(vm)
        return vm.id not in self.halted

    # called by pdisk

    def change(self, number: str, target: str, file: Path, what: str) -> None:
        """Attach a file to a machine that runs, or detach it. The guest calls it by its next free letter of virtio, whatever the target."""
        vm = self._addressed(number, what)
        if vm.id not in self._real or not self.hypervisor:
            return
        if what == "attach":
            device = self._next_letter(vm)
            self.hypervisor.attach(vm, device, file)
            self._hot[vm.id, target] = device
        else:
            self.hypervisor.detach(vm, self._hot.pop((vm.id, target), target), file)

    def _addressed(self, number: str, what: str) -> Vm:
        """The machine that is to get a disk, and runs; or that had one.

        Raises:
            BackendError: in the words of the program there, which looks for a domain of this name.
        """
        try:
            vm = self.vm_of(int(number))
        except (KeyError, ValueError):
            vm = None
        if vm is None or (what == "attach" and not vm.running):
            raise BackendError(f"Command failed: virsh {what}-disk one-{number}: error: failed to get domain 'one-{number}'")
        return vm

    def _next_letter(self, vm: Vm) -> str:
        taken = [disk["TARGET"] for disk in vm.template.vectors("DISK") if disk.get("TARGET", "").startswith("vd")]
        taken += [device for (number, _target), device in self._hot.items() if number == vm.id]
        last = max((device[-1] for device in taken), default="`")
        return f"vd{chr(ord(last) + 1)}"

    # images

    def _persistent(self, vm: Vm) -> dict[str, Disk]:
        disks = vm.template.vectors("DISK")[1:]
        found = {each.get("TARGET", ""): self.pdisk.of(each.get("SOURCE", "")) for each in disks if each.get("SOURCE", "").startswith("pdisk:")}
        missing = [target for target, disk in found.items() if disk is None]
        if missing:
            raise DeployError(f"Error attaching disk {missing[0]}: it does not exist")
        return {target: disk for target, disk in found.items() if disk is not None}

    def _root(self, vm: Vm, source: str) -> bytes:
        if source.startswith("pdisk:"):
            disk = self.pdisk.of(source)
            if disk is None or disk.type != LIVE or disk.count:
                raise DeployError(f"Error executing image transfer script: {source} cannot be started")
            self.pdisk.registered(disk, vm.id)
            return b""
        if "/metadata/" not in source:
            return b""
        identifier = source.rpartition("/")[2]
        entries = [entry for entry in self.marketplace.valid(identifier) if self.policy.passes(entry, _sha1_of(entry))]
        if not entries:
            raise DeployError("Policy validation failed")
        origin = self.pdisk.origin(identifier) or self.pdisk.keep(identifier, self._fetched(entries[0]))
        if origin.visibility == "PRIVATE" and origin.owner not in ("pdisk", vm.uname):
            raise DeployError(f"Error executing image transfer script: image {identifier} is private")
        self.pdisk.start_from(origin, vm.id)
        return (self.pdisk.folder / origin.uuid).read_bytes()

    def _fetched(self, entry: Entry) -> bytes:
        """The content at the first location, as its description says it is."""
        location = entry.values.get("slterms:location", "")
        try:
            content = self._read(location)
        except (OSError, EOFError, ValueError) as error:
            raise DeployError(f"Error executing image transfer script: cannot download {location}: {error}") from None
        if len(content) != int(entry.values["slreq:bytes"]):
            raise DeployError(f"Error executing image transfer script: size of {location} does not match")
        if hashlib.sha1(content).hexdigest() != _sha1_of(entry):
            raise DeployError(f"Error executing image transfer script: checksum of {location} does not match")
        return content

    def _read(self, location: str) -> bytes:
        disk = self.pdisk.disks.get(urlsplit(location).path.rpartition("/")[2])
        if disk is not None:
            return self.pdisk.file(disk).read_bytes()
        context = ssl._create_unverified_context() if location.startswith("https:") else None  # as the old client's server side does it
        with urlopen(location, timeout=60, context=context) as answer:
            content: bytes = answer.read()
        return gzip.decompress(content) if location.endswith(".gz") else content


def _nobody(number: int) -> Vm:
    """Until oned is there."""
    raise KeyError(number)


def _check_targets(vm: Vm) -> None:
    """What libvirt refuses of a machine's disks, that of its context among them.

    Raises:
        DeployError: two have one target, or one has a place that IDE does not have.
    """
    disks = [*vm.template.vectors("DISK"), *vm.template.vectors("CONTEXT")]
    targets = [disk["TARGET"] for disk in disks if disk.get("TARGET")]
    for target in targets:
        if targets.count(target) > 1:
            raise DeployError(f"Error deploying virtual machine: error: XML error: target '{target}' duplicated")
        if target.startswith("hd") and target not in IDE:
            raise DeployError(
                f"Error deploying virtual machine: error: unsupported configuration: no place for target '{target}' on the IDE controller"
            )


def _guest_name(target: str) -> str:
    """What Linux calls a disk that was there at the start: those of IDE are SCSI disks to it."""
    return f"sd{target[2:]}" if target.startswith("hd") else target


def _sha1_of(entry: Entry) -> str:
    root = etree.fromstring(entry.text.encode())
    found = [
        item.findtext("slreq:value", "", NS).strip()
        for item in root.iterfind(".//slreq:checksum", NS)
        if item.findtext("slreq:algorithm", "", NS).strip() == "SHA-1"
    ]
    return str(found[0]) if found else ""


def _descriptor(content: bytes) -> str:
    """The local cloud's image that a content names; empty where it names none."""
    if not content.startswith(b'{"lxc":'):
        return ""
    found = json.loads(content.split(b"\n", 1)[0])["lxc"]
    return str(found)
