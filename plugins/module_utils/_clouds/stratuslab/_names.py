# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names in a specification mean: instance types, images, networks; and what is not known."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._base._schema import hint
from .._contract import Denied, Invalid, NodeSpec, Unavailable
from . import _metadata
from ._certificate import endorser
from ._credentials import Access
from ._errors import Missing
from ._marketplace import Marketplace, fits
from ._metadata import Metadata
from ._one import Element, One
from ._options import DEFAULT, InstanceType, StratusLabOptions
from ._pdisk import LIVE, Pdisk
from ._properties import TAR

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PREFIXES = {"ide": "hd", "scsi": "sd", "virtio": "vd"}
EXTRA = ("addresses", "architecture", "cpu", "machines", "requirements")  # keys of `extra`
OWN, FORMAT = "sky:mark", "sky:format"
SITE = "oneadmin"  # the user who has the networks of a site


@dataclass(frozen=True)
class Source:
    """What a node starts from."""

    id: str
    url: str  # DISK/SOURCE
    driver: str  # empty: the server decides
    prefix: str  # of the disks' names
    architecture: str = ""
    ports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extra:
    """Further options of a pool."""

    addresses: tuple[str, ...] = ()  # requested, by index
    architecture: str = ""  # of the hosts, as `uname -m` says it
    cpu: str = ""  # share of the cores
    requirements: str = ""
    machines: tuple[int, ...] = ()  # that exist, and are used as nodes, by index

    @classmethod
    def of(cls, extra: Mapping[str, Any]) -> Extra:
        """
        Raises:
            Invalid: a key is unknown, or a value wrong.
        """
        for key in extra:
            if key not in EXTRA:
                raise Invalid(f"unknown key '{key}' under extra{hint(key, list(EXTRA))}")
        addresses = extra.get("addresses", ())
        if not isinstance(addresses, (list, tuple)) or not all(isinstance(each, str) for each in addresses):
            raise Invalid(f"extra.addresses: must be a list of addresses, got {addresses!r}")
        cpu = str(extra.get("cpu", ""))
        if cpu and (re.fullmatch(r"\d+(\.\d+)?", cpu) is None or not float(cpu)):
            raise Invalid(f"extra.cpu: must be a number more than 0, got {cpu!r}")
        machines = _identifiers(extra.get("machines", ()))
        return cls(tuple(addresses), str(extra.get("architecture", "")), cpu, str(extra.get("requirements", "")), machines)

    @classmethod
    def known(cls, extra: Mapping[str, Any]) -> Extra:
        """The same; nothing if the options are wrong, which is reported elsewhere."""
        try:
            return cls.of(extra)
        except Invalid:
            return cls()

    def address(self, index: int) -> str:
        return self.addresses[index] if index < len(self.addresses) else ""

    def machine(self, index: int) -> int | None:
        return self.machines[index] if index < len(self.machines) else None


def _identifiers(machines: Any) -> tuple[int, ...]:
    numbers = isinstance(machines, (list, tuple)) and all(isinstance(each, int) and each >= 0 and not isinstance(each, bool) for each in machines)
    if not numbers or len(set(machines)) < len(machines):
        raise Invalid(f"extra.machines: must be a list of different identifiers of machines (numbers), got {machines!r}")
    return tuple(int(each) for each in machines)


class Names:
    """Looks names up, each once."""

    def __init__(self, options: StratusLabOptions, access: Access, one: One, pdisk: Pdisk, marketplace: Marketplace) -> None:
        self._options = options
        self._access = access
        self._one = one
        self._pdisk = pdisk
        self._marketplace = marketplace
        self._added: Mapping[str, Metadata] | None = None
        self._looking = threading.Lock()

    def flavor(self, name: str) -> str:
        """The name of an instance type, which may be the default one."""
        return self._access.default_type if name == DEFAULT else name

    def type(self, name: str) -> InstanceType:
        wanted, types = self.flavor(name), self._access.types
        if wanted not in types:
            raise Invalid(f"unknown instance type '{wanted}'{hint(wanted, list(types))}")
        return types[wanted]

    def image(self, name: str, trusted: bool = True) -> Source:
        """
        Args:
            trusted: whether it must be one that may be used now.

        Raises:
            Invalid: there is none of this name.
            Denied: it must not be used.
        """
        if UUID.fullmatch(name):
            return self._bootable(name)
        if _metadata.is_identifier(name):
            return self._described(self._marketplace.trusted(name) if trusted else self._marketplace.latest(name))
        added = self._of_ours().get(name)
        if added is None:
            raise Invalid(f"unknown image '{name}': it is no identifier of the Marketplace, no disk, and no image that was added under this name")
        found = self._marketplace.trusted(added.identifier, name) if trusted else self._marketplace.latest(added.identifier)
        return self._described(found)

    def _of_ours(self) -> Mapping[str, Metadata]:
        """The images that were added, by name, whether or not they may be used now; of several the one that was added last."""
        with self._looking:
            if self._added is None:
                email = endorser(self._access.signer)
                entries = sorted(self._marketplace.of(email) if email else [], key=_added_at)
                self._added = {entry.value("dcterms:alternative"): entry for entry in entries if entry.value(OWN)}
            return self._added

    def _described(self, entry: Metadata) -> Source:
        bus = self._options.disks_bus or entry.value("slterms:disks-bus") or "ide"
        return Source(
            entry.identifier, self._marketplace.url(entry.identifier), "qcow2" if entry.value("dcterms:format") == "qcow2" else "raw",
            PREFIXES.get(bus, "hd"), entry.value("slterms:os-arch"), entry.ports,
        )  # fmt: skip

    def _bootable(self, uuid: str) -> Source:
        try:
            disk = self._pdisk.disk(uuid)
        except Missing:
            raise Invalid(f"unknown image '{uuid}': pdisk has no such disk") from None
        if disk.type != LIVE:
            raise Invalid(f"image '{uuid}' cannot be started: the disk is of type {disk.type}, {LIVE} is needed")
        base = self._pdisk.http.base.rpartition("/")[0]
        return Source(uuid, f"pdisk:{base}/{uuid}", "", PREFIXES.get(self._options.disks_bus or "virtio", "vd"))

    def holders(self, uuid: str) -> list[str]:
        """The machines that have a bootable disk, by their identifiers."""
        return list(self._pdisk.mounts(uuid)) if self._pdisk.disk(uuid).count else []

    def networks(self) -> dict[str, Element]:
        """The networks of the site; users may have their own of the same names."""
        found = [element for element in self._one.networks() if element.findtext("UNAME") == SITE]
        return {element.findtext("NAME", ""): element for element in found}

    def unknown(self, spec: NodeSpec, trusted: bool = True) -> Iterator[str]:
        """What of a specification is unknown here, or must not be used.

        Args:
            trusted: whether the image must be one that may be used now.
        """
        checks = (
            lambda: self.type(spec.flavor),
            lambda: self._check_image(spec) if trusted else self.image(spec.image, trusted=False),
            lambda: self._check_extra(spec),
        )
        for check in checks:
            try:
                check()
            except Unavailable:
                raise
            except (Invalid, Denied) as error:
                yield str(error)
        yield from (
            f"volume '{volume.name}' is not one of node {spec.name}" for volume in spec.volumes if not volume.name.startswith(f"{spec.name}-")
        )

    def _check_image(self, spec: NodeSpec) -> None:
        source = self.image(spec.image)
        wanted = str(spec.extra.get("architecture", "")) or "x86_64"
        if _metadata.is_identifier(source.id):
            entry = self._marketplace.trusted(source.id)
            reason = fits(entry, wanted) or (f"image '{spec.image}' is an archive: no machine starts from it" if entry.value(FORMAT) == TAR else "")
            if reason:
                raise Invalid(reason)

    def _check_extra(self, spec: NodeSpec) -> None:
        try:
            share, known = Extra.of(spec.extra).cpu, self._access.types.get(self.flavor(spec.flavor))
        except Invalid as error:
            raise Invalid(f"pool {spec.mark.pool}: {error}") from None
        if share and known and float(share) > known.cores:
            place = f"pool {spec.mark.pool}: extra.cpu"
            raise Invalid(f"{place}: must be at most the cores of instance type {self.flavor(spec.flavor)} ({known.cores}), got {share}")


def _added_at(entry: Metadata) -> tuple[str, bool]:
    """Sorts by when images were added, which a withdrawal does not change; in one second, one that was not withdrawn is the later."""
    return entry.value("dcterms:created"), not entry.deprecated


def nics(spec: NodeSpec, network: str, address: str) -> list[dict[str, str]]:
    """The networks of a node: the public one if it must be reached from outside, and the cloud's.

    The public one is the first, since its card then has the default route: what is sent outside must have the address outside.
    """
    names = (["public"] if spec.public_ip and network != "public" else []) + [network]
    found = [{"network_uname": SITE, "network": name} for name in names]
    if address:
        found[0]["IP"] = address
    return found


def free_addresses(element: Element) -> Sequence[str] | None:
    """Addresses of a network that nobody has; None where it does not list any."""
    leases = element.findall("LEASES/LEASE")
    return [lease.findtext("IP", "") for lease in leases if lease.findtext("USED") == "0"] if leases else None
